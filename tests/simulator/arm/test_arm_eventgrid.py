"""System topics and their event subscriptions by ARM: what serves events is what is shown, to whoever may read it."""

import uuid
from typing import Any

from jsonschema import Draft4Validator

from tests.reference import needs_reference, put_schema
from tests.simulator.arm.stage import OTHER_SUB, SUB, Stage, vault

VERSION = "2025-02-15"
TOPICS = f"/subscriptions/{SUB}/providers/Microsoft.EventGrid/systemTopics"
SOURCE = f"/subscriptions/{SUB}"


def _list(stage: Stage, path: str, who: str = "reader") -> list[dict[str, Any]]:
    answer = stage.call("GET", path, who=who, version=VERSION)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def _topic(stage: Stage, source: str) -> dict[str, Any]:
    (topic,) = [it for it in _list(stage, TOPICS) if it["properties"]["source"].lower() == source.lower()]
    return topic


def test_a_topic_of_each_subscription_and_of_each_vault(stage: Stage) -> None:
    """The one of a subscription is everywhere, the one of a vault where it was made; each can be read by itself."""
    path = f"{stage.group('rg-topics')}/providers/Microsoft.KeyVault/vaults/kv-{uuid.uuid4().hex[:8]}"
    stage.tell("POST", "/event-subscriptions", {"name": "of-a-vault", "function": "on_key_event", "source": path, "topicType": "Microsoft.KeyVault.vaults", "eventDeliverySchema": "CloudEventSchemaV1_0"})  # fmt: skip
    before = [it["properties"]["source"] for it in _list(stage, TOPICS)]
    assert stage.call("PUT", path, vault()).status_code == 200
    topics = [_topic(stage, source) for source in (SOURCE, path)]
    in_group = _list(stage, f"{SOURCE}/resourceGroups/rg-topics/providers/Microsoft.EventGrid/systemTopics")
    stage.tell("DELETE", "/event-subscriptions?name=of-a-vault")

    assert path not in before
    assert [it["properties"]["topicType"] for it in topics] == [
        "Microsoft.Resources.Subscriptions",
        "Microsoft.KeyVault.vaults",
    ]
    assert [it["location"] for it in topics] == ["global", "westeurope"]
    assert topics[1] in in_group
    assert topics[0] not in in_group
    assert stage.call("GET", topics[0]["id"], who="reader", version=VERSION).json() == topics[0]
    assert _list(stage, TOPICS.replace(SUB, OTHER_SUB))[0]["properties"]["source"] == f"/subscriptions/{OTHER_SUB}"


def test_an_event_subscription_is_shown_as_it_serves(stage: Stage) -> None:
    """Where it sends to, its filter, its schema, its dead letters; gone with its entry."""
    entry = {
        "name": "shown", "function": "on_x", "eventDeliverySchema": "EventGridSchema", "deadLetterContainer": "letters",
        "filter": {"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]}, "retryPolicy": {"maxDeliveryAttempts": 3},
    }  # fmt: skip
    stage.tell("POST", "/event-subscriptions", entry)
    topic = _topic(stage, SOURCE)
    (shown,) = [it for it in _list(stage, f"{topic['id']}/eventSubscriptions") if it["name"] == "shown"]
    alone = stage.call("GET", shown["id"], who="reader", version=VERSION)
    stage.tell("POST", "/event-subscriptions", {**entry, "deadLetterIdentity": "", "site": "/x/sites/other"})
    plain = stage.call("GET", shown["id"], who="reader", version=VERSION).json()["properties"]
    stage.tell("DELETE", "/event-subscriptions?name=shown")
    gone = [
        stage.call("GET", path, who="reader", version=VERSION).status_code for path in (shown["id"], f"{TOPICS}/no")
    ]

    it = shown["properties"]
    assert alone.json() == shown
    assert (it["topic"], it["provisioningState"], it["eventDeliverySchema"]) == (
        topic["id"],
        "Succeeded",
        "EventGridSchema",
    )
    assert it["destination"]["endpointType"] == "AzureFunction"
    assert it["destination"]["properties"]["resourceId"].endswith("/functions/on_x")
    assert it["filter"]["includedEventTypes"] == ["Microsoft.Resources.ResourceWriteSuccess"]
    assert it["retryPolicy"] == {"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 1440}
    assert it["deadLetterWithResourceIdentity"]["identity"] == {"type": "SystemAssigned"}
    assert plain["destination"]["properties"]["resourceId"] == "/x/sites/other/functions/on_x"
    assert plain["deadLetterDestination"]["properties"]["blobContainerName"] == "letters"
    assert gone == [404, 404]


def test_who_may_not_read_them_does_not(stage: Stage) -> None:
    """The writer holds neither right; nobody writes them here."""
    topic = _topic(stage, SOURCE)
    refused = [
        stage.call("GET", path, who="writer", version=VERSION) for path in (TOPICS, f"{topic['id']}/eventSubscriptions")
    ]
    written = stage.call("PUT", topic["id"], {}, version=VERSION)

    assert [it.status_code for it in refused] == [403, 403]
    assert ["systemTopics/read" in refused[0].text, "systemTopics/eventSubscriptions/read" in refused[1].text] == [
        True,
        True,
    ]
    assert written.status_code in {404, 405}


@needs_reference
def test_what_is_shown_is_what_may_be_put(stage: Stage) -> None:
    """But for what Azure adds, topic and event subscriptions meet the official schemas."""
    topic = _topic(stage, SOURCE)
    rows = {
        "systemTopics": [topic],
        "systemTopics_eventSubscriptions": _list(stage, f"{topic['id']}/eventSubscriptions"),
    }
    added = {"provisioningState", "metricResourceId", "topic"}

    assert rows["systemTopics_eventSubscriptions"]
    for kind, bodies in rows.items():
        validator = Draft4Validator(put_schema(VERSION, "Microsoft.EventGrid", kind))
        for body in bodies:
            own = {name: it for name, it in body.items() if it is not None} | {"apiVersion": VERSION}
            own["properties"] = {name: it for name, it in body["properties"].items() if name not in added}
            validator.validate(own)
