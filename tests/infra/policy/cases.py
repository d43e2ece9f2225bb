"""Good, bad and odd resources for each member of the initiative, and the effect that each is expected to meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.infra.policy.pack import DISKS

type Json = Mapping[str, Any]

GROUP = "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001/resourceGroups/rg-data/providers"
LOGS = f"{GROUP}/Microsoft.OperationalInsights/workspaces/log-cmk"
CUSTOMER = "Microsoft.Keyvault"
SENSITIVE = {"data-sensitivity": "confidential"}
MARKED = {"cmk-vault": "true"}


@dataclass(frozen=True, slots=True)
class Case:
    """A resource before a member: what it is, in words, and the effect; '' for none. `given` are the initiative's parameters."""

    member: str
    what: str
    resource: Json
    effect: str
    given: Json = field(default_factory=dict)
    related: tuple[Json, ...] = ()


def workspace(
    tags: Json,
    sku: str = "premium",
    services: str = "",
    root: str = "",
    disks: str = "",
    *,
    is_serverless: bool = False,
    **parameters: Any,
) -> dict[str, Any]:
    """Return the body of a workspace; its layers have the key source that is given, '' for none at all."""
    entities = {
        name: {"keySource": source, "keyVaultProperties": {"keyName": "k"}}
        for name, source in (("managedServices", services), ("managedDisk", disks))
        if source
    }
    told = {"prepareEncryption": True, **parameters, **({"encryption": {"keySource": root}} if root else {})}
    own = {} if is_serverless else {"parameters": {name: {"value": it} for name, it in told.items()}}
    return {
        "id": f"{GROUP}/Microsoft.Databricks/workspaces/dbw-claims",
        "name": "dbw-claims",
        "type": "Microsoft.Databricks/workspaces",
        "location": "westeurope",
        "tags": dict(tags),
        **({"sku": {"name": sku}} if sku else {}),
        "properties": {"provisioningState": "Succeeded", "encryption": {"entities": entities}, **own}
        | ({"computeMode": "Serverless"} if is_serverless else {}),
    }


def vault(tags: Json = MARKED, **properties: Any) -> dict[str, Any]:
    """Return the body of a vault, protected unless something else is said; None takes a property away."""
    whole = {"enableSoftDelete": True, "enablePurgeProtection": True, **properties}
    return {
        "id": f"{GROUP}/Microsoft.KeyVault/vaults/kv-claims",
        "name": "kv-claims",
        "type": "Microsoft.KeyVault/vaults",
        "location": "westeurope",
        "tags": dict(tags),
        "properties": {name: it for name, it in whole.items() if it is not None},
    }


def setting(*logs: Json, workspace_id: str = LOGS, **properties: Any) -> dict[str, Any]:
    """Return a diagnostic setting."""
    to = {"workspaceId": workspace_id} if workspace_id else {}
    kind = "Microsoft.Insights/diagnosticSettings"
    return {"type": kind, "name": "audit", "properties": {**to, "logs": list(logs), **properties}}


def key(**attributes: str) -> dict[str, Any]:
    """Return a key as policies of the data plane see it; `scheduledRotationDate` stands beside its attributes."""
    due = {name: attributes.pop(name) for name in ("scheduledRotationDate",) if name in attributes}
    return {
        "id": f"{GROUP}/Microsoft.KeyVault/vaults/kv-claims/keys/k",
        "name": "k",
        "type": "Microsoft.KeyVault.Data/vaults/keys",
        "keyType": "RSA",
        "attributes": {"createdOn": "2026-06-01T00:00:00Z", **attributes},
        **due,
    }


_DENY = {"effectManagedServices": "Deny", "effectPremium": "Deny", "effectTags": "Deny", "effectRecovery": "Deny"}
_SERVICES = (
    Case("managedServicesKey", "sensitive, under its own key", workspace(SENSITIVE, services=CUSTOMER), ""),
    Case("managedServicesKey", "the same, key source in capitals", workspace(SENSITIVE, services="MICROSOFT.KEYVAULT"), ""),
    Case("managedServicesKey", "sensitive, under a platform key", workspace(SENSITIVE), "audit"),
    Case("managedServicesKey", "the same, effect Deny", workspace(SENSITIVE), "deny", _DENY),
    Case("managedServicesKey", "the same, effect Disabled", workspace(SENSITIVE), "", {"effectManagedServices": "Disabled"}),
    Case("managedServicesKey", "sensitive, key source Default", workspace(SENSITIVE, services="Default"), "audit"),
    Case("managedServicesKey", "sensitive, serverless, under a platform key", workspace(SENSITIVE, is_serverless=True), "audit"),
    Case("managedServicesKey", "tag and value in capitals", workspace({"DATA-Sensitivity": "RESTRICTED"}), "audit"),
    Case("managedServicesKey", "tagged public", workspace({"data-sensitivity": "public"}), ""),
    Case("managedServicesKey", "no tags", workspace({}), ""),
    Case("managedServicesKey", "no tags, every workspace must", workspace({}), "audit", {"allWorkspaces": True}),
    Case("managedServicesKey", "tag of another name, as assigned", workspace({"class": "x"}), "audit", {"sensitivityTag": "class", "sensitiveValues": ["X"]}),
    Case("managedServicesKey", "in an environment that must", workspace({"environment": "Prod"}), "audit", {"keyEnvironments": ["prod"]}),
    Case("managedServicesKey", "no workspace at all", vault(SENSITIVE), ""),
)  # fmt: skip
_ROOT = (
    Case("dbfsRootKey", "sensitive, under its own key", workspace(SENSITIVE, root=CUSTOMER), ""),
    Case("dbfsRootKey", "sensitive, prepared, under a platform key", workspace(SENSITIVE), "audit"),
    Case("dbfsRootKey", "sensitive, never prepared", workspace(SENSITIVE, prepareEncryption=False), "audit"),
    Case("dbfsRootKey", "gone back: Default beside the old key's fields", workspace(SENSITIVE, encryption={"keySource": "Default", "KeyName": "k"}), "audit"),
    Case("dbfsRootKey", "sensitive, serverless", workspace(SENSITIVE, is_serverless=True), ""),
    Case("dbfsRootKey", "tagged public", workspace({"data-sensitivity": "public"}), ""),
)  # fmt: skip
_DISKS = (
    Case(DISKS, "sensitive, under its own key", workspace(SENSITIVE, disks=CUSTOMER), ""),
    Case(DISKS, "sensitive, under a platform key", workspace(SENSITIVE), "audit"),
    Case(DISKS, "sensitive, serverless", workspace(SENSITIVE, is_serverless=True), ""),
    Case(DISKS, "tagged public", workspace({"data-sensitivity": "public"}), ""),
    Case(DISKS, "FedRAMP, which offers no such key: exempt it", workspace(SENSITIVE, enableFedRampCertification=True), "audit"),
)  # fmt: skip
_PREMIUM = (
    Case("premium", "sensitive, premium", workspace(SENSITIVE), ""),
    Case("premium", "sensitive, Premium in capitals", workspace(SENSITIVE, "PREMIUM"), ""),
    Case("premium", "sensitive, standard", workspace(SENSITIVE, "standard"), "audit"),
    Case("premium", "sensitive, standard, effect Deny", workspace(SENSITIVE, "standard"), "deny", _DENY),
    Case("premium", "sensitive, trial", workspace(SENSITIVE, "trial"), "audit"),
    Case("premium", "sensitive, from before there were plans", workspace(SENSITIVE, ""), "audit"),
    Case("premium", "tagged public, standard", workspace({"data-sensitivity": "public"}, "standard"), ""),
)
_TAGS = (
    Case("tagOwner", "there", workspace({"owner": "ada@example.com"}), ""),
    Case("tagOwner", "there, its name in capitals", workspace({"OWNER": "ada@example.com"}), ""),
    Case("tagOwner", "missing", workspace({}), "audit"),
    Case("tagOwner", "missing, effect Deny", workspace({}), "deny", _DENY),
    Case("tagOwner", "empty", workspace({"owner": ""}), "audit"),
    Case("tagOwner", "fits a pattern", workspace({"owner": "Ada@Example.com"}), "", {"ownerValues": ["*@example.com"]}),
    Case("tagOwner", "fits no pattern", workspace({"owner": "ada"}), "audit", {"ownerValues": ["*@example.com"]}),
    Case("tagCostCenter", "missing", workspace({"owner": "ada"}), "audit"),
    Case("tagSensitivity", "legal", workspace({"data-sensitivity": "Public"}), "", {"sensitivityValues": ["public", "secret"]}),
    Case("tagSensitivity", "misspelt", workspace({"data-sensitivity": "pubic"}), "audit", {"sensitivityValues": ["public", "secret"]}),
    Case("tagEnvironment", "there, any value will do", workspace({"environment": "x"}), ""),
)  # fmt: skip
_RECOVERY = (
    Case("recovery", "both protections on", vault(), ""),
    Case("recovery", "purge protection missing", vault(enablePurgeProtection=None), "audit"),
    Case("recovery", "purge protection false", vault(enablePurgeProtection=False), "audit"),
    Case("recovery", "the same, effect Deny", vault(enablePurgeProtection=False), "deny", _DENY),
    Case("recovery", "soft delete off", vault(enableSoftDelete=False), "audit"),
    Case("recovery", "soft delete missing", vault(enableSoftDelete=None), "audit"),
    Case("recovery", "the same, effect Deny: Azure turns it on", vault(enableSoftDelete=None), "", _DENY),
    Case("recovery", "soft delete off, effect Deny", vault(enableSoftDelete=False), "deny", _DENY),
    Case("recovery", "being recovered, which names nothing else", vault(createMode="recover", enablePurgeProtection=None), "", _DENY),
    Case("recovery", "its tag in capitals", vault({"CMK-Vault": "TRUE"}, enablePurgeProtection=None), "audit"),
    Case("recovery", "its tag says false", vault({"cmk-vault": "false"}, enablePurgeProtection=None), ""),
    Case("recovery", "not marked", vault({}, enablePurgeProtection=None), ""),
    Case("recovery", "not marked, every vault counts", vault({}, enablePurgeProtection=None), "audit", {"allVaults": True}),
)  # fmt: skip
_AUDIT, _METRICS = {"category": "AuditEvent", "enabled": True}, {"category": "AllMetrics", "enabled": True}
_STORAGE = {"workspace_id": "", "storageAccountId": f"{GROUP}/Microsoft.Storage/storageAccounts/st"}
_NOT = "auditifnotexists"
_SENT = (
    Case("logs", "AuditEvent to a workspace", vault(), "", related=(setting(_AUDIT),)),
    Case("logs", "the group audit", vault(), "", related=(setting({"categoryGroup": "audit", "enabled": True}),)),
    Case("logs", "the group allLogs, in capitals", vault(), "", related=(setting({"categoryGroup": "ALLLOGS", "enabled": True}),)),
    Case("logs", "the second of two settings sends it", vault(), "", related=(setting(_METRICS), setting(_METRICS, _AUDIT))),
    Case("logs", "no setting", vault(), _NOT),
    Case("logs", "switched off", vault(), _NOT, related=(setting({"category": "AuditEvent", "enabled": False}),)),
    Case("logs", "another category alone", vault(), _NOT, related=(setting({"category": "AzurePolicyEvaluationDetails", "enabled": True}),)),
    Case("logs", "to a storage account alone", vault(), _NOT, related=(setting(_AUDIT, **_STORAGE),)),
    Case("logs", "half in one setting, half in another", vault(), _NOT, related=(setting(_METRICS), setting(_AUDIT, **_STORAGE))),
    Case("logs", "not marked", vault({}), ""),
)  # fmt: skip
OURS = (*_SERVICES, *_ROOT, *_DISKS, *_PREMIUM, *_TAGS, *_RECOVERY, *_SENT)

AZURES = (
    Case("roles", "roles", vault(enableRbacAuthorization=True), ""),
    Case("roles", "access policies", vault(enableRbacAuthorization=False), "audit"),
    Case("roles", "nothing said, which means access policies", vault(), "audit"),
    Case("keyRotates", "due within the year", key(scheduledRotationDate="2027-05-01T00:00:00Z"), ""),
    Case("keyRotates", "due after the year", key(scheduledRotationDate="2027-07-01T00:00:00Z"), "audit"),
    Case("keyRotates", "no rotation policy", key(), "audit"),
    Case("keyAge", "made this year", key(), ""),
    Case("keyAge", "older than a year", key(createdOn="2025-11-01T00:00:00Z"), "audit"),
    Case(
        "keyAge", "old, active for a month", key(createdOn="2025-11-01T00:00:00Z", notBefore="2026-10-25T00:00:00Z"), ""
    ),
    Case("keyEnds", "it ends", key(expiresOn="2027-01-01T00:00:00Z"), ""),
    Case("keyEnds", "it never ends", key(), "audit"),
    Case("keyEndsSoon", "it ends in a month and more", key(expiresOn="2027-01-01T00:00:00Z"), ""),
    Case("keyEndsSoon", "it ends within a month", key(expiresOn="2026-12-10T00:00:00Z"), "audit"),
    Case("keyEndsSoon", "it has ended", key(expiresOn="2026-11-01T00:00:00Z"), "audit"),
    Case("keyEndsSoon", "it never ends", key(), ""),
)
