"""The Event Grid webhook: handshakes, batches, garbage."""

import json
from typing import Any

import pytest

from tests.simulator.host.hosting import CALLER, MASTER, SYSTEM, Host

HOOK = "/runtime/webhooks/EventGrid"


def event(number: str, **data: Any) -> dict[str, Any]:
    """Make an event of Event Grid's own schema."""
    return {
        "id": number,
        "topic": "/subscriptions/s",
        "subject": "/subject",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2024-01-01T00:00:00.1234567Z",
        "dataVersion": "2",
        "data": data,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"functionName": "on_event"}, 401),
        ({"functionName": "on_event", "code": "wrong"}, 401),
        ({"functionName": "on_event", "code": CALLER}, 401),
        ({"functionName": "unknown", "code": "wrong"}, 401),
        ({"functionName": "unknown", "code": SYSTEM}, 404),
        ({"functionName": "work", "code": SYSTEM}, 404),
        ({"code": SYSTEM}, 404),
        ({"functionName": "on_event", "code": SYSTEM}, 400),
        ({"functionName": "ON_EVENT", "code": MASTER}, 400),
    ],
)
def test_entrance(host: Host, query: dict[str, str], expected: int) -> None:
    """The key is asked for first, then the function, then the kind of message."""
    assert host.ask("POST", HOOK, params=query, json=[]).status_code == expected


def test_validation(host: Host) -> None:
    """The handshake of Event Grid's own schema repeats the code."""
    answer = host.event([event("v", validationCode="512d38b6")], kind="SubscriptionValidation")

    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})


def test_cloud_handshake(host: Host) -> None:
    """The handshake of CloudEvents allows the origin."""
    answer = host.ask(
        "OPTIONS",
        HOOK,
        params={"functionName": "on_event", "code": SYSTEM},
        headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
    )

    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


def test_unsubscribe(host: Host) -> None:
    """The end of a subscription is taken note of."""
    assert host.event([], kind="Unsubscribe").status_code == 202


@pytest.mark.parametrize("shape", ["array", "object", "cloud"])
def test_forms(host: Host, shape: str) -> None:
    """Arrays, single objects and CloudEvents all reach the function, and its return value the queue."""
    cloud = {"specversion": "1.0", "id": shape, "source": "/s", "type": "t", "data": {}}
    body = {"array": [event(shape)], "object": event(shape), "cloud": cloud}[shape]
    answer = host.event(body)

    assert answer.status_code == 202
    kind = "CloudEvent" if shape == "cloud" else "EventGridEvent"
    assert {"id": shape, "kind": kind}.items() <= host.wait_note("event")[-1].items()
    host.wait_line("Executed 'Functions.forwarded' .Succeeded")


def test_one_of_a_batch_fails(host: Host) -> None:
    """One failing event fails the batch, after all others have run."""
    batch = [event("b1"), event("b2", fail=True), event("b3")]
    answer = host.event(batch)

    assert answer.status_code == 500
    assert {note["id"] for note in host.notes("event")} >= {"b1", "b2", "b3"}
    assert "on purpose" in answer.text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", 400),
        ("{", 400),
        ("[{]", 400),
        ('"' + '\\"' * 100_000, 400),
        (b"\xff\xfe", 400),
        ("5", 400),
        ("[]", 202),
        ("[5]", 500),
        ("[null]", 500),
        ('["specversion"]', 500),
        ("[[]]", 500),
        ('{"id": "\\ud800", "data": {}}', 202),
        ('{"id": "r\xe9\u4e2d", "data": {}}'.encode(), 202),
        (b'\xef\xbb\xbf{"id": "bom", "data": {}}', 202),
        ('{"id": "deep", "data": ' + "[" * 63 + "]" * 63 + "}", 202),
        ('{"id": "deeper", "data": ' + "[" * 64 + "]" * 64 + "}", 400),
        ("[" * 100_000, 400),
        ('{"id": "brackets", "data": "' + "[" * 100 + '"}', 202),
    ],
)
def test_garbage(host: Host, body: str | bytes, expected: int) -> None:
    """What is no JSON is 400; what is no event fails in the function; the host survives both."""
    assert host.event(body).status_code == expected


@pytest.mark.parametrize(("size", "expected"), [(1024 * 1024, 202), (1200 * 1024, 413)])
def test_size(host: Host, size: int, expected: int) -> None:
    """A megabyte is taken, more is not."""
    assert host.event(json.dumps(event("big", text="x" * size))).status_code == expected
