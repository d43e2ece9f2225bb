"""Workspaces for tests: bodies, the SDK's client, vaults with a key, grants. It knows how, never what is right."""

import uuid
from typing import Any

from azure.mgmt.databricks import AzureDatabricksManagementClient

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, VAULTS_API, Owner, Stage, until, vault

API = "2026-01-01"
PREVIEW = "2025-10-01-preview"
GROUP = "rg-bricks"
VERSION = "0123456789abcdef0123456789abcdef"
DATABRICKS = IDENTITIES["azure_databricks"]["principal_id"]
CRYPTO_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"  # Key Vault Crypto Service Encryption User
PROTECTED: dict[str, Any] = {"enableSoftDelete": True, "enablePurgeProtection": True}


def client(stage: Stage, version: str = API) -> AzureDatabricksManagementClient:
    """The real client, signed in as the owner; the group of these tests is there."""
    stage.group(GROUP)
    return AzureDatabricksManagementClient(Owner(stage.token("owner")), SUB, **{**stage.sdk(), "api_version": version})


def place(stage: Stage, name: str, kind: str = "workspaces") -> str:
    """The id of something of Databricks in the group of these tests, which is made."""
    return f"{stage.group(GROUP)}/providers/Microsoft.Databricks/{kind}/{name}"


def hybrid(name: str, *, sku: str = "premium", tags: Any = None, **properties: Any) -> dict[str, Any]:
    """The body of a workspace PUT, with a managed group of its own."""
    managed = f"/subscriptions/{SUB}/resourceGroups/mrg-{name}"
    body = {
        "location": "westeurope",
        "sku": {"name": sku},
        "properties": {"computeMode": "Hybrid", "managedResourceGroupId": managed, **properties},
    }
    return {**body, "tags": tags} if tags else body


def serverless(**properties: Any) -> dict[str, Any]:
    """The body of a workspace without compute of its own."""
    return {
        "location": "westeurope",
        "sku": {"name": "premium"},
        "properties": {"computeMode": "Serverless", **properties},
    }


def layer(kv: str, key: str = "cmk", version: str = VERSION, **more: Any) -> dict[str, Any]:
    """An entity of `encryption.entities`."""
    named = {"keyVaultUri": f"https://{kv}.vault.azure.net/", "keyName": key, "keyVersion": version}
    return {"keySource": "Microsoft.Keyvault", "keyVaultProperties": named, **more}


def dbfs(kv: str, key: str = "cmk", version: str = VERSION) -> dict[str, Any]:
    """The parameters that put DBFS on a customer's key, spelt as ARM spells them."""
    named = {"keySource": "Microsoft.Keyvault", "KeyName": key, "keyversion": version}
    encryption = {**named, "keyvaulturi": f"https://{kv}.vault.azure.net/"}
    return {"prepareEncryption": {"value": True}, "encryption": {"value": encryption}}


def put(stage: Stage, name: str, body: dict[str, Any], version: str = API) -> Any:
    """One PUT."""
    return stage.call("PUT", place(stage, name), body, version=version)


def outcome(stage: Stage, answer: Any) -> dict[str, Any]:
    """How the operation of an answer ended."""
    assert answer.status_code in {201, 202}, answer.text
    where = answer.headers.get("Azure-AsyncOperation") or answer.headers["Location"]

    def over() -> Any:
        poll = stage.call("GET", where)
        return poll.json() if poll.status_code == 200 else None

    return until(over)


def done(stage: Stage, name: str, body: dict[str, Any], version: str = API) -> dict[str, Any]:
    """PUT, wait until it has succeeded, and return the workspace."""
    ended = outcome(stage, put(stage, name, body, version))
    assert ended == {"status": "Succeeded"}, ended
    return shown(stage, name, version)


def shown(stage: Stage, name: str, version: str = API) -> dict[str, Any]:
    """What GET says."""
    body: dict[str, Any] = stage.call("GET", place(stage, name), version=version).json()
    return body


def key_vault(stage: Stage, name: str, *, key: str = "cmk", version: str = VERSION, **properties: Any) -> str:
    """A vault with one key in it; returns the vault's id."""
    path = open_vault(stage, name, **properties)
    seed_key(stage, f"{path}/keys/{key}", version)
    return path


def open_vault(stage: Stage, name: str, **properties: Any) -> str:
    """An empty vault that lets nobody in; returns its id."""
    path = f"{stage.group(GROUP)}/providers/Microsoft.KeyVault/vaults/{name}"
    assert stage.call("PUT", path, vault(**{"enableRbacAuthorization": False, "accessPolicies": [], **properties})).ok
    return path


def seed_key(stage: Stage, key_id: str, version: str, *, ops: tuple[str, ...] = (), **attributes: Any) -> None:
    """A version of a key, and the key itself as its newest."""
    host, name = key_id.split("/")[-3], key_id.rsplit("/", maxsplit=1)[-1]
    properties: dict[str, Any] = {
        "attributes": {"enabled": True, **attributes},
        "kty": "RSA",
        "keySize": 3072,
        "keyOps": list(ops) or ["wrapKey", "unwrapKey"],
        "keyUriWithVersion": f"https://{host}.vault.azure.net:443/keys/{name}/{version}",
    }
    ids = (f"{key_id}/versions/{version}", key_id)
    stage.tell("POST", "/seed", {"resources": [{"id": each, "properties": properties} for each in ids]})


def grant(stage: Stage, vault_id: str, principal: str, keys: tuple[str, ...] = ("get", "wrapKey", "unwrapKey")) -> None:
    """An access policy."""
    entry = {"tenantId": TENANT, "objectId": principal, "permissions": {"keys": list(keys)}}
    body = {"properties": {"accessPolicies": [entry]}}
    assert stage.call("PUT", f"{vault_id}/accessPolicies/add", body, version=VAULTS_API).ok


def revoke(stage: Stage, vault_id: str, principal: str) -> None:
    """Take the access policy away."""
    entry = {"tenantId": TENANT, "objectId": principal, "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]}}
    body = {"properties": {"accessPolicies": [entry]}}
    assert stage.call("PUT", f"{vault_id}/accessPolicies/remove", body, version=VAULTS_API).ok


def assign(stage: Stage, vault_id: str, principal: str) -> None:
    """A role assignment that lets a principal use the vault's keys."""
    where = f"{vault_id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    role = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CRYPTO_USER}"
    body = {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}}
    assert stage.call("PUT", where, body, version="2022-04-01").status_code == 201


def cluster(stage: Stage, name: str) -> dict[str, Any]:
    """Whether a cluster could start."""
    told: dict[str, Any] = stage.tell("POST", "/clusters", {"workspace": place(stage, name)})
    return told


def values(body: dict[str, Any]) -> dict[str, Any]:
    """The parameters without their types."""
    return {name: each["value"] for name, each in body["properties"]["parameters"].items()}
