"""The network side of a workspace, as far as it was recorded: private links, peerings, outbound endpoints.

Sources: databricks_other.jsonl, and for outbound endpoints the example in openapi (2024-05-01). Nothing here touches a
real network: the other side of a peering or of a private endpoint is never asked.
"""

from collections.abc import Callable

from simulator.arm.answer import Answer, Json, no_resource
from simulator.arm.operations import signed
from simulator.arm.providers import workspace
from simulator.arm.providers.pages import ids, page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold

CONNECTIONS = "Microsoft.Databricks/workspaces/privateEndpointConnections"
LINKS = "Microsoft.Databricks/workspaces/privateLinkResources"
PEERINGS = "Microsoft.Databricks/workspaces/virtualNetworkPeerings"
OUTBOUND = "Microsoft.Databricks/workspaces/outboundNetworkDependenciesEndpoints"
PLAIN = {"Content-Type": "application/json"}
UNSET = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
}


def _owner(call: Call) -> Json:
    """The workspace in the path; 404 where there is none."""
    target = call.target
    owner = call.sim.world.get(f"{target.scope}/providers/{workspace.TYPE}/{target.names[0]}")
    if owner is None:
        raise no_resource(workspace.TYPE, target.names[0], target.group)
    return owner


def _children(call: Call) -> list[Json]:
    """What is stored of the asked kind under this workspace."""
    owner = fold(str(_owner(call)["id"]))
    bodies = [call.sim.world.get(each) for each in ids(call, call.target.kind) if each.startswith(owner + "/")]
    return [body for body in bodies if body is not None]


def _listed(call: Call) -> Answer:
    return page(call, _children(call))


def _connection(call: Call) -> Json | None:
    """A private endpoint connection answers to its short name, its id carries a GUID behind it (databricks_other)."""
    wanted = fold(call.target.name)
    for body in _children(call):
        last = fold(str(body["id"]).rsplit("/", 1)[-1])
        if wanted in {last, last.partition(".")[0]}:
            return body
    return None


def read_connection(call: Call) -> Answer:
    """GET."""
    body = _connection(call)
    if body is None:
        raise call.missing()
    return Answer(200, body)


def decide_connection(call: Call) -> Answer:
    """PUT: approve or reject; 202 with both headers and the state as it still is."""
    sent = call.body()
    old = _connection(call)
    if old is None:
        raise call.missing()
    wanted = (sent.get("properties") or {}).get("privateLinkServiceConnectionState") or {}
    had = workspace.properties(old)
    state = {"actionsRequired": "None", **(had.get("privateLinkServiceConnectionState") or {}), **wanted}
    done = {**had, "privateLinkServiceConnectionState": state, "provisioningState": "Succeeded"}
    return _later(call, old, "Updating", lambda: call.sim.world.put({**old, "properties": done}))


def delete_connection(call: Call) -> Answer:
    """DELETE: 202 with both headers and a body that is Deleting."""
    old = _connection(call)
    if old is None:
        return Answer(204)
    return _later(call, old, "Deleting", lambda: call.sim.world.drop(str(old["id"])))


def _later(call: Call, old: Json, state: str, act: Callable[[], object]) -> Answer:
    going = {**old, "properties": {**workspace.properties(old), "provisioningState": state}}
    call.sim.world.put(going)

    def finish() -> Json | None:
        act()
        return None

    name = call.sim.operations.beside(str(old["id"]), call.sim.knobs.workspace_seconds, finish)
    place = workspace.region(str(_owner(call).get("location") or "global"))
    path = f"{call.target.scope}/providers/Microsoft.Databricks/locations/{place}/operationStatuses/{name}"
    headers = {
        "Azure-AsyncOperation": signed(call.base, path, call.version),
        "Location": signed(call.base, path, call.version),
    }
    return Answer(202, going, headers)


def links(call: Call) -> Answer:
    """GET of the sub-resources that a private endpoint can reach."""
    return Answer(200, {"value": _links(_owner(call))})


def link(call: Call) -> Answer:
    """GET of one of them."""
    for each in _links(_owner(call)):
        if fold(each["name"]) == fold(call.target.name):
            return Answer(200, each)
    raise call.missing()


def _links(owner: Json) -> list[Json]:
    place = workspace.region(str(owner.get("location") or ""))
    members = {"databricks_ui_api": ["databricks_ui_api"], "browser_authentication": [place, f"{place}-c3"]}
    return [
        {
            "id": f"{owner['id']}/privateLinkResources/{name}",
            "name": name,
            "type": LINKS,
            "properties": {
                "groupId": name,
                "displayName": name,
                "requiredMembers": required,
                "requiredZoneNames": ["privatelink.azuredatabricks.net"],
            },
        }
        for name, required in members.items()
    ]


def read_peering(call: Call) -> Answer:
    """GET: no `type` in it, and no charset on it, as recorded."""
    _owner(call)
    return Answer(200, call.found(), dict(PLAIN))


def list_peerings(call: Call) -> Answer:
    """GET of all of them."""
    answer = _listed(call)
    return Answer(200, answer.body, dict(PLAIN))


def create_peering(call: Call) -> Answer:
    """PUT: 200 and Updating, Succeeded when it is next asked for."""
    sent, owner = call.body(), _owner(call)
    old = call.sim.world.get(call.target.id)
    group = workspace.properties(owner).get("managedResourceGroupId", "")
    given = {
        **UNSET,
        "remoteAddressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "databricksVirtualNetwork": {"id": f"{group}/providers/Microsoft.Network/virtualNetworks/workers-vnet"},
        "databricksAddressSpace": {"addressPrefixes": ["10.139.0.0/16"]},
        **(sent.get("properties") or {}),
        "peeringState": workspace.properties(old).get("peeringState") or "Initiated",
    }
    body: Json = {"id": call.target.path, "name": call.target.name}
    call.sim.world.put({**body, "properties": {**given, "provisioningState": "Succeeded"}})
    shown = {**body, "properties": {**given, "provisioningState": "Updating"}}
    return Answer(200, shown, dict(PLAIN), existed=old is not None)


def delete_peering(call: Call) -> Answer:
    """DELETE: 202, and the result is asked of Microsoft.Network; 204 when there was none."""
    owner = _owner(call)
    if not call.sim.world.drop(call.target.path):
        return Answer(204)
    place = workspace.region(str(owner.get("location") or "global"))
    name = call.sim.operations.beside(call.target.path, call.sim.knobs.workspace_seconds, lambda: None)
    path = f"/subscriptions/{call.target.subscription}/providers/Microsoft.Network/locations/{place}"
    return Answer(202, headers={"Location": signed(call.base, f"{path}/operationResults/{name}", call.version)})


def result(call: Call) -> Answer:
    """GET of a network operation's result: 202 while it runs, 204 afterwards, with both headers all the same."""
    operation = call.sim.operations.get(call.target.name)
    if operation is None:
        raise call.missing()
    path = call.target.path
    headers = {
        "Azure-AsyncOperation": signed(call.base, path.replace("/operationResults/", "/operations/"), call.version),
        "Location": signed(call.base, path, call.version),
    }
    return Answer(202 if operation.status == "Accepted" else 204, headers=headers)


def progress(call: Call) -> Answer:
    """GET of the same operation's status, in the words of Microsoft.Network."""
    operation = call.sim.operations.get(call.target.name)
    if operation is None:
        raise call.missing()
    return Answer(200, {"status": "InProgress" if operation.status == "Accepted" else operation.status})


def outbound(call: Call) -> Answer:
    """GET: a plain array, no `value` around it (openapi, OutboundNetworkDependenciesEndpointsList.json)."""
    account = workspace.parameter(_owner(call), "storageAccountName")
    domains = {
        "Webapp": ["tunnel.azuredatabricks.net"],
        "Azure Storage": [f"{account}.blob.core.windows.net"] if account else [],
        "Azure Servicebus": ["observabilityeh.servicebus.windows.net"],
    }
    return Answer(
        200,
        [
            {
                "category": category,
                "endpoints": [{"domainName": name, "endpointDetails": [{"port": 443}]} for name in names],
            }
            for category, names in domains.items()
        ],
    )


KINDS = (
    Kind(
        CONNECTIONS,
        item={"GET": read_connection, "PUT": decide_connection, "DELETE": delete_connection},
        collection={"GET": _listed},
    ),
    Kind(LINKS, item={"GET": link}, collection={"GET": links}),
    Kind(
        PEERINGS,
        item={"GET": read_peering, "PUT": create_peering, "DELETE": delete_peering},
        collection={"GET": list_peerings},
    ),
    Kind(OUTBOUND, collection={"GET": outbound}),
    Kind("Microsoft.Network/locations/operationResults", item={"GET": result}),
    Kind("Microsoft.Network/locations/operations", item={"GET": progress}),
)
