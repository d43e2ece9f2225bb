"""Management groups, to be read: seed them with `properties.details.parent.id`, and subscriptions as their children.

A role at one reaches the subscriptions in it; which those are says simulator/arm/tree.py.
"""

from simulator.arm.answer import Answer, Json, Refused, not_allowed
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold
from simulator.arm.tree import MANAGEMENT_GROUPS

TYPE = "Microsoft.Management/managementGroups"


def read(call: Call) -> Answer:
    """GET; the root is always there."""
    if not _may_read(call, call.target.path):
        raise not_allowed(call.caller.shown, call.caller.oid, f"{TYPE}/read", call.target.path)
    for body in _all(call):
        if fold(str(body["id"])) == call.target.id:
            return Answer(200, body)
    raise Refused(404, "NotFound", f"The management group '{call.target.name}' could not be found.")


def list_groups(call: Call) -> Answer:
    """Those in which the caller may read: no right of its own is asked for."""
    return page(call, [each for each in _all(call) if _may_read(call, str(each["id"]))])


def _may_read(call: Call, scope: str) -> bool:
    return call.sim.access.find(call.caller.oid, f"{TYPE}/read", scope) is not None


def _all(call: Call) -> list[Json]:
    """The seeded ones, and the root in front when nobody seeded it."""
    found = list(call.sim.world.of_kind(MANAGEMENT_GROUPS))
    root, tenant = call.sim.config.root, call.sim.config.tenant
    if call.sim.world.get(root) is None:
        properties = {"tenantId": tenant, "displayName": "Tenant Root Group"}
        found.insert(0, {"id": root, "type": TYPE, "name": tenant, "properties": properties})
    return found


KINDS = (
    Kind(
        TYPE,
        item={"GET": read},
        collection={"GET": list_groups},
        verbs={"GET": ""},
    ),
)
