"""An estate for the pages: something in every state that a page can show, hostile names among it."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator import world
from simulator.client import Client, until
from tests.migration import NORTH, WEST, Plain, key_vault, plain

# Names that are harmless nowhere but where they are escaped. Azure lets anybody write them into a tag.
HOSTILE = "<script>alert(1)</script> =cmd|' /C calc'!A0 @channel $(reboot) \u202e\x1b[31m"
_GROUP = "rg-pages"


@dataclass(frozen=True, slots=True)
class Scene:
    """What was put there: the workspaces whose migration waits, and rows by what is to be seen of them."""

    used: str  # a vault whose keys are in use
    moving: Plain
    other: Plain
    waiting: dict[str, Any]
    hostile: dict[str, Any]
    resolved: dict[str, Any]
    failed: dict[str, Any]


def scene(azure: Client) -> Scene:
    """Put the estate into an empty local Azure, and wait until the app has judged it."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    azure.manage("POST", "/seed", {"resources": world.estate(azure.facts)})
    key_vault(azure, WEST)
    key_vault(azure, NORTH, rbac=True, region="northeurope")
    moving = plain(azure, WEST)
    other = plain(azure, NORTH, region="northeurope")
    azure.put_group(azure.facts["subscriptions"][0], _GROUP).raise_for_status()
    resolved = _written(azure, "kv-claims-hot")
    hostile = _written(azure, "kv-sandbox-odd", environment="sandbox", owner=HOSTILE)
    locked = _locked(azure, "kv-ledger-lock")
    for it in world.estate(azure.facts):
        is_vault = "/vaults/" in it["id"]
        look_at(azure, it["id"], "on_vault_write" if is_vault else "on_workspace_write")
    return Scene(
        world.vault_id(azure.facts["subscriptions"][0], "kv-claims-cmk"), moving, other, moving.soon("awaiting_approval"), _soon(azure, hostile, "awaiting_approval"),
        _soon(azure, resolved, "resolved"), _soon(azure, locked, "failed"),
    )  # fmt: skip


def _path(azure: Client, name: str) -> str:
    return f"/subscriptions/{azure.facts['subscriptions'][0]}/resourceGroups/{_GROUP}/providers/Microsoft.KeyVault/vaults/{name}"


def _written(azure: Client, name: str, **tags: str) -> str:
    """Write a vault for keys without purge protection, as its owner does; return its id."""
    path = _path(azure, name)
    azure.put_vault(path, {"cmk-vault": "true", **tags}).raise_for_status()
    return path


def _locked(azure: Client, name: str) -> str:
    """Put such a vault there under a lock, and have it looked at."""
    path = _path(azure, name)
    own = {
        "tenantId": azure.facts["tenant"], "sku": {"family": "A", "name": "standard"}, "accessPolicies": [],
        "enableRbacAuthorization": True, "enableSoftDelete": True, "provisioningState": "Succeeded",
        "vaultUri": f"https://{name}.vault.azure.net/",
    }  # fmt: skip
    tags = {"cmk-vault": "true", "owner": "finance@example.com"}
    body = {"id": path, "name": name, "location": "westeurope", "tags": tags, "properties": own}
    azure.manage("POST", "/seed", {"resources": [body]})
    azure.lock(path, "audit-freeze", "ReadOnly").raise_for_status()
    look_at(azure, path, "on_vault_write")
    return path


def look_at(azure: Client, target: str, function: str) -> None:
    """Have a target looked at, as after a write of it."""
    kind = "Microsoft.KeyVault/vaults" if function == "on_vault_write" else "Microsoft.Databricks/workspaces"
    event = {
        "id": uuid.uuid4().hex, "topic": target.split("/resourceGroups/", maxsplit=1)[0], "subject": target,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess", "eventTime": datetime.now(UTC).isoformat(),
        "dataVersion": "2", "metadataVersion": "1",
        "data": {"resourceUri": target, "operationName": f"{kind}/write", "status": "Succeeded"},
    }  # fmt: skip
    azure.send_events(function, [event]).raise_for_status()


def _soon(azure: Client, target: str, state: str) -> dict[str, Any]:
    def row() -> dict[str, Any] | None:
        found = azure.row(target)
        return found if found and found["state"] == state else None

    found: dict[str, Any] = until(row, f"{target} in state {state}", 60)
    return found
