"""Resource groups: the scope that everything else lies in.

Deleting one is a long operation: 202 with a Location that answers 202 until it is over. What was in it is deleted with it,
vaults are soft-deleted, and each thing that goes has an event.
"""

import base64
import json

from simulator.arm.answer import Answer, Json, Refused, no_group
from simulator.arm.providers import deletedvaults, managed_group, workspace
from simulator.arm.providers.odata import bad_filter, conditions, has_tag
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import Target, route
from simulator.arm.sim import Sim
from simulator.arm.vaultnames import VAULTS
from simulator.arm.world import GROUP, group_body

RETRY_AFTER = "15"  # seconds, as ARM says while a group goes (recorded by Azure/azure-xplat-cli)


def read(call: Call) -> Answer:
    """GET."""
    return Answer(200, _found(call))


def exists(call: Call) -> Answer:
    """HEAD: 204 when it is there, 404 when not, and no body either way (arm_errors.jsonl has the 404)."""
    if call.sim.world.get(call.target.id) is None:
        raise no_group(call.target.group)
    return Answer(204)


def create(call: Call) -> Answer:
    """PUT: 201 for a new one, 200 for one that was there."""
    sent, target = call.body(), call.target
    old = call.sim.world.get(target.id)
    if old and sent.get("location") and _squeezed(sent["location"]) != _squeezed(old["location"]):
        raise _elsewhere(old, sent)
    name = old["name"] if old else target.name
    location = old["location"] if old else str(sent.get("location", "westeurope"))
    body = group_body(target.subscription, name, location, sent.get("tags"))
    call.sim.world.put(body)
    return Answer(200 if old else 201, body, existed=old is not None)


def update(call: Call) -> Answer:
    """PATCH: tags, all at once."""
    sent, old = call.body(), _found(call)
    body = {**old, "tags": sent["tags"]} if isinstance(sent.get("tags"), dict) else old
    call.sim.world.put(body)
    return Answer(200, body)


def delete(call: Call) -> Answer:
    """DELETE: 202; it is gone when the Location answers 200."""
    old, target, sim = _found(call), call.target, call.sim
    token = _token(target.name, str(old.get("location", "")))
    sim.world.operations[token] = {"status": "Running"}
    sim.world.put({**old, "properties": {"provisioningState": "Deleting"}})

    def finish() -> None:
        for each in _gone(sim, target):
            call.tell(f"{route(each).type}/delete", each)
        call.announce(True)
        sim.world.operations[token] = {"status": "Succeeded"}

    sim.clock.later(sim.knobs.group_seconds, finish)
    where = f"{call.base}/subscriptions/{target.subscription}/operationresults/{token}?api-version={call.version}"
    return Answer(202, headers={"Location": where, "Retry-After": RETRY_AFTER}, quiet=True)


def poll(call: Call) -> Answer:
    """GET of the Location: 202 with itself while the group goes, then 200 without a body."""
    state = call.sim.world.operations.get(call.target.name)
    if state is None:
        raise Refused(404, "JobNotFound", f"The operation '{call.target.name}' could not be found.")
    if state["status"] == "Running":
        where = f"{call.base}{call.target.path}?api-version={call.version}"
        return Answer(202, headers={"Location": where, "Retry-After": RETRY_AFTER})
    return Answer(200)


def list_groups(call: Call) -> Answer:
    """Those of the subscription; `$filter` knows tags, as ARM does."""
    target = call.target
    ids = call.sim.world.ids(GROUP, target.subscription, f"/subscriptions/{target.subscription}/")
    bodies = [body for each in ids if (body := call.sim.world.get(each))]
    return page(call, [body for body in bodies if has_tag(body, _wanted(call))])


def _wanted(call: Call) -> dict[str, str]:
    text = call.query.get("$filter", "")
    found = conditions(text)
    if set(found) - {"tagname", "tagvalue"} or ("tagvalue" in found and "tagname" not in found):
        raise bad_filter(text)
    return found


def _found(call: Call) -> Json:
    body = call.sim.world.get(call.target.id)
    if body is None:
        raise no_group(call.target.group)
    return body


def _gone(sim: Sim, target: Target) -> list[str]:
    """Take the group and all in it away; the ids of what was in it."""
    for vault in [body for body in sim.world.below(target.id + "/") if route(body["id"]).kind == VAULTS]:
        deletedvaults.bury(sim, vault)
    for body in [body for body in sim.world.below(target.id + "/") if route(body["id"]).kind == workspace.TYPE.lower()]:
        managed_group.clear(sim, body)
    return [each for each in sim.world.drop(target.path) if route(each).id != target.id]


def _token(name: str, location: str) -> str:
    """The operation's name: base64 of what the job is called, without padding (recorded by Azure/azure-xplat-cli)."""
    job = {"jobId": f"RESOURCEGROUPDELETIONJOB-{name.upper()}-{location.upper()}", "jobLocation": location}
    return base64.urlsafe_b64encode(json.dumps(job, separators=(",", ":")).encode()).decode().rstrip("=")


def _elsewhere(old: Json, sent: Json) -> Refused:
    return Refused(
        409,
        "InvalidResourceGroupLocation",
        f"Invalid resource group location '{sent['location']}'. "
        f"The Resource group already exists in location '{old['location']}'.",
    )


def _squeezed(location: str) -> str:
    return str(location).replace(" ", "").lower()


KINDS = (
    Kind(
        "Microsoft.Resources/subscriptions/resourceGroups",
        item={"GET": read, "HEAD": exists, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": list_groups},
    ),
    Kind("Microsoft.Resources/subscriptions/operationresults", item={"GET": poll}, verbs={"GET": ""}),
)
