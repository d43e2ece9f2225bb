"""Access connectors, private links, peerings and outbound endpoints, as recorded (databricks_other.jsonl)."""

from typing import Any

from tests.simulator.arm.bricks import API, GROUP, client, done, hybrid, outcome, place
from tests.simulator.arm.stage import SUB, TENANT, Stage

STATE = "privateLinkServiceConnectionState"


def test_an_access_connector_is_made_at_once(stage: Stage) -> None:
    """201, then 200; SystemAssigned gets an identity that stays, None takes it away; DELETE is 200."""
    path = place(stage, "ac1", "accessConnectors")
    assigned = {"location": "westus", "identity": {"type": "SystemAssigned"}}
    made = stage.call("PUT", path, assigned, version=API)
    again = stage.call("PUT", path, assigned, version=API)
    none = stage.call("PUT", path, {**assigned, "identity": {"type": "None"}, "tags": {"key": "value"}}, version=API)
    gone = [stage.call("DELETE", path, version=API).status_code for _ in range(2)]

    assert (made.status_code, again.status_code, none.status_code, gone) == (201, 200, 200, [200, 204])
    assert made.json()["identity"]["tenantId"] == TENANT
    assert again.json()["identity"] == made.json()["identity"]
    assert none.json()["identity"] == {"type": "None"}
    assert none.json()["tags"] == {"key": "value"}
    assert made.json()["properties"] == {"provisioningState": "Succeeded"}
    assert made.json()["systemData"]["createdByType"] == "User"


def test_a_connector_shows_the_ids_of_its_user_assigned_identity(stage: Stage) -> None:
    """As the world has them."""
    identity = f"/subscriptions/{SUB}/resourcegroups/{GROUP}/providers/Microsoft.ManagedIdentity/"
    identity += "userAssignedIdentities/uami1"
    ids = {"principalId": "11111111-0000-4000-8000-0000000000aa", "clientId": "11111111-0000-4000-8000-0000000000bb"}
    stage.tell("POST", "/seed", {"resources": [{"id": identity, "properties": ids}]})
    body = {"location": "westus", "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}}

    made = stage.call("PUT", place(stage, "ac2", "accessConnectors"), body, version=API).json()

    assert made["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {identity: ids}}


def test_the_sdk_lists_and_patches_connectors(stage: Stage) -> None:
    """Tags change, the identity stays."""
    connectors: Any = client(stage).access_connectors
    body = {"location": "westus", "identity": {"type": "SystemAssigned"}}
    made = connectors.begin_create_or_update(GROUP, "ac3", body).result(10)
    after = connectors.begin_update(GROUP, "ac3", {"tags": {"a": "b"}}).result(10)

    assert after.tags == {"a": "b"}
    assert after.identity.principal_id == made.identity.principal_id
    assert "ac3" in [each.name for each in connectors.list_by_resource_group(GROUP)]


def test_private_link_resources_name_the_region(stage: Stage) -> None:
    """Two groups: the workspace itself, and browser authentication."""
    done(stage, "ws-link1", hybrid("ws-link1"))
    found = list(client(stage).private_link_resources.list(GROUP, "ws-link1"))
    path = place(stage, "ws-link1")
    one = stage.call("GET", f"{path}/privateLinkResources/databricks_ui_api", version=API)

    assert [each.name for each in found] == ["databricks_ui_api", "browser_authentication"]
    assert found[1].properties.required_members == ["westeurope", "westeurope-c3"]
    assert one.json()["properties"]["requiredZoneNames"] == ["privatelink.azuredatabricks.net"]
    assert stage.call("GET", f"{path}/privateLinkResources/none", version=API).status_code == 404
    assert stage.call("GET", place(stage, "ws-none") + "/privateLinkResources", version=API).status_code == 404


def test_a_private_endpoint_connection_is_rejected_and_deleted(stage: Stage) -> None:
    """202 with both headers; the answer still has the old state; the short name is enough."""
    done(stage, "ws-pec1", hybrid("ws-pec1"))
    path = f"{place(stage, 'ws-pec1')}/privateEndpointConnections"
    body = {
        "id": f"{path}/pe1.9e983d06-154a-4cf6-a33d-6bdc4cbdc5b9",
        "name": "pe1",
        "type": "Microsoft.Databricks/workspaces/privateEndpointConnections",
        "properties": {STATE: {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"}},
    }
    stage.tell("POST", "/seed", {"resources": [body]})
    asked = {"properties": {STATE: {"status": "Rejected", "description": "no"}}}
    answer = stage.call("PUT", f"{path}/pe1", asked, version=API)
    ended = outcome(stage, answer)
    after = stage.call("GET", f"{path}/pe1", version=API).json()["properties"]
    gone = stage.call("DELETE", f"{path}/pe1", version=API)
    outcome(stage, gone)

    assert {"Azure-AsyncOperation", "Location"} <= set(answer.headers)
    assert answer.json()["properties"] == {**body["properties"], "provisioningState": "Updating"}  # type: ignore[dict-item]
    assert ended == {"status": "Succeeded"}
    assert after[STATE] == {"status": "Rejected", "description": "no", "actionsRequired": "None"}
    assert gone.json()["properties"]["provisioningState"] == "Deleting"
    assert stage.call("GET", path, version=API).json() == {"value": []}
    assert stage.call("PUT", f"{path}/pe1", asked, version=API).status_code == 404


def test_a_peering_is_made_changed_and_deleted(stage: Stage) -> None:
    """200 and Updating, then Succeeded; DELETE sends the client to Microsoft.Network, whose result is 204."""
    done(stage, "ws-peer1", hybrid("ws-peer1"))
    path = f"{place(stage, 'ws-peer1')}/virtualNetworkPeerings/p1"
    remote = {"remoteVirtualNetwork": {"id": f"/subscriptions/{SUB}/resourceGroups/x/providers/Microsoft.Network/v/v"}}
    made = stage.call("PUT", path, {"properties": remote}, version=API)
    read = stage.call("GET", path, version=API).json()
    gone = stage.call("DELETE", path, version=API)
    result = stage.call("GET", gone.headers["Location"])
    while result.status_code == 202:
        result = stage.call("GET", gone.headers["Location"])

    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (200, "Updating")
    assert (read["properties"]["provisioningState"], read["properties"]["peeringState"]) == ("Succeeded", "Initiated")
    assert "type" not in read
    assert (gone.status_code, result.status_code) == (202, 204)
    assert "/providers/Microsoft.Network/locations/westeurope/operationResults/" in gone.headers["Location"]
    assert list(client(stage).vnet_peering.list_by_workspace(GROUP, "ws-peer1")) == []


def test_outbound_endpoints_are_a_plain_list(stage: Stage) -> None:
    """No `value` around it; the account behind DBFS is in it."""
    made = done(stage, "ws-out1", hybrid("ws-out1"))
    account = made["properties"]["parameters"]["storageAccountName"]["value"]
    found: Any = client(stage).outbound_network_dependencies_endpoints.list(GROUP, "ws-out1")

    domains = [each.domain_name for category in found for each in category.endpoints]
    assert f"{account}.blob.core.windows.net" in domains
