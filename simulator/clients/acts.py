"""What Azure CLI is told to do, in order, and what must come of it: written down beforehand, not copied from an answer.

Most commands carry `--query`, so that an answer is small enough to be written here whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.clients.vaults import SUBSCRIPTION, TENANT

GROUP = "acts"
AREA = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
VAULT = f"{AREA}/providers/Microsoft.KeyVault/vaults/kv-acts-one"
WORKSPACE = f"{AREA}/providers/Microsoft.Databricks/workspaces/dbw-acts"
IDENTITY = f"{AREA}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acts"
WORKSPACES_API = "2024-05-01"
PRINCIPAL = "@principal@"  # the object id of the identity, once it is there
SOMEBODY = "0b7ec700-0000-4000-8000-000000000077"
CRYPTO_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"  # Key Vault Crypto Service Encryption User
GRANT = "0a551600-0000-4000-8000-000000000001"
SEARCH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
OWN_WORKSPACE = (
    '{"location":"westeurope","sku":{"name":"premium"},"properties":{"managedResourceGroupId":'
    f'"/subscriptions/{SUBSCRIPTION}/resourceGroups/managed-acts"}}}}'
)


@dataclass(frozen=True, slots=True)
class Act:
    """One command: the answer it must print, or the error it must end with; and what is stored afterwards."""

    command: str
    answer: Any = None
    error: str = ""
    stored: tuple[str, Callable[[Any], Any]] | None = None
    so: Any = None


def _switches(vault: Any) -> list[Any]:
    properties = vault["properties"]
    return [properties.get("enableSoftDelete"), properties.get("enablePurgeProtection"), vault.get("tags")]


def _holders(vault: Any) -> list[Any]:
    """Who holds which permissions to keys. Sorted: the CLI sends them in no order."""
    policies = vault["properties"]["accessPolicies"]
    return [[each["objectId"], sorted(each["permissions"].get("keys") or [])] for each in policies]


def _is_there(body: Any) -> bool:
    return body is not None


ACTS = (
    Act(f"group create -n {GROUP} -l westeurope --tags team=risk --query [name,tags]", [GROUP, {"team": "risk"}]),
    Act(f"group exists -n {GROUP}", True),
    Act(f"group show -n {GROUP} --query properties.provisioningState", "Succeeded"),
    # Vaults: the CLI reads a vault and puts all of it back, whatever is to change.
    Act(
        f"keyvault create -n kv-acts-one -g {GROUP} -l westeurope --retention-days 7 --enable-rbac-authorization false "
        "--query properties.[enableSoftDelete,softDeleteRetentionInDays,enablePurgeProtection]",
        [True, 7, None],
        stored=(VAULT, _holders),
        so=[["0be4a700-58f1-4a6b-b0c4-1f7d2e9a0102", ["all"]]],
    ),
    Act("keyvault show -n kv-acts-one --query properties.vaultUri", "https://kv-acts-one.vault.azure.net/"),
    Act(
        f"keyvault update -n kv-acts-one -g {GROUP} --set tags.team=risk --query tags",
        {"team": "risk"},
        stored=(VAULT, _switches),
        so=[True, None, {"team": "risk"}],
    ),
    Act(
        f"keyvault update -n kv-acts-one -g {GROUP} --enable-purge-protection true "
        "--query properties.enablePurgeProtection",
        True,
        stored=(VAULT, _switches),
        so=[True, True, {"team": "risk"}],
    ),
    Act(
        f"keyvault set-policy -n kv-acts-one --object-id {SOMEBODY} --key-permissions get wrapKey unwrapKey "
        "--query length(properties.accessPolicies)",
        2,
        stored=(VAULT, lambda vault: _holders(vault)[-1]),
        so=[SOMEBODY, ["get", "unwrapKey", "wrapKey"]],
    ),
    Act(
        f"keyvault delete-policy -n kv-acts-one --object-id {SOMEBODY} --query length(properties.accessPolicies)",
        1,
        stored=(VAULT, lambda vault: len(_holders(vault))),
        so=1,
    ),
    Act(f"keyvault list -g {GROUP} --query [].name", ["kv-acts-one"]),
    # Keys, at the vault's own address: its challenge says where the token is to be had.
    Act("keyvault key create --vault-name kv-acts-one -n one --kty RSA --size 2048 --query key.kty", "RSA"),
    Act("keyvault key list --vault-name kv-acts-one --query [].name", ["one"]),
    Act("keyvault key show --vault-name kv-acts-one -n one --query attributes.enabled", True),
    # Locks.
    Act(
        f"lock create -n hold --lock-type CanNotDelete --resource {VAULT} --notes audit --query [name,level,notes]",
        ["hold", "CanNotDelete", "audit"],
    ),
    Act(f"lock list --resource {VAULT} --query [].level", ["CanNotDelete"]),
    Act("keyvault delete -n kv-acts-one", error="ScopeLocked"),
    Act(f"lock delete -n hold --resource {VAULT}"),
    Act(f"lock list --resource {VAULT}", []),
    # Deletion, and what soft delete and purge protection make of it.
    Act("keyvault delete -n kv-acts-one", stored=(VAULT, _is_there), so=False),
    Act("keyvault list-deleted --resource-type vault --query [].name", ["kv-acts-one"]),
    Act("keyvault show-deleted -n kv-acts-one --query properties.purgeProtectionEnabled", True),
    Act("keyvault purge -n kv-acts-one", error="MethodNotAllowed"),
    Act("keyvault recover -n kv-acts-one --query tags", {"team": "risk"}, stored=(VAULT, _is_there), so=True),
    Act(f"keyvault create -n kv-acts-two -g {GROUP} -l westeurope --query properties.enableRbacAuthorization", True),
    Act("keyvault delete -n kv-acts-two"),
    Act("keyvault purge -n kv-acts-two"),
    Act("keyvault list-deleted --query [].name", []),
    # Who may do what.
    Act(
        "role definition list --name 'Key Vault Crypto Service Encryption User' --query [].name",
        [CRYPTO_USER],
    ),
    Act(
        f"identity create -n id-acts -g {GROUP} -l westeurope --query [name,tenantId]",
        ["id-acts", TENANT],
        stored=(IDENTITY, _is_there),
        so=True,
    ),
    Act(f"identity show -n id-acts -g {GROUP} --query type", "Microsoft.ManagedIdentity/userAssignedIdentities"),
    Act(
        f"role assignment create --name {GRANT} --assignee-object-id {PRINCIPAL} --role {CRYPTO_USER} "
        f"--assignee-principal-type ServicePrincipal --scope {VAULT} --query [name,principalType]",
        [GRANT, "ServicePrincipal"],
    ),
    Act(
        f"role assignment list --scope {VAULT} --query [].[name,roleDefinitionName]",
        [[GRANT, "Key Vault Crypto Service Encryption User"]],
    ),
    Act(f"role assignment delete --ids {VAULT}/providers/Microsoft.Authorization/roleAssignments/{GRANT}"),
    Act(f"role assignment list --scope {VAULT}", []),
    Act(f"identity delete -n id-acts -g {GROUP}", stored=(IDENTITY, _is_there), so=False),
    # Workspaces by the generic commands: a long write, read and change and put back, a removal.
    Act(
        f"resource create --id {WORKSPACE} --api-version {WORKSPACES_API} --is-full-object "
        f"--properties '{OWN_WORKSPACE}' --query properties.provisioningState",
        "Succeeded",
    ),
    Act(
        f"resource update --ids {WORKSPACE} --api-version {WORKSPACES_API} --set tags.team=risk --query tags",
        {"team": "risk"},
        stored=(WORKSPACE, lambda body: bool(body["properties"].get("workspaceUrl"))),
        so=True,
    ),
    Act(f"resource show --ids {WORKSPACE} --query properties.provisioningState", "Succeeded"),
    Act(f"resource list -g {GROUP} --query [].name", ["dbw-acts", "kv-acts-one"]),
    Act(
        f"rest --method post --url {SEARCH} --body "
        """'{"query":"resources | where resourceGroup =~ \\"acts\\" | project name | order by name asc"}' """
        "--query data[].name",
        ["dbw-acts", "kv-acts-one"],
    ),
    Act(
        f"resource delete --ids {WORKSPACE} --api-version {WORKSPACES_API} --no-wait",
        stored=(WORKSPACE, _is_there),
        so=False,
    ),
    Act(f"group delete -n {GROUP} --yes", stored=(AREA, _is_there), so=False),
)
