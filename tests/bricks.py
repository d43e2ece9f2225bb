"""An Azure of workspaces and keys for pure tests, which obeys the writes of the product. Written from AZURE 1 and 2.3.

A PUT replaces the whole workspace and what it leaves out is gone; preparing brings one identity, disks bring the other;
a key that is there already is handed back untouched.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.access import TENANT

_SERVED = ("workspaceId", "storageAccountIdentity", "managedDiskIdentity", "diskEncryptionSetId", "provisioningState")


def identity(of: str, what: str) -> dict[str, str]:
    """Return the identity that Azure makes for a workspace."""
    return {
        "principalId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what} of {of.lower()}")),
        "tenantId": TENANT,
        "type": "SystemAssigned",
    }


def put_workspace(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workspace after a PUT. Raises AssertionError where Azure would refuse it."""
    properties = json.loads(json.dumps(sent["properties"]))
    kept = {name: before["properties"][name] for name in _SERVED if name in before["properties"]}
    kept["provisioningState"] = "Succeeded"
    had = (before["properties"].get("encryption") or {}).get("entities") or {}
    has = (properties.get("encryption") or {}).get("entities") or {}
    assert set(had) <= set(has), f"400: existing encryption must be sent again: {set(had) - set(has)}"
    parameters = properties.get("parameters") or {}
    if (parameters.get("prepareEncryption") or {}).get("value"):
        kept.setdefault("storageAccountIdentity", identity(before["id"], "storage"))
    if "encryption" in parameters:
        assert "storageAccountIdentity" in kept, "the storage account has no identity yet"
    if "managedDisk" in has:
        kept.setdefault("managedDiskIdentity", identity(before["id"], "disks"))
        kept.setdefault("diskEncryptionSetId", f"{before['id']}/des")
    whole = {"id": before["id"], "location": sent["location"], "sku": sent["sku"], "tags": sent.get("tags", {})}
    return {**whole, "properties": {**properties, **kept}}


def put_key(before: Mapping[str, Any] | None, path: str, sent: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the key after a PUT: the one that is there, or a new one."""
    if before is not None:
        return dict(before)
    vault, name = path.rsplit("/", 3)[1], path.rsplit("/", 1)[1]
    return key_body(path, vault, name, now, **sent["properties"])


def key_body(
    path: str, vault: str, name: str, created: datetime, version: str = "", **properties: Any
) -> dict[str, Any]:
    """Return a key's body."""
    at = version or uuid.uuid5(uuid.NAMESPACE_URL, path).hex
    attributes = {"enabled": True, "created": int(created.timestamp()), **properties.pop("attributes", {})}
    own = {"kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"], **properties}
    address = f"https://{vault}.vault.azure.net:443/keys/{name}/{at}"
    return {"id": path, "name": name, "properties": {**own, "attributes": attributes, "keyUriWithVersion": address}}
