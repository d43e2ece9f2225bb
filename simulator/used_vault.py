"""A vault whose key a workspace uses, and who may do what with it, as ARM bodies to seed."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"  # Key Vault Crypto Service Encryption User
LAYERS = ("managedServices", "managedDisk", "dbfsRoot")
_LONG_AGO = "2026-01-01T00:00:00.0000000Z"


@dataclass(frozen=True, slots=True)
class UsedVault:
    """Its workspace uses one key for the layers that are named. `facts` are those of a running stack."""

    facts: Mapping[str, Any]
    name: str
    group: str
    rbac: bool = False
    layers: tuple[str, ...] = LAYERS

    @property
    def id(self) -> str:
        """The vault's id."""
        return f"{self.group}/providers/Microsoft.KeyVault/vaults/{self.name}"

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return f"{self.group}/providers/Microsoft.Databricks/workspaces/dbw-{self.name}"

    @property
    def identities(self) -> dict[str, str]:
        """The principal that asks for the key, by layer."""
        every = {
            "managedServices": str(self.facts["identities"]["azure_databricks"]["principal_id"]),
            "managedDisk": guid(f"disks of {self.workspace}"),
            "dbfsRoot": guid(f"storage of {self.workspace}"),
        }
        return {layer: every[layer] for layer in self.layers}

    def bodies(self, policies: Iterable[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
        """Return the vault, purge-protected, its key, and its workspace, with which its own identities come."""
        return [self._vault(list(policies)), held_key(self.id), self._workspace()]

    def policy(self, principal: str, keys: Iterable[str], **groups: list[str]) -> dict[str, Any]:
        """Return an access policy."""
        permissions = {"keys": list(keys), **groups}
        return {"tenantId": self.facts["tenant"], "objectId": principal, "permissions": permissions}

    def _vault(self, policies: list[Mapping[str, Any]]) -> dict[str, Any]:
        properties = {
            "tenantId": self.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": policies,
            "enableSoftDelete": True, "enablePurgeProtection": True, "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": self.rbac, "provisioningState": "Succeeded",
            "vaultUri": f"https://{self.name}.vault.azure.net/",
        }  # fmt: skip
        kind, place = "Microsoft.KeyVault/vaults", {"location": "westeurope", "tags": {}}
        return {"id": self.id, "name": self.name, "type": kind, **place, "properties": properties}

    def _workspace(self) -> dict[str, Any]:
        uri, source = f"https://{self.name}.vault.azure.net/", "Microsoft.Keyvault"
        entity = {
            "keySource": source,
            "keyVaultProperties": {"keyVaultUri": uri, "keyName": "k", "keyVersion": "0" * 32},
        }
        root = {"keySource": source, "KeyName": "k", "keyversion": "0" * 32, "keyvaulturi": uri}
        properties: dict[str, Any] = {
            "provisioningState": "Succeeded",
            "encryption": {"entities": {layer: entity for layer in self.layers if layer != "dbfsRoot"}},
        }
        for layer, field in (("dbfsRoot", "storageAccountIdentity"), ("managedDisk", "managedDiskIdentity")):
            if layer in self.layers:
                properties[field] = {"principalId": self.identities[layer], "type": "SystemAssigned"}
        if "dbfsRoot" in self.layers:
            properties["parameters"] = {"encryption": {"type": "Object", "value": root}}
        kind, place = "Microsoft.Databricks/workspaces", {"location": "westeurope", "sku": {"name": "premium"}}
        name = self.workspace.rsplit("/", 1)[1]
        return {"id": self.workspace, "name": name, "type": kind, **place, "properties": properties}


def held_key(vault: str) -> dict[str, Any]:
    """Return the key `k` of a vault, made long ago and in one version: the one that the workspaces here name."""
    address = f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net:443/keys/k"
    properties = {
        "attributes": {"enabled": True, "created": 1767225600, "updated": 1767225600}, "kty": "RSA", "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey"], "keyUri": address, "keyUriWithVersion": f"{address}/{'0' * 32}",
    }  # fmt: skip
    kind = "Microsoft.KeyVault/vaults/keys"
    return {"id": f"{vault}/keys/k", "name": "k", "type": kind, "location": "westeurope", "properties": properties}


def assignment(scope: str, principal: str, role: str, kind: str = "ServicePrincipal") -> dict[str, Any]:
    """Return a role assignment that is long in effect."""
    name = guid(f"{scope} {principal} {role}")
    subscription = scope.split("/")[2]
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal, "principalType": kind, "scope": scope,
            "createdOn": _LONG_AGO, "updatedOn": _LONG_AGO,
        },
    }  # fmt: skip


def guid(words: str) -> str:
    """Return an invented id: the same for the same words."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, words))
