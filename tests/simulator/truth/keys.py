"""Vaults and keys that a recorded call to a vault takes for granted, in the form in which they are seeded."""

from collections.abc import Iterable
from typing import Any

from tests.simulator.truth.recordings import Interaction

EVERY_KEY_RIGHT = {"keys": ["all", "purge"]}


def vault_of(row: Interaction, bodies: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The recorded body of the vault that a data-plane call goes to, if any answer shows it."""
    name = row.host.split(".")[0].lower()
    for body in bodies:
        where = str(body["id"]).lower()
        if where.endswith(f"/microsoft.keyvault/vaults/{name}"):
            return body
    return None


def stand_in(row: Interaction, tenant: str, oid: str) -> dict[str, Any]:
    """A vault of that name which lets the caller do everything with keys: the recording does not show the real one."""
    name = row.host.split(".")[0]
    where = f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/unrecorded/providers/Microsoft.KeyVault/vaults/{name}"
    return {
        "id": where,
        "name": name,
        "type": "Microsoft.KeyVault/vaults",
        "location": "westus",
        "properties": {
            "tenantId": tenant,
            "sku": {"family": "A", "name": "premium"},
            "accessPolicies": [{"tenantId": tenant, "objectId": oid, "permissions": EVERY_KEY_RIGHT}],
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "vaultUri": f"https://{name}.vault.azure.net/",
            "provisioningState": "Succeeded",
        },
    }


def shown_keys(row: Interaction) -> list[dict[str, Any]]:
    """The keys that an answer of a vault shows, as (kid, what is known of it)."""
    body = row.body if isinstance(row.body, dict) and row.status == 200 else {}
    if isinstance(body.get("key"), dict):
        return [{**body["key"], "attributes": body.get("attributes") or {}, "tags": body.get("tags")}]
    return [item for item in body.get("value") or [] if isinstance(item, dict) and item.get("kid")]


def seeded(kid: str, shown: dict[str, Any], vault_id: str) -> dict[str, Any]:
    """A key in the form of Resource Manager."""
    parts = kid.split("/keys/")[1].strip("/").split("/")
    names = {"kty": "kty", "key_ops": "keyOps", "crv": "curveName"}
    properties = {own: shown[name] for name, own in names.items() if shown.get(name)}
    kept = ("enabled", "nbf", "exp", "created", "updated", "exportable")
    properties["attributes"] = {name: value for name, value in shown["attributes"].items() if name in kept}
    if len(parts) > 1:
        properties["keyUriWithVersion"] = f"{kid.split('/keys/')[0]}:443/keys/{'/'.join(parts)}"
    body = {"id": f"{vault_id}/keys/{parts[0]}", "type": "Microsoft.KeyVault/vaults/keys", "properties": properties}
    return {**body, "tags": shown["tags"]} if shown.get("tags") else body
