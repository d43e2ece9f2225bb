"""The demo's estate: 3 subscriptions, 12 vaults and 8 workspaces, as ARM bodies to seed."""

from collections.abc import Mapping
from typing import Any

from simulator.estate import KEY_VAULTS

_KEY, _VERSION = "cmk-managed-services", "0123456789abcdef0123456789abcdef"
# subscription (by place), vault, tags, purge protection
_VAULTS: tuple[tuple[int, str, dict[str, str], bool], ...] = (
    (0, "kv-claims-cmk", {"cmk-vault": "true", "environment": "prod"}, True),
    (0, "kv-claims-archive", {"cmk-vault": "true", "environment": "prod"}, True),
    (0, "kv-claims-apps", {"owner": "claims-apps"}, False),
    (0, "kv-claims-build", {"owner": "ci"}, False),
    (1, "kv-fraud-cmk", {"cmk-vault": "true", "environment": "prod"}, True),
    (1, "kv-fraud-model", {"environment": "prod"}, True),
    (1, "kv-fraud-web", {"owner": "fraud-web"}, False),
    (1, "kv-fraud-secrets", {"owner": "fraud"}, True),
    (2, "kv-research-cmk", {"cmk-vault": "true", "environment": "dev"}, True),
    (2, "kv-research-lab", {"owner": "lab"}, False),
    (2, "kv-research-a", {"owner": "a"}, False),
    (2, "kv-research-b", {"owner": "b"}, True),
)
# subscription (by place), workspace, environment, the vault its managed services use
_WORKSPACES: tuple[tuple[int, str, str, str], ...] = (
    (0, "dbw-claims-prod", "prod", "kv-claims-cmk"),
    (0, "dbw-claims-test", "test", ""),
    (0, "dbw-claims-archive", "prod", "kv-claims-archive"),
    (1, "dbw-fraud-prod", "prod", "kv-fraud-cmk"),
    (1, "dbw-fraud-model", "prod", "kv-fraud-model"),
    (1, "dbw-fraud-play", "sandbox", ""),
    (2, "dbw-research", "dev", "kv-research-cmk"),
    (2, "dbw-research-play", "sandbox", ""),
)


def vault_id(subscription: str, name: str) -> str:
    """Return the id of a vault of the estate."""
    return f"/subscriptions/{subscription}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/{name}"


def estate(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every resource of the estate."""
    subscriptions, tenant = facts["subscriptions"], facts["tenant"]
    vaults = [_vault(subscriptions[at], name, tags, tenant, purge) for at, name, tags, purge in _VAULTS]
    workspaces = [_workspace(subscriptions[at], name, env, vault) for at, name, env, vault in _WORKSPACES]
    keys = [_key(subscriptions[at], vault) for at, _, _, vault in _WORKSPACES if vault]
    return vaults + keys + workspaces


def key_vaults(facts: Mapping[str, Any], *, purge: bool = True) -> list[dict[str, Any]]:
    """Return the vaults where the deployment lets keys of workspaces live, as ARM bodies to seed."""
    found = []
    for at, path in KEY_VAULTS.items():
        body = _vault(path.split("/")[2], path.rsplit("/", 1)[1], {}, facts["tenant"], purge)
        found.append({**body, "location": at.rpartition("/")[2] or "westeurope"})
    return found


def confidential(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a workspace on platform keys as its owner would write it, by id and body."""
    at = facts["subscriptions"][0]
    body = {
        "location": "westeurope", "sku": {"name": "premium"},
        "tags": {"data-sensitivity": "confidential", "environment": "prod", "owner": "claims@example.com"},
        "properties": {
            "computeMode": "Hybrid",
            "managedResourceGroupId": f"/subscriptions/{at}/resourceGroups/databricks-rg-claims-new",
            "publicNetworkAccess": "Enabled", "requiredNsgRules": "AllRules",
            "parameters": {"enableNoPublicIp": {"value": True}},
        },
    }  # fmt: skip
    path = f"/subscriptions/{at}/resourceGroups/rg-data/providers/Microsoft.Databricks/workspaces/dbw-claims-new"
    return {"id": path, "body": body}


def _vault(subscription: str, name: str, tags: Mapping[str, str], tenant: str, purge: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tenantId": tenant,
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [],
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": True,
        "vaultUri": f"https://{name}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
    }
    if purge:
        properties["enablePurgeProtection"] = True
    return {
        "id": vault_id(subscription, name),
        "name": name,
        "type": "Microsoft.KeyVault/vaults",
        "location": "westeurope",
        "tags": dict(tags),
        "properties": properties,
    }


def _key(subscription: str, vault: str) -> dict[str, Any]:
    address = f"https://{vault}.vault.azure.net/keys/{_KEY}/{_VERSION}"
    return {"id": f"{vault_id(subscription, vault)}/keys/{_KEY}", "properties": {"keyUriWithVersion": address}}


def _workspace(subscription: str, name: str, environment: str, vault: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "computeMode": "Hybrid",
        "provisioningState": "Succeeded",
        "managedResourceGroupId": f"/subscriptions/{subscription}/resourceGroups/databricks-rg-{name}",
        "publicNetworkAccess": "Enabled",
        "parameters": {"prepareEncryption": {"type": "Bool", "value": False}},
    }
    if vault:
        key = {
            "keyVaultUri": f"https://{vault}.vault.azure.net/",
            "keyName": _KEY,
            "keyVersion": _VERSION,
        }
        entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}
        properties["encryption"] = {"entities": {"managedServices": entity}}
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/rg-data/providers/Microsoft.Databricks/workspaces/{name}",
        "name": name,
        "type": "Microsoft.Databricks/workspaces",
        "location": "westeurope",
        "sku": {"name": "premium"},
        "tags": {"environment": environment},
        "properties": properties,
    }
