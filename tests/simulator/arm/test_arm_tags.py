"""Tags at a scope, without touching anything else of it."""

from typing import Any

import pytest

from tests.simulator.arm.stage import SUB, Stage, until, vault

TAGS = "providers/Microsoft.Resources/tags/default"
API = "2025-03-01"


def tags(stage: Stage, method: str, scope: str, body: Any = None) -> Any:
    """One call."""
    return stage.call(method, f"{scope}/{TAGS}", body, version=API)


@pytest.fixture
def path(stage: Stage) -> str:
    """A vault with two tags."""
    where = f"{stage.group('rg-tags')}/providers/Microsoft.KeyVault/vaults/kv-tags"
    stage.call("PUT", where, {**vault(), "tags": {"Env": "prod", "team": "x"}})
    return where


@pytest.mark.parametrize(
    ("operation", "sent", "left"),
    [
        ("Merge", {"env": "test", "new": "n"}, {"Env": "test", "team": "x", "new": "n"}),
        ("Replace", {"new": "n"}, {"new": "n"}),
        ("Delete", {"ENV": "prod"}, {"team": "x"}),
        ("Delete", {"Env": "other"}, {"Env": "prod", "team": "x"}),
        ("delete", {"env": ""}, {"team": "x"}),
    ],
)
def test_a_patch_merges_replaces_or_deletes(
    stage: Stage, path: str, operation: str, sent: dict[str, str], left: dict[str, str]
) -> None:
    """Names are compared without case, and keep the case they had."""
    before = stage.call("GET", path).json()
    answer = tags(stage, "PATCH", path, {"operation": operation, "properties": {"tags": sent}})
    after = stage.call("GET", path).json()

    assert answer.status_code == 200
    assert answer.json() == {
        "id": f"{path}/{TAGS}",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": left},
    }
    assert after == {**before, "tags": left}


def test_read_replace_and_clear(stage: Stage, path: str) -> None:
    """PUT is these and no others; DELETE is none."""
    read = tags(stage, "GET", path).json()["properties"]["tags"]
    put = tags(stage, "PUT", path, {"properties": {"tags": {"only": "this"}}})
    deleted = tags(stage, "DELETE", path)

    assert read == {"Env": "prod", "team": "x"}
    assert (put.status_code, put.json()["properties"]["tags"]) == (200, {"only": "this"})
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert stage.call("GET", path).json()["tags"] == {}


def test_groups_and_subscriptions_have_tags_too(stage: Stage) -> None:
    """And what does not exist has none."""
    group = stage.group("rg-tags")
    body = {"operation": "Merge", "properties": {"tags": {"a": "b"}}}
    answers = [tags(stage, "PATCH", scope, body).status_code for scope in (group, f"/subscriptions/{SUB}")]
    missing = tags(stage, "PATCH", f"{group}/providers/Microsoft.KeyVault/vaults/kv-none", body)

    assert answers == [200, 200]
    assert stage.call("GET", group).json()["tags"] == {"a": "b"}
    assert stage.call("GET", f"/subscriptions/{SUB}", version="2022-12-01").json()["tags"] == {"a": "b"}
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")


@pytest.mark.parametrize("body", [{"operation": "Mix", "properties": {"tags": {}}}, {"operation": "Merge"}])
def test_a_patch_that_makes_no_sense_is_refused(stage: Stage, path: str, body: Any) -> None:
    """An unknown operation, or no tags."""
    assert tags(stage, "PATCH", path, body).json()["error"]["code"] == "InvalidRequestContent"


def test_fifty_tags_are_enough(stage: Stage, path: str) -> None:
    """One more is refused."""
    many = {"properties": {"tags": {f"t{n}": "" for n in range(51)}}}

    assert tags(stage, "PUT", path, many).status_code == 400


def test_it_is_an_operation_of_its_own(stage: Stage, path: str) -> None:
    """With a right and an event of that name, on the tags themselves."""
    entry = {"name": "tags", "eventDeliverySchema": "EventGridSchema", "function": "on_tags"}
    wanted = [{"operatorType": "StringIn", "key": "data.operationName", "values": ["microsoft.resources/TAGS/write"]}]
    stage.tell("POST", "/event-subscriptions", {**entry, "filter": {"advancedFilters": wanted}})
    refused = stage.call("PUT", f"{path}/{TAGS}", {"properties": {"tags": {}}}, who="reader", version=API)
    tags(stage, "PUT", path, {"properties": {"tags": {}}})
    events = until(lambda: stage.host.about(f"{path}/{TAGS}") if len(stage.host.about(f"{path}/{TAGS}")) > 1 else [])
    stage.tell("DELETE", "/event-subscriptions?name=tags")

    assert "'Microsoft.Resources/tags/write'" in refused.json()["error"]["message"]
    assert {each["eventType"].rsplit(".", 1)[1] for each in events} == {"ResourceWriteFailure", "ResourceWriteSuccess"}
