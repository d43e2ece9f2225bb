"""Event subscriptions of other kinds than the product's own: webhooks, batches, dead letters, vault topics, refusals."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from simulator.arm.subscribers import subscriber
from tests.simulator.arm.stage import SUB, Stage, until, vault

NAME = "extra"


class Webhook:
    """An endpoint that shakes hands as it is told and keeps what comes."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, Any]] = []  # method, kind, body
        self.answers: list[int] = []
        self.agrees = True
        webhook = self

        class Receiver(BaseHTTPRequestHandler):
            def do_OPTIONS(self) -> None:  # the base class calls it so
                webhook.seen.append(("OPTIONS", self.headers["WebHook-Request-Origin"], None))
                self.send_response(200)
                self.send_header("WebHook-Allowed-Origin", "*" if webhook.agrees else "elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kind = self.headers["aeg-event-type"]
                webhook.seen.append(("POST", kind, body))
                content = b"{}"
                if kind == "SubscriptionValidation" and webhook.agrees:
                    content = json.dumps({"validationResponse": body[0]["data"]["validationCode"]}).encode()
                notified = kind == "Notification" and webhook.answers
                self.send_response(webhook.answers.pop(0) if notified else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def got(self) -> list[Any]:
        """The bodies of the notifications."""
        return [body for _, kind, body in list(self.seen) if kind == "Notification"]


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """A webhook."""
    made = Webhook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def subscribed(stage: Stage) -> Iterator[Stage]:
    """The stage with no event on its way, and without the extra subscription afterwards."""
    stage.tell("POST", "/clock", {"advance": 90_000})
    until(lambda: all(each["outcome"] != "pending" for each in stage.tell("GET", "/events")["items"]))
    yield stage
    stage.tell("DELETE", f"/event-subscriptions?name={NAME}")


def subscribe(stage: Stage, **entry: Any) -> Any:
    """Add the extra subscription."""
    known = {"name": NAME, "eventDeliverySchema": "EventGridSchema"}
    return stage.tell("POST", "/event-subscriptions", {**known, **entry})


def put(stage: Stage, name: str) -> str:
    """Write a vault; returns its id."""
    path = f"{stage.group('rg-hooks')}/providers/Microsoft.KeyVault/vaults/{name}"
    stage.call("PUT", path, vault())
    return path


def only(name: str) -> dict[str, Any]:
    """A filter for one of these vaults; its group, which is written too, does not pass."""
    return {"subjectEndsWith": f"/vaults/{name}"}


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_a_webhook_that_shakes_hands_gets_events(subscribed: Stage, hook: Webhook, schema: str) -> None:
    """A code that comes back, or an origin that is allowed; then events in its schema."""
    made = subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, eventDeliverySchema=schema)
    path = put(subscribed, f"kv-hook-{schema[:5].lower()}")
    (first, *_) = until(lambda: [each for each in hook.got() if path.lower() in json.dumps(each).lower()])

    assert made["state"] == "Succeeded"
    assert hook.seen[0][:2] == (
        ("POST", "SubscriptionValidation") if schema[0] == "E" else ("OPTIONS", "eventgrid.azure.net")
    )
    assert isinstance(first, list) == (schema == "EventGridSchema")


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_a_webhook_that_does_not_gets_nothing(subscribed: Stage, hook: Webhook, schema: str) -> None:
    """A failed handshake is final."""
    hook.agrees = False
    made = subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, eventDeliverySchema=schema)
    path = put(subscribed, "kv-unheard")
    until(lambda: subscribed.host.about(path))

    assert made["state"] == "Failed"
    assert hook.got() == []
    assert [each["subscription"] for each in subscribed.tell("GET", "/events")["items"]].count(NAME) == 0


def test_a_401_is_final_for_a_webhook_and_not_for_a_function(subscribed: Stage, hook: Webhook) -> None:
    """A function's 401 is tried again, five minutes later; so is its 404."""
    subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, filter=only("kv-unauthorised"))
    hook.answers[:] = [401] * 9
    subscribed.host.answers[:] = [401, 404]
    path = put(subscribed, "kv-unauthorised")
    until(lambda: _tries(subscribed, path, "cmkwarden-vaults", 1))
    subscribed.tell("POST", "/clock", {"advance": 60})
    early = _tries(subscribed, path, "cmkwarden-vaults", 2)
    subscribed.tell("POST", "/clock", {"advance": 241})
    until(lambda: _tries(subscribed, path, "cmkwarden-vaults", 2))
    subscribed.tell("POST", "/clock", {"advance": 301})
    until(lambda: _tries(subscribed, path, "cmkwarden-vaults", 3))
    shown = {each["subscription"]: each for each in _about(subscribed, path)}

    assert not early
    refused = shown[NAME]
    assert (refused["outcome"], refused["reason"]) == ("dropped", "Unauthorized"), refused
    assert [each["status"] for each in refused["attempts"]].count(401) == 1
    assert [each["status"] for each in shown["cmkwarden-vaults"]["attempts"]] == [401, 404, 202]


def _about(stage: Stage, path: str) -> list[dict[str, Any]]:
    return [each for each in stage.tell("GET", "/events")["items"] if each["subject"].lower() == path.lower()]


def _tries(stage: Stage, path: str, name: str, times: int) -> bool:
    return any(each["subscription"] == name and len(each["attempts"]) >= times for each in _about(stage, path))


@pytest.mark.parametrize("cloud", [False, True])
def test_what_is_given_up_becomes_a_dead_letter(subscribed: Stage, hook: Webhook, cloud: bool) -> None:
    """Five minutes later, under the subscription's name in capitals, the event with what became of it."""
    schema = "CloudEventSchemaV1_0" if cloud else "EventGridSchema"
    entry = {"deadLetterContainer": "dead", "retryPolicy": {"maxDeliveryAttempts": 2}, "eventDeliverySchema": schema}
    name = f"kv-dead{cloud}".lower()
    subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, filter=only(name), **entry)
    hook.answers[:] = [500, 500]
    path = put(subscribed, name)
    until(lambda: _tries(subscribed, path, NAME, 1))
    subscribed.tell("POST", "/clock", {"advance": 10})
    until(lambda: next((each for each in _about(subscribed, path) if each["outcome"] == "dead_lettered"), None))
    before = subscribed.tell("GET", "/deadletters")["items"]
    subscribed.tell("POST", "/clock", {"advance": 300})
    (letter,) = subscribed.tell("GET", "/deadletters")["items"]
    (event,) = letter["content"]

    assert before == []
    assert letter["path"].startswith("dead/EXTRA/2")
    assert letter["path"].endswith(".json")
    assert event["subject"].lower() == path.lower()
    names = ["deadLetterReason", "deliveryAttempts", "lastDeliveryOutcome"]
    found = [event[name.lower() if cloud else name] for name in names]
    assert found == ["MaxDeliveryAttemptsExceeded", 2, "InternalServerError"]


def test_an_event_lives_as_long_as_its_subscription_says(subscribed: Stage, hook: Webhook) -> None:
    """A minute to live is over before the third try."""
    retry = {"retryPolicy": {"eventTimeToLiveInMinutes": 1}, "filter": only("kv-short")}
    subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, **retry)
    hook.answers[:] = [500, 500, 500]
    path = put(subscribed, "kv-short")
    for tries, step in ((1, 10), (2, 30)):
        until(lambda tries=tries: _tries(subscribed, path, NAME, tries))  # type: ignore[misc]
        subscribed.tell("POST", "/clock", {"advance": step})
    gone = until(lambda: next((each for each in _about(subscribed, path) if each["outcome"] == "dropped"), None))

    assert gone
    assert gone["reason"] == "TimeToLiveExceeded"


def test_events_that_are_due_together_come_in_batches(subscribed: Stage, hook: Webhook) -> None:
    """As many as the subscription takes; CloudEvents in an array then."""
    cloud = {"eventDeliverySchema": "CloudEventSchemaV1_0", "maxEventsPerBatch": 4}
    subscribe(
        subscribed,
        endpointType="WebHook",
        endpointUrl=hook.url,
        filter={"includedEventTypes": [WRITE], "subjectBeginsWith": BATCHED},
        **cloud,
    )
    subscribed.tell("POST", "/knobs", {"event_delay": 50})
    for n in range(6):
        put(subscribed, f"kv-batch{n}")
    subscribed.tell("POST", "/clock", {"advance": 51})
    until(lambda: sum(len(each) for each in hook.got()) >= 6)

    assert max(len(each) for each in hook.got()) == 4


BATCHED = f"/subscriptions/{SUB}/resourceGroups/rg-hooks/providers/Microsoft.KeyVault/vaults/kv-batch"
WRITE = "Microsoft.Resources.ResourceWriteSuccess"


def test_a_vaults_own_topic(subscribed: Stage, hook: Webhook) -> None:
    """Only to those who subscribed to it; both spellings of the data; the vault's name where there is no object."""
    where = f"/subscriptions/{SUB}/resourceGroups/rg-hooks/providers/Microsoft.KeyVault/vaults/kv-topic"
    subscribe(
        subscribed, topicType="Microsoft.KeyVault.vaults", endpointType="WebHook", endpointUrl=hook.url, source=where
    )
    key = {"Id": "https://kv-topic.vault.azure.net/keys/k/v", "ObjectType": "Key", "ObjectName": "k", "Version": "v"}
    for data in (key, key, None):
        kind = "KeyNearExpiry" if data else "VaultAccessPolicyChanged"
        body = {"vault": where, "kind": kind, "data": {**data, "EXP": 1821536000} if data else None}
        subscribed.tell("POST", "/vault-events", body)
    subscribed.tell("POST", "/vault-events", {"vault": f"{where}-else", "kind": "KeyExpired"})
    events = [event for body in until(lambda: hook.got() if len(hook.got()) == 3 else []) for event in body]
    expiring = [each["data"] for each in events if each["eventType"] == "Microsoft.KeyVault.KeyNearExpiry"]
    (changed,) = [each for each in events if each["eventType"] == "Microsoft.KeyVault.VaultAccessPolicyChanged"]

    assert {each["topic"] for each in events} == {where}
    assert {(data.get("ObjectName") or data.get("ObjectName "), str(data["EXP"])) for data in expiring} == {
        ("k", "1821536000")
    }
    assert sorted("ObjectName " in data for data in expiring) == [False, True]
    assert {data["Version"].strip() for data in expiring} == {"v"}
    assert changed["subject"] == "kv-topic"
    assert {value for name, value in changed["data"].items() if name != "VaultName"} == {None}


def test_a_change_of_access_is_told_by_the_vault(subscribed: Stage, hook: Webhook) -> None:
    """Policies or permission model; not a tag."""
    subscribe(subscribed, topicType="Microsoft.KeyVault.vaults", endpointType="WebHook", endpointUrl=hook.url)
    path = put(subscribed, "kv-policies")
    entry = {"tenantId": SUB, "objectId": "o", "permissions": {"keys": ["get"]}}
    subscribed.call("PATCH", path, {"tags": {"a": "b"}})
    subscribed.call("PUT", f"{path}/accessPolicies/add", {"properties": {"accessPolicies": [entry]}})
    subscribed.call("PATCH", path, {"properties": {"enableRbacAuthorization": False}})
    until(lambda: len(hook.got()) >= 2)

    kinds = [event["eventType"] for body in hook.got() for event in body]
    assert kinds == ["Microsoft.KeyVault.VaultAccessPolicyChanged"] * 2


def test_keys_tell_of_new_versions_and_of_their_end(subscribed: Stage, hook: Webhook) -> None:
    """A new version at once; thirty days before its end, and at its end, by the clock; a seeded key is new to nobody."""
    kinds = {
        "includedEventTypes": [
            f"Microsoft.KeyVault.Key{each}" for each in ("NewVersionCreated", "NearExpiry", "Expired")
        ]
    }
    hooked = {"endpointType": "WebHook", "endpointUrl": hook.url}
    subscribe(subscribed, topicType="Microsoft.KeyVault.vaults", filter=kinds, **hooked)
    path = put(subscribed, "kv-keyed")
    day, end = 86_400, int(time.time()) + 40 * 86_400
    attributes = {"exp": end}
    subscribed.tell(
        "POST", "/seed", {"resources": [{"id": f"{path}/keys/old", "properties": {"attributes": attributes}}]}
    )
    body = {"properties": {"kty": "RSA", "attributes": attributes}}
    assert subscribed.call("PUT", f"{path}/keys/young", body).status_code == 200
    until(lambda: len(hook.got()) >= 1)
    subscribed.tell("POST", "/clock", {"advance": 11 * day})
    until(lambda: len(hook.got()) >= 3)
    subscribed.tell("POST", "/clock", {"advance": 30 * day})
    until(lambda: len(hook.got()) >= 5)
    events = [event for body in hook.got() for event in body]

    told = [(each["eventType"].rsplit(".Key", 1)[1], each["subject"]) for each in events]
    assert told[0] == ("NewVersionCreated", "young")
    assert sorted(told[1:3]) == [("NearExpiry", "old"), ("NearExpiry", "young")]
    assert sorted(told[3:]) == [("Expired", "old"), ("Expired", "young")]
    assert {str(each["data"]["EXP"]) for each in events} == {str(end)}
    assert events[0]["data"]["Id"].startswith("https://kv-keyed.vault.azure.net/keys/young/")


@pytest.mark.parametrize("who", ["owner", "reader"])
def test_what_is_refused_is_a_failure(subscribed: Stage, hook: Webhook, who: str) -> None:
    """By RBAC or by the provider: ResourceWriteFailure, and without evidence where nobody had granted it."""
    failure = "Microsoft.Resources.ResourceWriteFailure"
    subscribe(subscribed, endpointType="WebHook", endpointUrl=hook.url, filter={"includedEventTypes": [failure]})
    path = put(subscribed, f"kv-refused-{who}")
    subscribed.call("PATCH", path, {"properties": {"enablePurgeProtection": False}}, who=who)
    ((event,), *_) = until(lambda: [each for each in hook.got() if each[0]["subject"].lower() == path.lower()])

    assert (event["eventType"], event["data"]["status"]) == (failure, "Failed")
    assert ("evidence" in event["data"]["authorization"]) == (who == "owner")


@pytest.mark.parametrize(
    "change",
    [
        {"eventDeliverySchema": "CustomInputSchema"},
        {"endpointType": "StorageQueue"},
        {"maxEventsPerBatch": 6000},
        {"filter": {"advancedFilters": [{"operatorType": "NumberIn", "key": "data.x", "values": [1]}]}},
        {"filter": {"advancedFilters": [{"operatorType": "StringIn", "key": "data.x", "values": ["v"] * 26}]}},
    ],
)
def test_what_cannot_be_served_is_refused(change: dict[str, Any]) -> None:
    """At the start, with the name of the subscription."""
    with pytest.raises(ValueError, match="'odd'"):
        subscriber({"name": "odd", "eventDeliverySchema": "EventGridSchema", "function": "f", **change})
