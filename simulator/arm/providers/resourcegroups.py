"""Resource groups: the scope that everything else lies in.

Deleting one deletes what is in it, soft-deletes its vaults, and says so with an event for each.
"""

from simulator.arm.answer import Answer, no_group
from simulator.arm.providers import deletedvaults
from simulator.arm.providers.pages import listed
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import route
from simulator.arm.vaultnames import VAULTS
from simulator.arm.world import group_body


def read(call: Call) -> Answer:
    """GET."""
    body = call.sim.world.get(call.target.id)
    if body is None:
        raise no_group(call.target.group)
    return Answer(200, body)


def exists(call: Call) -> Answer:
    """HEAD: 204 or 404, both without a body (azure-mgmt-resource, ResourceGroups.check_existence)."""
    return Answer(204 if call.sim.world.get(call.target.id) else 404)


def create(call: Call) -> Answer:
    """PUT: 201 for a new one, 200 for one that was there."""
    sent, target = call.body(), call.target
    old = call.sim.world.get(target.id)
    name = old["name"] if old else target.name
    location = old["location"] if old else str(sent.get("location", "westeurope"))
    body = group_body(target.subscription, name, location, sent.get("tags"))
    call.sim.world.put(body)
    return Answer(200 if old else 201, body, existed=old is not None)


def delete(call: Call) -> Answer:
    """DELETE, at once. Azure takes minutes over it and answers 202."""
    world, target = call.sim.world, call.target
    if world.get(target.id) is None:
        raise no_group(target.group)
    for vault in [body for body in world.below(target.id + "/") if route(body["id"]).kind == VAULTS]:
        deletedvaults.bury(call.sim, vault)
    gone = world.drop(target.path)
    also = tuple((f"{route(each).type}/delete", each) for each in gone if route(each).id != target.id)
    return Answer(200, also=also)


KINDS = (
    Kind(
        "Microsoft.Resources/subscriptions/resourceGroups",
        item={"GET": read, "HEAD": exists, "PUT": create, "DELETE": delete},
        collection={"GET": listed},
    ),
)
