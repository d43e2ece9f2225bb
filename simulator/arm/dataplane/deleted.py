"""Deleted keys: a key goes to its grave and back, or for good. Both are done at once; Azure takes seconds."""

from simulator.arm.answer import Answer, Json
from simulator.arm.dataplane import shapes, texts
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.keystore import Grave
from simulator.arm.keyuse import place


async def delete(call: VaultCall) -> Answer:
    """DELETE of a key with all its versions; without soft delete it is destroyed and the answer is the bare key."""
    call.need("delete")
    key = call.key()
    shown = await call.bundle(key)
    days = shapes.level(call.vault)[1]
    if not days:
        call.sim.world.drop(key["id"])
        call.sim.keys.purge(key["id"])
        return Answer(200, shown)
    return Answer(200, {**shapes.buried(call.sim.keys.bury(key, days)), **shown})


async def read(call: VaultCall) -> Answer:
    """GET of a deleted key."""
    call.need("get")
    grave = _grave(call)
    return Answer(200, {**shapes.buried(grave), **await call.bundle(grave.bodies[0])})


async def list_deleted(call: VaultCall) -> Answer:
    """GET of all deleted keys."""
    call.need("list")
    return call.page([_row(call, each) for each in call.sim.keys.graves(call.vault["id"])])


async def recover(call: VaultCall) -> Answer:
    """POST …/recover: the key as it was, with all versions."""
    call.need("recover")
    _grave(call)
    return Answer(200, await call.bundle(call.sim.keys.recover(call.key_id)))


async def purge(call: VaultCall) -> Answer:
    """DELETE of a deleted key: 204, or 403 under purge protection."""
    call.need("purge")
    _grave(call)
    if (call.vault.get("properties") or {}).get("enablePurgeProtection"):
        raise texts.protected(place(call.vault))
    call.sim.keys.purge(call.key_id)
    return Answer(204)


def _grave(call: VaultCall) -> Grave:
    grave = call.sim.keys.grave(call.key_id)
    if grave is None:
        raise texts.no_deleted_key(call.name)
    return grave


def _row(call: VaultCall, grave: Grave) -> Json:
    row = shapes.row(grave.bodies[0], call.vault, call.version, with_version=False)
    return {**shapes.buried(grave), **row}
