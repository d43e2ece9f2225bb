"""Soft-deleted vaults: what a vault takes into its grave, how it comes back, and how it goes for good.

Keys go with it and come back with it; role assignments are gone for good (AZURE 0, hazard 7). While it lies there its
name is taken and does not resolve. At the end of the retention period it is destroyed, as by a purge.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route
from simulator.arm.sim import Sim

DAY = 86_400


def bury(sim: Sim, vault: Json) -> None:
    """Keep a vault and its keys before it is dropped; without soft delete nothing is kept."""
    properties = vault.get("properties") or {}
    if not properties.get("enableSoftDelete"):
        sim.keys.destroy(vault["id"])
        return
    now = datetime.now(UTC)
    days = int(properties.get("softDeleteRetentionInDays") or 90)
    target = route(vault["id"])
    where = f"/subscriptions/{target.subscription}/providers/Microsoft.KeyVault"
    shown: Json = {
        "vaultId": vault["id"],
        "location": vault.get("location"),
        "tags": vault.get("tags") or {},
        "deletionDate": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "scheduledPurgeDate": f"{now + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
    }
    if properties.get("enablePurgeProtection"):
        shown["purgeProtectionEnabled"] = True
    grave: Json = {
        "vault": vault,
        "keys": sim.keys.contents(vault["id"]),
        "shown": {
            "id": f"{where}/locations/{vault.get('location')}/deletedVaults/{target.name}",
            "name": target.name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": shown,
        },
    }
    sim.world.deleted[fold(target.name)] = grave
    sim.clock.later(days * DAY, lambda: _destroy(sim, fold(target.name), grave))


def unearth(call: Call) -> Json:
    """Take a vault out of its grave: returns its body, and puts its keys back."""
    grave = _grave(call, call.target.name)
    del call.sim.world.deleted[fold(call.target.name)]
    for body in reversed(grave["keys"]):
        call.sim.world.put(body)
    vault: Json = grave["vault"]
    return vault


def read_deleted(call: Call) -> Answer:
    """GET of one deleted vault."""
    return Answer(200, _grave(call, call.target.name)["shown"])


def list_deleted(call: Call) -> Answer:
    """Deleted vaults of the subscription, by name."""
    start = fold(f"/subscriptions/{call.target.subscription}/")
    rows = [each["shown"] for _, each in sorted(call.sim.world.deleted.items())]
    return page(call, [row for row in rows if fold(row["id"]).startswith(start)], trailing=True)


def purge(call: Call) -> Answer:
    """POST …/purge: 202, and after a while the name is free again; refused under purge protection."""
    name = call.target.names[-1]
    grave = _grave(call, name)
    if grave["shown"]["properties"].get("purgeProtectionEnabled"):
        # MicrosoftDocs/azure-docs#55427
        raise Refused(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
    mark = uuid.uuid4().hex.upper()
    call.sim.world.operations[mark] = {"createdDateTime": _moment(), "status": "NotStarted"}
    call.sim.clock.later(call.sim.knobs.purge_seconds, lambda: _finish(call.sim, mark, fold(name), grave))
    where = call.target.path.partition("/deletedVaults/")[0]
    return Answer(202, headers={"Location": f"{call.base}{where}/operationResults/{mark}?api-version={call.version}"})


def read_operation(call: Call) -> Answer:
    """GET of how far a purge is: 202 with its own address, then 200 (keyvault_other.jsonl)."""
    state = call.sim.world.operations.get(call.target.name)
    if state is None:
        raise Refused(404, "OperationNotFound", f"The operation '{call.target.name}' was not found.")
    if state["status"] == "Succeeded":
        return Answer(200, state)
    return Answer(202, state, {"Location": f"{call.base}{call.target.path}?api-version={call.version}"})


def _finish(sim: Sim, mark: str, name: str, grave: Json) -> None:
    _destroy(sim, name, grave)
    done = {"lastActionDateTime": _moment(), "status": "Succeeded"}
    sim.world.operations[mark] = {**sim.world.operations[mark], **done}


def _destroy(sim: Sim, name: str, grave: Json) -> None:
    """Unless the vault was recovered meanwhile, or purged and buried anew."""
    if sim.world.deleted.get(name) is grave:
        del sim.world.deleted[name]
        sim.keys.destroy(grave["vault"]["id"])


def _grave(call: Call, name: str) -> Any:
    grave = call.sim.world.deleted.get(fold(name))
    start = fold(f"/subscriptions/{call.target.subscription}/")
    if grave is None or not fold(grave["shown"]["id"]).startswith(start):
        raise Refused(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")
    return grave


def _moment() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"


KINDS = (
    Kind("Microsoft.KeyVault/deletedVaults", collection={"GET": list_deleted}),
    Kind("Microsoft.KeyVault/locations/deletedVaults", item={"GET": read_deleted}),
    Kind("Microsoft.KeyVault/locations/deletedVaults/purge", collection={"POST": purge}),
    Kind("Microsoft.KeyVault/locations/operationResults", item={"GET": read_operation}),
)
