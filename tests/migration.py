"""Workspaces on platform keys and the vaults where their keys are to live, in the local Azure, as their owner writes them."""

import itertools
from dataclasses import dataclass
from typing import Any

from simulator import estate
from simulator.client import Client, until

_NUMBERS = itertools.count()
_WORKSPACES = "2026-01-01"
_KEYS = "2023-07-01"
_AUTHORIZATION = "2022-04-01"
TAGS = {"data-sensitivity": "confidential", "owner": "ada@example.com", "cost-center": "4711"}
WEST, NORTH, FREE = estate.KEY_VAULTS.values()
LAYERS = ("managedServices", "dbfsRoot", "managedDisk")
_SERVED = (
    "provisioningState",
    "updatedBy",
    "systemData",
    "storageAccountIdentity",
    "managedDiskIdentity",
    "diskEncryptionSetId",
    "privateLinkAssets",
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A workspace, and the vault where its keys are to live."""

    azure: Client
    id: str
    vault: str

    def body(self) -> dict[str, Any]:
        """Return the workspace as it stands."""
        answer: dict[str, Any] = self.azure.arm("GET", self.id, _WORKSPACES).json()
        return answer

    def row(self, subject: str = "") -> dict[str, Any] | None:
        """Return the record of its migration, or of a layer."""
        return self.azure.row(self.id, "DBX-CMK", subject)

    def row_in(self, *states: str, subject: str = "") -> dict[str, Any] | None:
        """Return it if it is in one of these states."""
        row = self.row(subject)
        return row if row and row["state"] in states else None

    def soon(self, *states: str, seconds: float = 60, subject: str = "") -> dict[str, Any]:
        """Wait until the record is in one of these states; says what became of it where it does not come there."""
        try:
            found: dict[str, Any] = until(
                lambda: self.row_in(*states, subject=subject), f"{self.id} in {states}", seconds
            )
        except TimeoutError as error:
            error.add_note(self.told(subject))
            raise
        return found

    def told(self, subject: str = "") -> str:
        """Return what became of it, a line for each entry of the history."""
        row = self.row(subject)
        if row is None:
            return "there is no row"
        history = self.azure.app(f"/api/remediations/{row['id']}")["history"]
        return "\n".join(
            f"{it['time']} {it['event']} {it['state']} {it['reason']} {str(it['detail'])[:300]}" for it in history
        )

    def keys(self) -> dict[str, tuple[str, str]]:
        """Return vault and key of each layer that is on a customer's, by layer."""
        properties = self.body()["properties"]
        entities = (properties.get("encryption") or {}).get("entities") or {}
        named = {layer: it["keyVaultProperties"] for layer, it in entities.items()}
        found = {layer: (it["keyVaultUri"], it["keyName"]) for layer, it in named.items()}
        root = ((properties.get("parameters") or {}).get("encryption") or {}).get("value") or {}
        if str(root.get("keySource", "")).lower() == "microsoft.keyvault":
            found["dbfsRoot"] = (root["keyvaulturi"], root["KeyName"])
        return found

    def identities(self) -> dict[str, str]:
        """Return who asks for the key of each layer."""
        properties = self.body()["properties"]
        return {
            "managedServices": self.azure.facts["identities"]["azure_databricks"]["principal_id"],
            "dbfsRoot": properties["storageAccountIdentity"]["principalId"],
            "managedDisk": properties["managedDiskIdentity"]["principalId"],
        }

    def permissions(self, principal: str) -> dict[str, list[str]]:
        """Return what a policy of the vault lets a principal do, in lower case and sorted."""
        entries = self.azure.vault(self.vault)["properties"]["accessPolicies"]
        (entry,) = [it for it in entries if it["objectId"] == principal]
        return {group: sorted(word.lower() for word in words) for group, words in entry["permissions"].items() if words}

    def roles(self, principal: str) -> list[str]:
        """Return the roles that a principal holds at the vault, by GUID."""
        path = f"{self.vault}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId eq '{principal}'"
        rows = self.azure.arm("GET", path, _AUTHORIZATION).json()["value"]
        return sorted(row["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for row in rows)

    def key_versions(self, name: str) -> int:
        """Return how many versions a key of the vault has."""
        return len(self.azure.arm("GET", f"{self.vault}/keys/{name}/versions", _KEYS).json()["value"])

    def cluster(self) -> dict[str, Any]:
        """Try to start a cluster."""
        answer: dict[str, Any] = self.azure.manage("POST", "/clusters", {"workspace": self.id})
        return answer

    def puts(self) -> list[dict[str, Any]]:
        """Return the writes of the workspace that the writer made, oldest first."""
        return [it for it in self.azure.writes(self.id) if it["caller"] == "writer"]


def key_vault(azure: Client, vault: str, *, rbac: bool = False, region: str = "westeurope", **properties: Any) -> None:
    """Seed a vault for keys: protected, open to nobody yet."""
    name = vault.rsplit("/", 1)[1]
    own = {
        "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        "enableSoftDelete": True, "enablePurgeProtection": True, "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": rbac, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/",
        **properties,
    }  # fmt: skip
    body = {"id": vault, "name": name, "location": region, "tags": {}, "properties": own}
    group = vault.partition("/providers/")[0].split("/")
    azure.put_group(group[2], group[4]).raise_for_status()
    azure.manage("POST", "/seed", {"resources": [body]})


def plain(
    azure: Client, vault: str = WEST, *, region: str = "westeurope", subscription: int = 0, sku: str = "premium",
    tags: dict[str, str] | None = None, **properties: Any,
) -> Plain:  # fmt: skip
    """Write a workspace on platform keys as its owner does, and wait until Azure has made it."""
    at, number = azure.facts["subscriptions"][subscription], next(_NUMBERS)
    azure.put_group(at, "rg-moving").raise_for_status()
    path = f"/subscriptions/{at}/resourceGroups/rg-moving/providers/Microsoft.Databricks/workspaces/dbw-moving-{number}"
    own = {
        "computeMode": "Hybrid",
        "managedResourceGroupId": f"/subscriptions/{at}/resourceGroups/databricks-rg-moving-{number}",
        "publicNetworkAccess": "Enabled",
        "requiredNsgRules": "AllRules",
        "parameters": {"enableNoPublicIp": {"value": True}},
        **properties,
    }
    body = {"location": region, "sku": {"name": sku}, "tags": TAGS if tags is None else tags}
    kept = {name: value for name, value in own.items() if value is not None}
    azure.arm("PUT", path, _WORKSPACES, {**body, "properties": kept}).raise_for_status()
    made = Plain(azure, path, vault)
    until(lambda: made.body()["properties"]["provisioningState"] == "Succeeded", "the workspace")
    return made


def unchanged(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Check that nothing differs but encryption and what Azure itself says of a write."""

    def rest(body: dict[str, Any]) -> dict[str, Any]:
        properties = {name: it for name, it in body["properties"].items() if name not in {*_SERVED, "encryption"}}
        parameters = dict(properties.pop("parameters", None) or {})
        for name in ("encryption", "prepareEncryption"):
            parameters.pop(name, None)
        whole = {name: it for name, it in body.items() if name not in {"properties", "systemData"}}
        return {**whole, "properties": properties, "parameters": parameters}

    was, now = rest(before), rest(after)
    differ = [(name, was.get(name), now.get(name)) for name in was | now if was.get(name) != now.get(name)]
    if differ:
        raise AssertionError(f"changed, and should not be: {differ}")


def check_moved(at: Plain, before: dict[str, Any]) -> None:
    """Check that a workspace is where every road of a migration ends: one key, exactly three permissions, all else as it was."""
    found = (
        set(at.keys()),
        len(set(at.keys().values())),
        [at.permissions(principal) for principal in at.identities().values()],
        len(at.puts()),
    )
    wanted = (set(LAYERS), 1, [{"keys": ["get", "unwrapkey", "wrapkey"]}] * 3, 4)
    if found != wanted:
        raise AssertionError(f"{found} is not {wanted}")
    unchanged(before, at.body())
