"""Event Grid's system topics and the event subscriptions on them, as ARM shows what `subscribers.py` serves. Reads alone.

A subscription of the configuration has its topic in the deployment's own group, each vault one beside it, where somebody
subscribes to events of that kind. Shapes: azure-rest-api-specs, Microsoft.EventGrid 2022-06-15 (SystemTopics_ListBySubscription,
SystemTopicEventSubscriptions_Get); what stands under deadLetterWithResourceIdentity is the PUT schema of 2025-02-15.
"""

import uuid
from collections.abc import Iterator

from simulator.arm.answer import Answer, Json
from simulator.arm.providers.pages import page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route
from simulator.arm.sim import GROUP, Sim
from simulator.arm.subscribers import FUNCTION, SUBSCRIPTIONS, VAULTS, Subscriber

TYPE = "Microsoft.EventGrid/systemTopics"
VAULT = "microsoft.keyvault/vaults"


def list_topics(call: Call) -> Answer:
    """Those of a subscription or of one group."""
    start = fold(f"{call.target.scope.rstrip('/')}/")
    return page(call, [it for it in _topics(call.sim, call.target.subscription) if fold(it["id"]).startswith(start)])


def read_topic(call: Call) -> Answer:
    """GET of one."""
    return Answer(200, _topic_of(call, call.target.id))


def list_subscribed(call: Call) -> Answer:
    """The event subscriptions of one topic."""
    topic = _topic_of(call, call.target.id.rsplit("/", 1)[0])
    return page(call, [_shown(call.sim, topic, each) for each in _on(call.sim, topic)])


def read_subscribed(call: Call) -> Answer:
    """GET of one."""
    topic = _topic_of(call, call.target.id.rsplit("/", 2)[0])
    for each in _on(call.sim, topic):
        if fold(each.name) == fold(call.target.name):
            return Answer(200, _shown(call.sim, topic, each))
    raise call.missing()


def _topics(sim: Sim, subscription: str) -> Iterator[Json]:
    where = f"/subscriptions/{subscription}"
    if sim.world.get(f"{where}/resourceGroups/{GROUP}"):
        name = f"cmkwarden-{subscription[:8]}"
        topic = _topic(sim, f"{where}/resourceGroups/{GROUP}", name, where, SUBSCRIPTIONS, "global")
        if any(_on(sim, topic)):
            yield topic
    for each in sim.world.ids(VAULT, subscription):
        vault = sim.world.get(each) or {}
        target = route(vault["id"])
        group = f"{where}/resourceGroups/{target.group}"
        topic = _topic(sim, group, f"{target.name}-events", vault["id"], VAULTS, str(vault.get("location") or ""))
        if any(_on(sim, topic)):
            yield topic


def _topic(sim: Sim, group: str, name: str, source: str, kind: str, location: str) -> Json:
    identity = f"{group}/providers/{TYPE}/{name}"

    def made(what: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{fold(identity)}|{what}"))

    return {
        "id": identity,
        "name": name,
        "type": TYPE,
        "location": location,
        "tags": None,
        "identity": {"type": "SystemAssigned", "principalId": made("principal"), "tenantId": sim.config.tenant},
        "properties": {
            "provisioningState": "Succeeded",
            "source": source,
            "topicType": kind,
            "metricResourceId": made("metrics"),
        },
    }


def _topic_of(call: Call, identity: str) -> Json:
    for topic in _topics(call.sim, call.target.subscription):
        if fold(topic["id"]) == fold(identity):
            return topic
    raise call.missing()


def _on(sim: Sim, topic: Json) -> list[Subscriber]:
    """Who subscribed to a topic; one without a source of its own stands for the same on every topic of its kind."""
    properties = topic["properties"]
    wanted = {"", fold(properties["source"])}
    return [it for it in sim.eventgrid.subscribers if it.topic == properties["topicType"] and it.source in wanted]


def _shown(sim: Sim, topic: Json, it: Subscriber) -> Json:
    place: Json = {"endpointUrl": None, "endpointBaseUrl": it.url.partition("?")[0]}
    if it.endpoint == FUNCTION:
        place = {"resourceId": f"{it.site or sim.config.site}/functions/{it.function}"}
    batches = {"maxEventsPerBatch": it.batch, "preferredBatchSizeInKilobytes": it.batch_bytes // 1024}
    return {
        "id": f"{topic['id']}/eventSubscriptions/{it.name}",
        "name": it.name,
        "type": f"{TYPE}/eventSubscriptions",
        "properties": {
            "topic": topic["id"],
            "provisioningState": it.state,
            "destination": {"endpointType": it.endpoint, "properties": {**place, **batches}},
            "filter": {"subjectBeginsWith": "", "subjectEndsWith": "", **it.filter},
            "labels": [],
            "eventDeliverySchema": "CloudEventSchemaV1_0" if it.is_cloud else "EventGridSchema",
            "retryPolicy": {"maxDeliveryAttempts": it.attempts, "eventTimeToLiveInMinutes": it.minutes},
            **_dead_letters(sim, it),
        },
    }


def _dead_letters(sim: Sim, it: Subscriber) -> Json:
    """With the topic's own identity, unless the entry says that there is none."""
    if not it.dead_letter:
        return {}
    place = {"resourceId": sim.config.account, "blobContainerName": it.dead_letter}
    letters = {"endpointType": "StorageBlob", "properties": place}
    if not it.letters_as:
        return {"deadLetterDestination": letters}
    return {"deadLetterWithResourceIdentity": {"identity": {"type": it.letters_as}, "deadLetterDestination": letters}}


KINDS = (
    Kind(TYPE, item={"GET": read_topic}, collection={"GET": list_topics}),
    Kind(f"{TYPE}/eventSubscriptions", item={"GET": read_subscribed}, collection={"GET": list_subscribed}),
)
