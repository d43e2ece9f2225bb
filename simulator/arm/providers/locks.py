"""Management locks, on any scope. What they forbid is checked in the gate, not here."""

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.locks import LOCKS
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.router import ancestors, covers, route

LEVELS = {"cannotdelete": "CanNotDelete", "readonly": "ReadOnly"}


def create(call: Call) -> Answer:
    """PUT: 201 for a new one, 200 otherwise."""
    properties = call.body().get("properties") or {}
    level = LEVELS.get(str(properties.get("level", "")).lower())
    if level is None:
        raise Refused(
            400,
            "LockLevelInvalid",
            f"The lock level '{properties.get('level')}' is invalid. Use 'CanNotDelete' or 'ReadOnly'.",
        )
    existed = call.sim.world.get(call.target.id) is not None
    body: Json = {
        "properties": {**properties, "level": level},
        "id": call.target.path,
        "type": "Microsoft.Authorization/locks",
        "name": call.target.name,
    }
    call.sim.world.put(body)
    return Answer(200 if existed else 201, body, existed=existed)


def delete(call: Call) -> Answer:
    """DELETE: 200, or 204 when there was none (authorization_other.jsonl has both)."""
    gone = call.sim.world.drop(call.target.path)
    return Answer(200 if gone else 204)


def list_locks(call: Call) -> Answer:
    """Locks at a scope: its own, those above it, and those on what is under it."""
    scope = call.target.scope.lower()
    above = set(ancestors(scope))
    found = [
        body
        for body in call.sim.world.of_kind(LOCKS)
        if (where := route(body["id"]).scope.lower()) in above or covers(scope, where)
    ]
    if call.query.get("$filter", "").replace(" ", "").lower() == "atscope()":
        found = [body for body in found if route(body["id"]).scope.lower() in above]
    return page(call, found)


KINDS = (
    Kind(
        "Microsoft.Authorization/locks",
        item={"GET": get, "PUT": create, "DELETE": delete},
        collection={"GET": list_locks},
    ),
)
