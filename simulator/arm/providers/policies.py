"""Access policies of a vault: add merges, replace sets one entry, remove takes away (AZURE 2.2).

An entry belongs to (tenant, object id, application id). The answer is no vault but the entries that resulted.
"""

from simulator.arm.answer import Answer, Json, Refused, no_resource
from simulator.arm.providers.shape import Call
from simulator.arm.providers.vault import check_policies
from simulator.arm.providers.vaultevents import access_changed
from simulator.arm.router import fold

GROUPS = ("keys", "secrets", "certificates", "storage")
Key = tuple[str, str, str]


def change(call: Call) -> Answer:
    """PUT …/vaults/{vault}/accessPolicies/{add|replace|remove}."""
    vault_id = call.target.path.rsplit("/", 2)[0]
    vault = call.sim.world.get(vault_id)
    if vault is None:
        raise no_resource("Microsoft.KeyVault/vaults", call.target.names[0], call.target.group)
    sent = (call.body().get("properties") or {}).get("accessPolicies")
    check_policies(sent)
    verb = fold(call.target.name)
    if verb not in {"add", "replace", "remove"}:
        raise Refused(400, "BadRequest", f"The operation '{call.target.name}' is none of add, replace, remove.")
    properties = vault.get("properties") or {}
    held: dict[Key, Json] = {}
    for entry in properties.get("accessPolicies") or []:
        held.setdefault(_key(entry), entry)
    touched = []
    for entry in sent or []:
        key = _key(entry)
        touched.append(key)
        made = _changed(held.get(key), entry, verb)
        if made is None:
            held.pop(key, None)
        else:
            held[key] = made
    body = {**vault, "properties": {**properties, "accessPolicies": list(held.values())}}
    call.sim.world.put(body)
    access_changed(call.sim, vault, body)
    return Answer(
        200,
        {
            "id": f"{vault_id}/accessPolicies/",
            "type": "Microsoft.KeyVault/vaults/accessPolicies",
            "properties": {"accessPolicies": [held[key] for key in dict.fromkeys(touched) if key in held]},
        },
    )


def _key(entry: Json) -> Key:
    return (
        fold(str(entry.get("tenantId") or "")),
        fold(str(entry.get("objectId") or "")),
        fold(str(entry.get("applicationId") or "")),
    )


def _changed(old: Json | None, sent: Json, verb: str) -> Json | None:
    """The entry afterwards; None when nothing of it is left."""
    if verb == "replace" or (verb == "add" and old is None):
        return sent
    if old is None:
        return None
    had, named = old.get("permissions") or {}, sent["permissions"]
    if verb == "add":
        return {
            **old,
            "permissions": {group: _merged(had, named, group) for group in GROUPS if group in {*had, *named}},
        }
    if not any(named.get(group) for group in GROUPS):
        return None
    left = {group: _without(had.get(group) or [], named.get(group) or []) for group in had}
    return {**old, "permissions": left} if any(left.values()) else None


def _merged(had: Json, named: Json, group: str) -> list[str]:
    """Those it had, in their casing, then the new ones."""
    old = list(had.get(group) or [])
    return old + _without(named.get(group) or [], old)


def _without(some: list[str], others: list[str]) -> list[str]:
    gone = {fold(each) for each in others}
    return [each for each in some if fold(each) not in gone]
