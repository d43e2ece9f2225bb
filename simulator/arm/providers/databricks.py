"""Databricks workspaces: the long PUT, PATCH and DELETE, with the answers that recordings show (AZURE 1.3).

A PUT answers 201 with a partial echo, for updates too; polls answer 202 until it is over. What can be known wrong from
the body is refused at once, what only Key Vault, Storage or another update know fails the operation.
"""

from collections.abc import Callable

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.operations import signed
from simulator.arm.providers import managed_group, workspace, workspace_keys, workspace_rules
from simulator.arm.providers.pages import listed
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.providers.stamps import system_data, who
from simulator.arm.sim import Sim

FIRST_API = "2018-04-01"  # the only one of which a PUT without Azure-AsyncOperation is recorded: an update, 200
CONCURRENT = (
    "ConcurrentUpdateError",
    (  # databricks/terraform-databricks-examples#177
        "Call to Microsoft.Databricks/workspaces failed. Error message: Workspace update could not be completed "
        "because it has been updated by another process."
    ),
)


def read(call: Call) -> Answer:
    """GET: while an operation runs, no more than its first answer told."""
    return Answer(200, workspace.view(call.found(), call.version))


def several(call: Call) -> Answer:
    """GET of a group's or a subscription's workspaces."""
    answer = listed(call)
    answer.body["value"] = [workspace.view(each, call.version) for each in answer.body["value"]]
    return answer


def create(call: Call) -> Answer:
    """PUT: 201 Accepted or Updating, then Succeeded or Failed."""
    sent = call.body()
    old = _settled(call)
    workspace_rules.check(sent, old, call.version)
    by, system = who(call), system_data(call, old)
    done = workspace.made(sent, old, path=call.target.path, by=by, system=system, version=call.version)
    first = workspace.view(workspace.first(sent, done, old, call.version), call.version)
    if call.sim.operations.busy(call.target.id):
        headers = {"Azure-AsyncOperation": _address(call, done, _collide(call, done))}
        return Answer(201, first, headers, quiet=True)
    if old and call.version == FIRST_API:
        call.sim.world.put(done)
        return Answer(200, workspace.view(done, call.version))
    grown = managed_group.grow(call.sim, done)
    why = _trouble(call.sim, grown, old)
    shown = workspace.first(sent, done, old, call.version)
    call.sim.world.put(shown)
    name = _start(call, old, lambda: _end_put(call.sim, grown, old or shown, why))
    return Answer(
        201,
        first,
        {"Azure-AsyncOperation": _address(call, done, name)},
        existed=old is not None,
        quiet=call.sim.knobs.workspace_event == "completed",
    )


def update(call: Call) -> Answer:
    """PATCH: tags only (AZURE 1.1). 200 is recorded with the first api-version; the spec has 202 with both headers."""
    sent, old = call.body(), _settled(call)
    if old is None:
        raise call.missing()
    body = {**old, "tags": sent["tags"]} if isinstance(sent.get("tags"), dict) else old
    body = {**body, "systemData": system_data(call, old)}
    if call.version == FIRST_API:
        call.sim.world.put(body)
        return Answer(200, workspace.view(body, call.version))
    busy = call.sim.operations.busy(call.target.id)
    if busy:
        name = _collide(call, old)
    else:
        call.sim.world.put(_in_state(old, "Updating"))
        name = _start(call, old, lambda: _end_patch(call.sim, body))
    headers = {"Azure-AsyncOperation": _address(call, old, name), "Location": _address(call, old, name)}
    return Answer(202, headers=headers, quiet=busy or call.sim.knobs.workspace_event == "completed")


def delete(call: Call) -> Answer:
    """DELETE: 202 with a Location only; 204 when there was none."""
    old = _settled(call)
    if old is None:
        return Answer(204)
    busy = call.sim.operations.busy(call.target.id)
    if busy:
        name = _collide(call, old)
    else:
        call.sim.world.put(_in_state(old, "Deleting"))
        name = _start(call, old, lambda: _end_delete(call.sim, old))
    quiet = busy or call.sim.knobs.workspace_event == "completed"
    return Answer(202, headers={"Location": _address(call, old, name)}, quiet=quiet)


def poll(call: Call) -> Answer:
    """GET of an operation: 202 Accepted until it is over, then 200 with how it ended (AZURE 1.3)."""
    operation = call.sim.operations.get(call.target.name)
    if operation is None:
        raise Refused(404, "OperationNotFound", f"The operation '{call.target.name}' was not found.")
    if operation.status == "Accepted":
        return Answer(202, {"status": "Accepted"}, {"Location": signed(call.base, call.target.path, call.version)})
    body: Json = {"status": operation.status}
    return Answer(200, {**body, "error": operation.error} if operation.error else body)


def tear_down(sim: Sim, body: Json) -> None:
    """Take a workspace away, and its managed group with it."""
    managed_group.clear(sim, body)
    sim.world.drop(str(body["id"]))


def _settled(call: Call) -> Json | None:
    """The workspace as it is outside of any running operation."""
    if call.sim.operations.busy(call.target.id):
        return call.sim.operations.before(call.target.id) or call.sim.world.get(call.target.id)
    return call.sim.world.get(call.target.id)


def _trouble(sim: Sim, grown: Json, old: Json | None) -> str:
    """Why the operation will fail: looked at when it starts, so a grant must be there by then."""
    was = workspace.properties(old)
    unborn = old is None or (was.get("provisioningState") == "Failed" and not was.get("workspaceId"))
    if unborn and managed_group.taken(sim, grown):
        group = workspace.properties(grown)["managedResourceGroupId"]  # pulumi/pulumi-azure-native#3643
        return (
            f"The managed resource group '{group}' already exists. "
            "Please specify a new non-existent managed resource group"
        )
    if unborn and not workspace.is_serverless(grown):
        managed_group.claim(sim, grown)
    why = workspace_keys.failure(sim, grown)
    if why and not unborn:  # Azure/azure-powershell#22463
        return f"Unable to perform update operation for the workspace : '{grown['id']}' failed : '{why}'."
    return why


def _start(call: Call, before: Json | None, finish: Callable[[], Json | None]) -> str:
    """Begin the operation that owns the workspace, and announce its end if that is wanted."""
    existed = before is not None
    knobs = call.sim.knobs

    def end() -> Json | None:
        error = finish()
        if error is None and knobs.workspace_event in {"completed", "both"}:
            call.announce(existed)
        if error is not None:
            call.announce(existed, "Failure")
        return error

    return call.sim.operations.begin(call.target.path, knobs.workspace_seconds, end, before)


def _end_put(sim: Sim, grown: Json, before: Json, why: str) -> Json | None:
    """What a PUT leaves behind. After a failure the workspace stays Failed (Azure/azure-powershell#21324)."""
    if sim.world.get(str(grown["id"])) is None:
        return _error("ResourceNotFound", "The workspace was deleted meanwhile.")
    if why:
        sim.world.put(_in_state(before, "Failed"))
        return _error("ApplianceProvisioningFailed", why)
    managed_group.fill(sim, grown)
    sim.world.put(grown)
    return None


def _end_patch(sim: Sim, body: Json) -> Json | None:
    if sim.world.get(str(body["id"])) is None:
        return _error("ResourceNotFound", "The workspace was deleted meanwhile.")
    sim.world.put(body)
    return None


def _end_delete(sim: Sim, body: Json) -> Json | None:
    tear_down(sim, body)
    return None


def _collide(call: Call, body: Json) -> str:
    """An operation for whoever comes while another one owns the workspace: it fails, the other goes on."""
    seconds = call.sim.knobs.workspace_seconds
    return call.sim.operations.beside(str(body["id"]), seconds, lambda: _error(*CONCURRENT))


def _error(code: str, message: str) -> Json:
    return {"code": code, "message": message, "details": []}


def _in_state(body: Json, state: str) -> Json:
    return {**body, "properties": {**workspace.properties(body), "provisioningState": state}}


def _address(call: Call, body: Json, name: str) -> str:
    """Where to ask for an operation: under the workspace's group, in the workspace's region."""
    target = call.target
    group = f"/subscriptions/{target.subscription}/resourceGroups/{target.group}"
    place = workspace.region(str(body.get("location") or "global"))
    path = f"{group}/providers/Microsoft.Databricks/locations/{place}/operationStatuses/{name}"
    return signed(call.base, path, call.version)


KINDS = (
    Kind(
        workspace.TYPE,
        item={"GET": read, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": several},
    ),
    Kind("Microsoft.Databricks/locations/operationStatuses", item={"GET": poll}),
)
