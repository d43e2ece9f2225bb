"""Events: who gets them, in which form, and how often they are tried."""

from typing import Any

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage, until, vault

WORKSPACE = {"location": "westeurope", "sku": {"name": "premium"}, "properties": {"computeMode": "Serverless"}}


def vaults(stage: Stage) -> str:
    """Where the vaults of these tests are."""
    return stage.group("rg-events") + "/providers/Microsoft.KeyVault/vaults"


def one(stage: Stage, resource: str) -> dict[str, Any]:
    """The event about a resource, once it has come."""
    return until(lambda: stage.host.about(resource))[0]


def outcome(stage: Stage, resource: str) -> dict[str, Any]:
    """The last delivery of an event about a resource, once it is no longer pending."""

    def settled() -> list[dict[str, Any]]:
        items = stage.tell("GET", "/events")["items"]
        return [each for each in items if each["subject"].lower() == resource.lower() and each["outcome"] != "pending"]

    return until(settled)[-1]


def tried(stage: Stage, resource: str, times: int) -> bool:
    """Whether an event about a resource has been tried so often."""
    items = stage.tell("GET", "/events")["items"]
    return any(each["subject"].lower() == resource.lower() and len(each["attempts"]) >= times for each in items)


def test_a_vault_write_arrives_in_the_event_grid_schema(stage: Stage) -> None:
    """An array with one event: topic, claims, correlation id; no httpRequest for a new resource."""
    path = f"{vaults(stage)}/kv-event1"
    correlation = "77777777-0000-4000-8000-000000000001"

    stage.call("PUT", path, vault(), headers={"x-ms-correlation-request-id": correlation})
    event = one(stage, path)

    post = stage.host.posts[-1]
    assert (post.function, post.code) == ("on_vault_write", "system-key")
    assert post.headers["aeg-event-type"] == "Notification"
    assert isinstance(post.body, list)
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert (event["topic"], event["dataVersion"], event["metadataVersion"]) == (f"/subscriptions/{SUB}", "2", "1")
    assert len(event["eventTime"]) == len("2026-09-01T10:00:02.1234567Z")
    data = event["data"]
    assert data["operationName"] == data["authorization"]["action"] == "Microsoft.KeyVault/vaults/write"
    assert data["claims"]["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] == "olga.owner@example.com"
    assert all(isinstance(value, str) for value in data["claims"].values())
    assert (data["correlationId"], data["tenantId"], data["status"]) == (correlation, TENANT, "Succeeded")
    assert data["authorization"]["evidence"]["role"] == "Owner"
    assert "httpRequest" not in data


def test_an_update_and_a_delete_carry_the_request(stage: Stage) -> None:
    """The request is there when the resource existed."""
    path = f"{vaults(stage)}/kv-event2"
    stage.call("PUT", path, vault())
    one(stage, path)
    stage.host.posts.clear()
    stage.call("PATCH", path, {"tags": {"a": "b"}}, who="writer")
    update = one(stage, path)
    stage.host.posts.clear()
    stage.call("DELETE", path)
    delete = one(stage, path)

    assert update["data"]["httpRequest"]["method"] == "PATCH"
    assert update["data"]["claims"]["appid"] == "33333333-0000-4000-8000-000000000002"
    assert delete["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"
    assert delete["data"]["operationName"] == "Microsoft.KeyVault/vaults/delete"


def test_a_workspace_write_arrives_as_a_cloud_event(stage: Stage) -> None:
    """One object, not an array, with source, type and time."""
    path = stage.group("rg-events") + "/providers/Microsoft.Databricks/workspaces/ws-event1"

    stage.call("PUT", path, WORKSPACE)
    event = one(stage, path)

    post = stage.host.posts[-1]
    assert post.function == "on_workspace_write"
    assert post.headers["content-type"].startswith("application/cloudevents+json")
    assert isinstance(post.body, dict)
    assert (event["specversion"], event["source"]) == ("1.0", f"/subscriptions/{SUB}")
    assert event["type"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert "topic" not in event
    assert "dataVersion" not in event


def test_writes_below_a_vault_have_their_own_subject(stage: Stage) -> None:
    """Access policies and role assignments speak of themselves."""
    path = f"{vaults(stage)}/kv-event3"
    stage.call("PUT", path, vault())
    entry = {"tenantId": TENANT, "objectId": "aa", "permissions": {"keys": ["get"]}}
    stage.call("PUT", f"{path}/accessPolicies/add", {"properties": {"accessPolicies": [entry]}})
    grant = f"{path}/providers/Microsoft.Authorization/roleAssignments/{TENANT}"
    reader = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    role = {"roleDefinitionId": reader, "principalId": IDENTITIES["reader"]["principal_id"]}
    stage.call("PUT", grant, {"properties": role}, version="2022-04-01")

    policies, assignment = one(stage, f"{path}/accessPolicies/add"), one(stage, grant)

    assert policies["data"]["operationName"] == "Microsoft.KeyVault/vaults/accessPolicies/write"
    assert assignment["data"]["resourceProvider"] == "Microsoft.Authorization"


def test_failures_reads_and_seeds_make_no_event(stage: Stage) -> None:
    """Only a write that succeeded does."""
    path = f"{vaults(stage)}/kv-event4"
    stage.tell("POST", "/seed", {"resources": [{"id": path, **vault()}]})
    stage.call("GET", path)
    stage.call("PATCH", path, {"properties": {"enablePurgeProtection": False}})
    stage.call("PATCH", path, {}, who="reader")
    stage.call("PUT", f"{path}x", vault())
    one(stage, f"{path}x")

    assert stage.host.about(path) == []


def test_deleting_a_group_tells_of_each_vault_in_it(stage: Stage) -> None:
    """And the vault is soft-deleted with it."""
    group = stage.group("rg-gone")
    path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-event5"
    stage.call("PUT", path, vault())
    one(stage, path)
    stage.host.posts.clear()

    stage.call("DELETE", group)

    assert one(stage, path)["data"]["operationName"] == "Microsoft.KeyVault/vaults/delete"
    assert stage.call("GET", group).status_code == 404


def test_a_500_is_tried_again_on_schedule(stage: Stage) -> None:
    """After 10 s, then after 30 s more; the clock is moved instead of waiting."""
    path = f"{vaults(stage)}/kv-event6"
    stage.host.answers[:] = [500, 503]
    stage.call("PUT", path, vault())
    until(lambda: tried(stage, path, 1))
    stage.tell("POST", "/clock", {"advance": 10})
    until(lambda: tried(stage, path, 2))
    stage.tell("POST", "/clock", {"advance": 30})

    last = outcome(stage, path)

    assert last["outcome"] == "delivered"
    assert [each["status"] for each in last["attempts"]] == [500, 503, 202]
    assert len({event["id"] for event in stage.host.about(path)}) == 1


def test_a_400_is_not_tried_again(stage: Stage) -> None:
    """It becomes a dead letter at once, for there is a place for these."""
    path = f"{vaults(stage)}/kv-event7"
    stage.host.answers[:] = [400]
    stage.call("PUT", path, vault())

    last = outcome(stage, path)

    assert (last["outcome"], last["reason"], len(last["attempts"])) == ("dead_lettered", "BadRequest", 1)


def test_events_can_be_doubled_and_lost(stage: Stage) -> None:
    """At least once means twice now and then; the knobs make it sure."""
    path = vaults(stage)
    stage.tell("POST", "/knobs", {"event_double": 1.0})
    stage.call("PUT", f"{path}/kv-event8", vault())
    until(lambda: len(stage.host.about(f"{path}/kv-event8")) == 2)
    stage.tell("POST", "/knobs", {"event_double": 0.0, "event_drop": 1.0})
    stage.call("PUT", f"{path}/kv-event9", vault())

    assert outcome(stage, f"{path}/kv-event9")["outcome"] == "dropped"


def test_a_late_event_waits_for_the_clock(stage: Stage) -> None:
    """The delay knob holds it back."""
    path = f"{vaults(stage)}/kv-event10"
    stage.tell("POST", "/knobs", {"event_delay": 300})
    stage.call("PUT", path, vault())
    before = len(stage.host.about(path))
    stage.tell("POST", "/clock", {"advance": 301})

    one(stage, path)
    assert before == 0


def test_a_batch_can_be_posted_by_hand(stage: Stage) -> None:
    """Bodies go through untouched, whatever they are."""
    batch = [{"subject": "by-hand", "odd": None}, {"subject": "by-hand", "odd": [1]}]

    shown = stage.tell("POST", "/events", {"events": batch, "function": "on_vault_write"})

    assert shown["outcome"] == "delivered"
    assert stage.host.posts[-1].body == batch
