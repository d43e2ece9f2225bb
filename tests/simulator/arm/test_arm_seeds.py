"""Seeding: recorded bodies with every odd shape go in and come out as they were, fast, in pages."""

import time
from typing import Any

import pytest
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.reference import needs_reference, recorded
from tests.simulator.arm.stage import OTHER_SUB, SUB, Stage

NEW_SUB = "22222222-0000-4000-8000-000000000009"


def listed(stage: Stage, path: str, **params: str) -> list[list[Any]]:
    """All pages of a list."""
    pages = []
    url: str | None = path
    while url:
        body = stage.call("GET", url, params=params if url == path else None).json()
        pages.append(body["value"])
        url = body.get("nextLink")
    return pages


@needs_reference
@pytest.mark.parametrize("category", ["keyvault_vaults", "databricks_workspaces", "user_assigned_identities"])
def test_recorded_bodies_come_out_as_they_went_in(stage: Stage, category: str) -> None:
    """Missing fields, nulls, legacy shapes: nothing is refused, nothing is changed, the graph can read it."""
    bodies: dict[str, dict[str, Any]] = {}
    for record in recorded(category):
        body = record["response_body"]
        rows = body.get("value", [body]) if isinstance(body, dict) else []
        for row in rows:
            if isinstance(row, dict) and str(row.get("id", "")).count("/") == 8:
                bodies[row["id"].lower()] = row

    told = stage.tell("POST", "/seed", {"resources": list(bodies.values())})

    assert told["seeded"] == len(bodies) > 5
    assert told["refused"] == []
    for row in bodies.values():
        assert stage.call("GET", row["id"]).json().items() >= row.items()
    query = {"query": "resources | project id, type, t = tostring(properties), sku.name, tags"}
    assert stage.call("POST", "/providers/Microsoft.ResourceGraph/resources", query).status_code == 200


def test_seeds_make_their_subscription_and_group(stage: Stage) -> None:
    """And the reader, whose role is at the root, may read there."""
    identity = f"/subscriptions/{NEW_SUB}/resourceGroups/rg-new/providers/Microsoft.KeyVault/vaults/kv-new"
    stage.tell("POST", "/seed", {"resources": [{"id": identity}, {"id": f"{identity}x", "properties": None}]})

    names = [each["subscriptionId"] for each in stage.call("GET", "/subscriptions", who="reader").json()["value"]]
    assert NEW_SUB in names
    assert stage.call("GET", identity, who="reader").json()["name"] == "kv-new"
    assert stage.call("PATCH", f"{identity}x", {}).status_code == 200


def test_what_has_no_id_is_named_and_the_rest_goes_in(stage: Stage) -> None:
    """One bad body does not spoil a world."""
    good: dict[str, Any] = {
        "id": f"/subscriptions/{SUB}/resourceGroups/rg-mixed/providers/Some.Thing/things/one",
        "x": 1,
    }

    told = stage.tell("POST", "/seed", {"resources": [{"name": "no id"}, good, {"id": "nonsense"}]})

    assert (told["seeded"], told["refused"]) == (1, [None, "nonsense"])
    assert stage.tell("GET", f"/resource?id={good['id']}")["x"] == 1
    assert stage.call("GET", good["id"]).json()["x"] == 1


def test_lists_come_in_pages(stage: Stage) -> None:
    """`$top` and the page-size knob cut them; the links lead through all of them once, and the last page is empty."""
    group = f"/subscriptions/{OTHER_SUB}/resourceGroups/rg-pages"
    vaults = [{"id": f"{group}/providers/Microsoft.KeyVault/vaults/kv-page{n:02d}"} for n in range(25)]
    stage.tell("POST", "/seed", {"resources": vaults})
    path = f"{group}/providers/Microsoft.KeyVault/vaults"

    whole = listed(stage, path)
    tens = listed(stage, path, **{"$top": "10"})
    stage.tell("POST", "/knobs", {"page_size": 3, "empty_page": True})
    threes = listed(stage, path)
    client = KeyVaultManagementClient(stage.credential("reader"), OTHER_SUB, **stage.sdk())
    by_sdk = [each.name for each in client.vaults.list_by_resource_group("rg-pages")]

    assert [len(page) for page in whole] == [25, 0]
    assert [len(page) for page in tens] == [10, 10, 5, 0]
    assert [len(page) for page in threes] == [0, 3, 3, 3, 3, 3, 3, 3, 3, 1, 0]
    assert by_sdk == [f"kv-page{n:02d}" for n in range(25)]


def test_the_generic_list_has_no_properties(stage: Stage) -> None:
    """`vaults.list` of the SDK is this list; a filter that is not understood is refused."""
    path = f"/subscriptions/{OTHER_SUB}/resources"
    identity = f"/subscriptions/{OTHER_SUB}/resourceGroups/rg-g/providers/Microsoft.KeyVault/vaults/kv-generic"
    stage.tell("POST", "/seed", {"resources": [{"id": identity, "location": "eastus", "properties": {"a": 1}}]})

    rows = listed(stage, path, **{"$filter": "resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'kv-generic'"})
    strange = stage.call("GET", path, params={"$filter": "substringof('x', name)"})

    assert rows == [[{"id": identity, "name": "kv-generic", "type": "Microsoft.KeyVault/vaults", "location": "eastus"}]]
    assert strange.status_code == 400


def test_twenty_thousand_resources_are_seeded_in_seconds(stage: Stage) -> None:
    """The bound is ten seconds; it takes about one."""
    group = f"/subscriptions/{NEW_SUB}/resourceGroups/rg-many/providers"
    bodies = [
        {"id": f"{group}/Microsoft.KeyVault/vaults/kv-many{n:05d}", "properties": {"enableSoftDelete": True}}
        for n in range(20_000)
    ]
    started = time.monotonic()

    told = stage.tell("POST", "/seed", {"resources": bodies})

    assert told["seeded"] == 20_000
    assert time.monotonic() - started < 10
    first = stage.call(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        {"subscriptions": [NEW_SUB], "query": "resources | where name startswith 'kv-many' | project id"},
        version="2021-03-01",
    ).json()
    assert (first["totalRecords"], first["count"]) == (20_000, 1000)
    stage.tell("POST", "/knobs", {"event_drop": 1.0})
    stage.call("DELETE", f"/subscriptions/{NEW_SUB}/resourceGroups/rg-many")
