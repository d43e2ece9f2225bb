"""Faults to order, and the journal that shows what really came."""

import time
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.mgmt.keyvault import KeyVaultManagementClient

from tests.simulator.arm.stage import IDENTITIES, SUB, Stage, vault


@pytest.fixture
def path(stage: Stage) -> str:
    """A vault for these tests."""
    where = stage.group("rg-faults") + "/providers/Microsoft.KeyVault/vaults/kv-faults"
    stage.call("PUT", where, {**vault(), "tags": {"state": "old"}})
    stage.tell("DELETE", "/journal")
    return where


def order(stage: Stage, **rule: Any) -> None:
    """Order one fault for the vault of these tests."""
    stage.tell("POST", "/faults", [{"path": "/vaults/kv-faults$", **rule}])


def tag(stage: Stage, path: str) -> str:
    """What the vault's tag says now."""
    return str(stage.tell("GET", f"/resource?id={path}")["tags"]["state"])


def test_the_second_and_third_request_are_throttled(stage: Stage, path: str) -> None:
    """`nth` and `times` count the requests that match, by method and caller."""
    order(stage, method="GET", caller="reader", nth=2, times=2, status=429, headers={"Retry-After": 7})

    answers = [stage.call("GET", path, who="reader") for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[1].json()["error"]["code"] == "TooManyRequests"
    assert stage.call("GET", path).status_code == 200


def test_the_sdk_sees_an_ordered_error(stage: Stage, path: str) -> None:
    """With its code and status."""
    order(stage, status=503, code="ServerTimeout")
    client = KeyVaultManagementClient(stage.credential("reader"), SUB, **stage.sdk())

    with pytest.raises(HttpResponseError) as refused:
        client.vaults.get("rg-faults", "kv-faults")

    assert refused.value.status_code == 503
    assert refused.value.error
    assert refused.value.error.code == "ServerTimeout"


@pytest.mark.parametrize(("cut", "effect"), [("before", "old"), ("after", "new"), ("body", "new")])
def test_a_cut_connection_leaves_the_client_in_doubt(stage: Stage, path: str, cut: str, effect: str) -> None:
    """Before the effect, after it, or in the middle of the answer."""
    order(stage, method="PATCH", cut=cut)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        stage.call("PATCH", path, {"tags": {"state": "new"}})

    assert tag(stage, path) == effect
    assert stage.call("PATCH", path, {"tags": {"state": "old"}}).status_code == 200


def test_a_delay_holds_the_answer(stage: Stage, path: str) -> None:
    """And nothing else happens."""
    order(stage, delay_ms=80)
    started = time.monotonic()

    assert stage.call("GET", path).status_code == 200
    assert time.monotonic() - started >= 0.08


def test_a_misspelt_fault_is_refused(stage: Stage) -> None:
    """It would strike nothing and nobody would know."""
    reply = requests.post(f"{stage.manage}/faults", json=[{"pth": "x"}], timeout=5)

    assert reply.status_code == 400
    assert "pth" in reply.json()["error"]


def test_the_journal_names_callers(stage: Stage, path: str) -> None:
    """Reader, writer and owner by name, the object id beside it, newest last; a cut shows status 0."""
    stage.call("GET", path, who="reader")
    stage.call("PATCH", path, {}, who="writer")
    order(stage, method="GET", cut="before")
    with pytest.raises(requests.ConnectionError):
        stage.call("GET", path)

    items = stage.tell("GET", "/journal")["items"]

    assert [(each["caller"], each["method"], each["status"]) for each in items] == [
        ("reader", "GET", 200),
        ("writer", "PATCH", 200),
        ("owner", "GET", 0),
    ]
    assert items[0]["oid"] == IDENTITIES["reader"]["principal_id"]
    assert items[0]["path"] == path
    assert items[0]["query"].startswith("api-version=")
    assert items[0]["n"] < items[1]["n"]


def test_every_answer_carries_arms_headers(stage: Stage, path: str) -> None:
    """Request id, correlation id (the client's own when sent) and what is left of the quota."""
    read = stage.call("GET", path, headers={"x-ms-correlation-request-id": "mine"}).headers
    written = stage.call("PATCH", path, {}).headers

    assert read["x-ms-correlation-request-id"] == "mine"
    assert read["x-ms-request-id"]
    assert read["x-ms-ratelimit-remaining-subscription-reads"].isdigit()
    assert written["x-ms-ratelimit-remaining-subscription-writes"].isdigit()


def test_health_and_unknown_paths_of_the_management_port(stage: Stage) -> None:
    """Health says ok, anything else 404."""
    assert stage.tell("GET", "/health")["status"] == "ok"
    assert requests.get(f"{stage.manage}/nothing", timeout=5).status_code == 404
