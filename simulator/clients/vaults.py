"""The planted vaults, as data: every shape that matters, and what each client's own rule says of it.

The findings were worked out by hand from what the clients document, and from nothing of this project:

- Cloud Custodian, value filters of our policies (custodian.py): S `enableSoftDelete` is not true, P `enablePurgeProtection`
  is not true, R `enableRbacAuthorization` is not true; the `whitelist` filter: W an access policy allows more than to
  get, wrap and unwrap with keys (it looks at keys, secrets and certificates, in any case; not at storage).
- Prowler: V `keyvault_recoverable` fails unless soft delete and purge protection are both on; B `keyvault_rbac_enabled`
  fails unless RBAC is on; - it says nothing of a vault whose address is not in DNS yet (prowler.py). Azure CLI has no
  rules: our queries ask it the same two questions.
"""

from dataclasses import dataclass, field
from typing import Any

from simulator.arm.answer import Json

ON, OFF, UNSAID = True, False, None
TENANT = "7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00"
SUBSCRIPTION = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
GROUP = "planted"
PLACE = "/subscriptions/{subscription}/resourceGroups/{group}/providers/{type}/{name}"
LOWER = "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.keyvault/vaults/{name}"
UPPER = "/subscriptions/{subscription}/RESOURCEGROUPS/PLANTED/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{name}"
DENY: Json = {
    "bypass": "AzureServices",
    "defaultAction": "Deny",
    "ipRules": [{"value": "203.0.113.0/24"}],
    "virtualNetworkRules": [],
}


def _policy(number: int, tenant: str = TENANT, **permissions: list[str]) -> Json:
    return {
        "tenantId": tenant,
        "objectId": f"0b7ec700-0000-4000-8000-{number:012d}",
        "permissions": permissions,
    }


_WRAP = ["get", "wrapKey", "unwrapKey"]
POLICIES: dict[str, list[Json]] = {
    "none": [],
    "wrap": [_policy(1, keys=_WRAP)],
    "cased": [_policy(1, keys=["Get", "WRAPKEY", "UnwrapKey"])],
    "all": [_policy(1, keys=["all"])],
    "admin": [_policy(1, keys=[*_WRAP, "delete", "purge"], secrets=["get", "list"], certificates=["import"])],
    "storage": [_policy(1, storage=["get", "list"])],
    "empty": [_policy(1, keys=[], secrets=[], certificates=[])],
    "bare": [_policy(1)],
    "secrets": [_policy(1, secrets=["get"])],
    "list": [_policy(1, keys=["get", "list"])],
    "compound": [{**_policy(1, keys=_WRAP), "applicationId": "0a991c00-0000-4000-8000-000000000001"}],
    "foreign": [_policy(1, "f0e16000-0000-4000-8000-000000000001", keys=["get", "list"])],
    "many": [*(_policy(number, keys=_WRAP) for number in range(1, 16)), _policy(16, keys=["get", "create"])],
    "wrappers": [_policy(number, keys=_WRAP) for number in range(1, 17)],
}


@dataclass(frozen=True, slots=True)
class Vault:
    """One planted vault and what each client finds wrong with it."""

    name: str
    soft: bool | None
    purge: bool | None
    rbac: bool | None
    policies: str
    custodian: str
    prowler: str
    place: str = PLACE
    properties: Json = field(default_factory=dict)
    top: Json = field(default_factory=dict)


VAULTS = (
    # Every combination of the three switches; purge protection is true or not there, as in Azure.
    Vault("kvp-all-on", ON, ON, ON, "none", "", ""),
    Vault("kvp-no-rbac", ON, ON, OFF, "wrap", "R", "B"),
    Vault("kvp-rbac-unsaid", ON, ON, UNSAID, "wrap", "R", "B"),
    Vault("kvp-no-purge", ON, UNSAID, ON, "none", "P", "V"),
    Vault("kvp-no-purge-no-rbac", ON, UNSAID, OFF, "wrap", "PR", "VB"),
    Vault("kvp-soft-alone", ON, UNSAID, UNSAID, "wrap", "PR", "VB"),
    Vault("kvp-soft-off-rbac", OFF, UNSAID, ON, "none", "SP", "V"),
    Vault("kvp-soft-off", OFF, UNSAID, OFF, "wrap", "SPR", "VB"),
    Vault("kvp-soft-off-unsaid", OFF, UNSAID, UNSAID, "wrap", "SPR", "VB"),
    Vault("kvp-soft-unsaid-rbac", UNSAID, UNSAID, ON, "none", "SP", "V"),
    Vault("kvp-soft-unsaid", UNSAID, UNSAID, OFF, "wrap", "SPR", "VB"),
    Vault("kvp-nothing-said", UNSAID, UNSAID, UNSAID, "none", "SPR", "VB"),
    Vault("kvp-odd-purge-rbac", UNSAID, ON, ON, "none", "S", "V"),
    Vault("kvp-odd-purge", UNSAID, ON, OFF, "wrap", "SR", "VB"),
    Vault("kvp-odd-purge-unsaid", UNSAID, ON, UNSAID, "wrap", "SR", "VB"),
    Vault("kvp-odd-off-purge-rbac", OFF, ON, ON, "none", "S", "V"),
    Vault("kvp-odd-off-purge", OFF, ON, OFF, "wrap", "SR", "VB"),
    Vault("kvp-odd-off-unsaid", OFF, ON, UNSAID, "wrap", "SR", "VB"),
    # Access policies of all shapes. With RBAC on they are stored and not used; the filter looks at them all the same.
    Vault("kvp-pol-none", ON, ON, OFF, "none", "R", "B"),
    Vault("kvp-pol-cased", ON, ON, OFF, "cased", "R", "B"),
    Vault("kvp-pol-all", ON, ON, OFF, "all", "RW", "B"),
    Vault("kvp-pol-admin", ON, UNSAID, OFF, "admin", "PRW", "VB"),
    Vault("kvp-pol-storage", ON, ON, OFF, "storage", "R", "B"),
    Vault("kvp-pol-empty", ON, ON, OFF, "empty", "R", "B"),
    Vault("kvp-pol-bare", ON, ON, OFF, "bare", "R", "B"),
    Vault("kvp-pol-secrets", ON, ON, OFF, "secrets", "RW", "B"),
    Vault("kvp-pol-list", OFF, UNSAID, OFF, "list", "SPRW", "VB"),
    Vault("kvp-pol-compound", ON, ON, OFF, "compound", "R", "B"),
    Vault("kvp-pol-foreign", ON, ON, OFF, "foreign", "RW", "B"),
    Vault("kvp-pol-many", ON, ON, OFF, "many", "RW", "B"),
    Vault("kvp-pol-wrappers", ON, ON, OFF, "wrappers", "R", "B"),
    Vault("kvp-pol-unused", ON, ON, ON, "admin", "W", ""),
    # Other forms of the same thing.
    Vault("kvp-id-lower", ON, UNSAID, ON, "none", "P", "V", LOWER),
    Vault("KVP-ID-UPPER", ON, ON, OFF, "list", "RW", "B", UPPER),
    Vault("kvp-place-spelt", ON, ON, ON, "none", "", "", top={"location": "West Europe"}),
    Vault("kvp-tags-unsaid", ON, UNSAID, OFF, "wrap", "PR", "VB", top={"tags": None}),
    Vault("kvp-seven-days", ON, ON, ON, "none", "", "", properties={"softDeleteRetentionInDays": 7}),
    Vault(
        "kvp-private",
        ON,
        ON,
        ON,
        "none",
        "",
        "",
        properties={"publicNetworkAccess": "Disabled", "networkAcls": DENY},
    ),
    Vault(
        "kvp-premium",
        ON,
        UNSAID,
        ON,
        "none",
        "P",
        "V",
        properties={"sku": {"family": "A", "name": "premium"}, "enabledForDiskEncryption": True},
    ),
    Vault(
        "kvp-young",
        ON,
        ON,
        OFF,
        "wrap",
        "R",
        "B-",
        properties={"provisioningState": "RegisteringDns", "vaultUri": "https://kvp-young.vault.azure.net"},
    ),
)


def body(vault: Vault, subscription: str = SUBSCRIPTION) -> Json:
    """The vault as Azure shows it; a switch of which nothing is said is not there."""
    kind = "Microsoft.KeyVault/vaults"
    switches: dict[str, Any] = {
        "enableSoftDelete": vault.soft,
        "enablePurgeProtection": vault.purge,
        "enableRbacAuthorization": vault.rbac,
    }
    properties: Json = {
        "sku": {"family": "A", "name": "standard"},
        "tenantId": TENANT,
        "accessPolicies": POLICIES[vault.policies],
        "enabledForDeployment": False,
        **{name: value for name, value in switches.items() if value is not None},
        **({"softDeleteRetentionInDays": 90} if vault.soft else {}),
        "vaultUri": f"https://{vault.name.lower()}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
    }
    return {
        "id": vault.place.format(subscription=subscription, group=GROUP, type=kind, name=vault.name),
        "name": vault.name,
        "type": kind,
        "location": "westeurope",
        "tags": {},
        **vault.top,
        "properties": {**properties, **vault.properties},
    }
