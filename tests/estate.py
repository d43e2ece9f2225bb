"""Vaults whose keys workspaces use, with the access that a journey wants, seeded into the local Azure."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.client import Client, until
from simulator.used_vault import held_key

_NUMBERS = itertools.count()
AUTHORIZATION = "2022-04-01"
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
THREE = ["get", "unwrapkey", "wrapkey"]


@dataclass(frozen=True, slots=True)
class Place:
    """A vault, the workspace that uses its key for all three layers, and the workspace's own identities."""

    azure: Client
    vault: str
    workspace: str
    databricks: str
    storage: str
    disks: str

    def policies(self) -> dict[str, dict[str, list[str]]]:
        """Return what the vault's policies say now, by principal, sorted and in lower case."""
        found: dict[str, dict[str, list[str]]] = {}
        for entry in self.azure.vault(self.vault)["properties"]["accessPolicies"]:
            groups = entry["permissions"].items()
            found[entry["objectId"]] = {name: sorted(word.lower() for word in words) for name, words in groups if words}
        return found

    def assign(self, principal: str, role: str, scope: str = "", name: str = "") -> str:
        """Seed a role assignment that is long in effect; returns its id."""
        at = scope or self.vault
        path = f"{at}/providers/Microsoft.Authorization/roleAssignments/{name or _guid(next(_NUMBERS))}"
        properties = {
            "roleDefinitionId": f"/subscriptions/{self.vault.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal, "principalType": "ServicePrincipal", "scope": at,
            "createdOn": "2026-01-01T00:00:00.0000000Z", "updatedOn": "2026-01-01T00:00:00.0000000Z",
        }  # fmt: skip
        body = {
            "id": path,
            "name": path.rsplit("/", 1)[1],
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": properties,
        }
        self.azure.manage("POST", "/seed", {"resources": [body]})
        return path

    def roles(self, principal: str) -> dict[str, str]:
        """Return the roles that a principal holds at the vault or below, by scope."""
        path = f"{self.vault}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId eq '{principal}'"
        rows = self.azure.arm("GET", path, AUTHORIZATION).json()["value"]
        own = [row["properties"] for row in rows if row["properties"]["scope"].lower().startswith(self.vault.lower())]
        return {it["scope"][len(self.vault) :]: it["roleDefinitionId"].rsplit("/", 1)[1] for it in own}

    def held(self, principal: str) -> list[str]:
        """Return the GUIDs of the roles that a principal holds at the vault or below, sorted."""
        path = f"{self.vault}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId eq '{principal}'"
        rows = self.azure.arm("GET", path, AUTHORIZATION).json()["value"]
        own = [row["properties"] for row in rows if row["properties"]["scope"].lower().startswith(self.vault.lower())]
        return sorted(it["roleDefinitionId"].rsplit("/", 1)[1] for it in own)

    def give(self, principal: str, role: str) -> None:
        """Assign a role at the vault as its owner does, with all that follows from a write."""
        path = f"{self.vault}/providers/Microsoft.Authorization/roleAssignments/{_guid(next(_NUMBERS), 0x91)}"
        definition = (
            f"/subscriptions/{self.vault.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        )
        properties = {"roleDefinitionId": definition, "principalId": principal, "principalType": "ServicePrincipal"}
        self.azure.arm("PUT", path, AUTHORIZATION, {"properties": properties}).raise_for_status()

    def wake(self) -> None:
        """Write the vault's tags as its owner: an event follows."""
        tags = {"tags": {"touched": str(next(_NUMBERS))}}
        self.azure.arm("PATCH", self.vault, "2023-07-01", tags).raise_for_status()

    def touch_workspace(self) -> None:
        """Write the workspace's tags as its owner: from then on the Activity Log knows who asked for its grants."""
        tags = {"tags": {"touched": str(next(_NUMBERS))}}
        self.azure.arm("PATCH", self.workspace, "2026-01-01", tags).raise_for_status()
        until(lambda: not self._is_busy(), "the end of the write of the workspace")

    def _is_busy(self) -> bool:
        """Ask whether a write of the workspace, or what the Activity Log says of it, is still to come."""
        group, name = self.workspace.split("/")[4], self.workspace.rsplit("/", 1)[1]
        now = datetime.now(UTC)
        span = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (now - timedelta(days=1), now + timedelta(minutes=1))]
        wanted = f"eventTimestamp ge '{span[0]}' and eventTimestamp le '{span[1]}' and resourceGroupName eq '{group}'"
        path = f"{self.workspace.partition('/resourceGroups/')[0]}/providers/Microsoft.Insights/eventtypes/management/values"
        rows = self.azure.arm("GET", f"{path}?$filter={wanted}", "2015-04-01").json()["value"]
        return not any(row["resourceId"].endswith(name) and row["status"]["value"] == "Succeeded" for row in rows)

    def row(self, subject: str) -> dict[str, Any] | None:
        """Return the record of a subject of KV-ACCESS."""
        return self.azure.row(self.vault, "KV-ACCESS", subject)

    def row_in(self, subject: str, *states: str) -> dict[str, Any] | None:
        """Return it if it is in one of these states."""
        row = self.row(subject)
        return row if row and row["state"] in states else None

    def told(self, subject: str) -> str:
        """Return what became of a subject, a line for each entry of its history."""
        row = self.row(subject)
        if row is None:
            return f"there is no row for {subject}"
        history = self.azure.app(f"/api/remediations/{row['id']}")["history"]
        return "\n".join(
            f"{it['time']} {it['event']} {it['state']} {it['reason']} {str(it['detail'])[:200]}" for it in history
        )

    def key_requests(self) -> Sequence[dict[str, Any]]:
        """Return the writes of access at the vault that the writer made, oldest first."""
        items = self.azure.manage("GET", "/journal")["items"]
        return [
            item for item in items
            if item["caller"] == "writer" and item["path"].lower().startswith(self.vault.lower() + "/")
        ]  # fmt: skip


def place(
    azure: Client,
    *,
    rbac: bool = False,
    policies: Iterable[dict[str, Any]] = (),
    layers: Iterable[str] = ("managedServices", "managedDisk", "dbfsRoot"),
) -> Place:
    """Seed a protected vault and a workspace with CMKs from it. A policy may name `databricks`, `storage` or `disks`."""
    number = next(_NUMBERS)
    group = f"/subscriptions/{azure.facts['subscriptions'][0]}/resourceGroups/rg-access"
    azure.put_group(azure.facts["subscriptions"][0], "rg-access").raise_for_status()
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-access-{number}"
    workspace = f"{group}/providers/Microsoft.Databricks/workspaces/dbw-access-{number}"
    found = Place(
        azure,
        vault,
        workspace,
        azure.facts["identities"]["azure_databricks"]["principal_id"],
        _guid(number, 0x57),
        _guid(number, 0xD1),
    )
    known = [
        {"id": it, "type": "ServicePrincipal", "displayName": f"{workspace} {n}"}
        for n, it in enumerate((found.storage, found.disks))
    ]
    entries = [
        {"tenantId": azure.facts["tenant"], **it, "objectId": getattr(found, it["objectId"], it["objectId"])}
        for it in policies
    ]
    azure.manage(
        "POST",
        "/seed",
        {
            "principals": known,
            "resources": [_vault(azure, vault, rbac, entries), held_key(vault), _workspace(found, list(layers))],
        },
    )
    return found


def policy(principal: str, keys: Iterable[str], **groups: Any) -> dict[str, Any]:
    """Return an access policy."""
    return {"objectId": principal, "permissions": {"keys": list(keys), **groups}}


def _guid(number: int, kind: int = 0xA5) -> str:
    return f"{kind:08x}-58f1-4a6b-b0c4-{number:012x}"


def _vault(azure: Client, vault: str, rbac: bool, entries: list[dict[str, Any]]) -> dict[str, Any]:
    name = vault.rsplit("/", 1)[1]
    properties = {
        "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": entries,
        "enableSoftDelete": True, "enablePurgeProtection": True, "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": rbac, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
    }  # fmt: skip
    return {"id": vault, "name": name, "location": "westeurope", "tags": {}, "properties": properties}


def _workspace(at: Place, layers: list[str]) -> dict[str, Any]:
    uri = f"https://{at.vault.rsplit('/', 1)[1]}.vault.azure.net/"
    key = {"keyVaultUri": uri, "keyName": "k", "keyVersion": "0" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key, "rotationToLatestKeyVersionEnabled": True}
    root = {"keySource": "Microsoft.Keyvault", "KeyName": "k", "keyversion": "0" * 32, "keyvaulturi": uri}
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "workspaceUrl": "adb-1.1.azuredatabricks.net",
        "encryption": {"entities": {name: entity for name in layers if name != "dbfsRoot"}},
        "storageAccountIdentity": {"principalId": at.storage, "type": "SystemAssigned"},
        "managedDiskIdentity": {"principalId": at.disks, "type": "SystemAssigned"},
    }
    if "dbfsRoot" in layers:
        properties["parameters"] = {"encryption": {"type": "Object", "value": root}}
    return {
        "id": at.workspace,
        "name": at.workspace.rsplit("/", 1)[1],
        "location": "westeurope",
        "sku": {"name": "premium"},
        "properties": properties,
    }
