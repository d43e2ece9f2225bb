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


def stand_in(row: Interaction, tenant: str, oid: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A vault of that name which lets the caller do everything with keys: the recording does not show the real one."""
    name = row.host.split(".")[0]
    keys = [shown for handle_, shown in known.items() if handle_.startswith(f"{row.host}/".lower())]
    levels = {str(shown["attributes"].get("recoveryLevel")) for shown in keys}
    days = 7 if any(level.startswith("Customized") for level in levels) else 90
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
            "softDeleteRetentionInDays": days,
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


def seeded(kid: str, shown: dict[str, Any], vault_id: str) -> list[dict[str, Any]]:
    """A key in the form of Resource Manager, and its version where that is known."""
    host, _, rest = kid.partition("/keys/")
    name, _, version = rest.strip("/").partition("/")
    names = {"kty": "kty", "key_ops": "keyOps", "crv": "curveName"}
    properties = {own: shown[name] for name, own in names.items() if shown.get(name)}
    kept = ("enabled", "nbf", "exp", "created", "updated", "exportable")
    properties["attributes"] = {name: value for name, value in shown["attributes"].items() if name in kept}
    if version:
        properties["keyUriWithVersion"] = f"{host}:443/keys/{name}/{version}"
    kind = "Microsoft.KeyVault/vaults/keys"
    body = {"id": f"{vault_id}/keys/{name}", "type": kind, "properties": properties}
    if shown.get("tags") is not None:
        body["tags"] = shown["tags"]
    if not version:
        return [body]
    where = f"{vault_id}/keys/{name}/versions/{version}"
    return [{**body, "id": where, "name": version, "type": f"{kind}/versions"}, body]


def fullest(rows: Iterable[Interaction]) -> dict[str, dict[str, Any]]:
    """The first body that shows a key with its material, by host and name; what a list shows is less."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for shown in shown_keys(row) if row.is_data_plane else []:
            if shown.get("kty"):
                found.setdefault(handle(row, shown), shown)
    return found


def handle(row: Interaction, shown: dict[str, Any]) -> str:
    """Host and name of a key."""
    return f"{row.host}/{shown['kid'].partition('/keys/')[2].split('/', 1)[0]}".lower()


def with_policy(row: Interaction, known: dict[str, dict[str, Any]], vault_id: str) -> list[dict[str, Any]]:
    """The key whose rotation policy is read, with the policy that was shown."""
    name = row.path.strip("/").split("/")[1]
    shown = known.get(f"{row.host}/{name}".lower(), {"attributes": {"enabled": True}})
    bodies = seeded(shown.get("kid") or f"https://{row.host}/keys/{name}", shown, vault_id)
    policy = {field: value for field, value in row.body.items() if field != "id"}
    bodies[-1]["properties"]["rotationPolicy"] = policy
    return bodies
