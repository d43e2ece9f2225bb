"""The doctor and events: each way in which Event Grid could fail us, and events that do not come."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.checkup import Result, topics
from shared.core.errors import Denied, Temporary
from shared.core.judgement import Judgement
from shared.core.survey import Progress, Share, Survey, survey_id
from shared.flow.evaluate import evaluate
from shared.flow.receive import receive
from simulator.stack import ROOT
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id
from tests.flow.conftest import again, delivery
from tests.flow.healthy import HERE, fail, faults, well
from tests.vitals import ACCOUNT, SITE, event_subscription

WORKSPACES, VAULTS, KEYS = topics.WANTED
FILTER = next(
    it for it in json.loads((ROOT / "infra/event_subscriptions.json").read_text()) if it["name"] == VAULTS.name
)["filter"]
OPERATIONS = FILTER["advancedFilters"][0]
LETTERS = {"endpointType": "StorageBlob", "properties": {"resourceId": ACCOUNT, "blobContainerName": "dead-letters"}}


def _vaults(**changes: Any) -> Callable[[World], None]:
    """Return what changes the event subscription on vaults."""
    return lambda world: world.vitals.grid.update(
        {HERE: [event_subscription(WORKSPACES), event_subscription(VAULTS, **changes)]}
    )


def _function(where: str) -> dict[str, Any]:
    return {"endpointType": "AzureFunction", "properties": {"resourceId": where}}


def _queue(name: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {"endpointType": "StorageQueue", "properties": {"resourceId": account, "queueName": name}}


def _named(identity: str, letters: dict[str, Any] = LETTERS) -> dict[str, Any]:
    return {"identity": {"type": identity}, "deadLetterDestination": letters}


def _hold(world: World) -> None:
    """Have a vault that holds keys, as a look has left it."""
    world.estate.note(Judgement(vault_id(), ids.VAULT, "kv-one", "westeurope", (), "", NOON, "Compliant", ()))


def _without_topic(world: World) -> None:
    _hold(world)
    world.pulse.events["keys"] = NOON


def _gone(world: World) -> None:
    del world.vitals.grid[HERE]


def _missed(world: World) -> None:
    """Have the second survey find what no event told of, and no event for long."""
    before = NOON - timedelta(days=1)
    world.surveys.kept[survey_id(before)] = Survey(survey_id(before), before, "", (Share(SUBSCRIPTION, Progress.DONE),))
    for name, it in world.surveys.kept.items():
        if name != survey_id(before):
            world.surveys.kept[name] = replace(it, shares=(Share(SUBSCRIPTION, Progress.DONE, missed=4),))
    world.pulse.events["vaults"] = NOON - timedelta(days=8)


def _first(world: World) -> None:
    """Have the first survey of all find what no event told of, and no event for long."""
    _missed(world)
    del world.surveys.kept[survey_id(NOON - timedelta(days=1))]


FAULTS: dict[str, tuple[Callable[[World], None], str, Result, str]] = {
    "no topic of a subscription": (_gone, "event-subscriptions", Result.FAIL, "no write there wakes anybody"),
    "no topic of a vault": (_without_topic, "event-subscriptions", Result.WARN, "coming night only"),
    "an event subscription is missing": (lambda w: w.vitals.grid.update({HERE: [event_subscription(WORKSPACES)]}), "event-subscriptions", Result.FAIL, "has no event subscription cmkwarden-vaults"),
    "it is not provisioned": (_vaults(provisioningState="AwaitingManualAction"), "event-subscriptions", Result.FAIL, "AwaitingManualAction"),
    "it says nothing of its state": (_vaults(provisioningState=None), "event-subscriptions", Result.FAIL, "no state"),
    "it sends to another app": (_vaults(destination=_function(f"{SITE}2/functions/on_vault_write")), "event-subscriptions", Result.FAIL, "warden2/on_vault_write"),
    "it sends to another function": (_vaults(destination=_function(f"{SITE}/functions/on_key_event")), "event-subscriptions", Result.FAIL, "not to our on_vault_write"),
    "it sends to another queue": (_vaults(destination=_queue("evaluate")), "event-subscriptions", Result.FAIL, "queue evaluate of state"),
    "it sends to a queue elsewhere": (_vaults(destination=_queue("wake", f"{ACCOUNT}2")), "event-subscriptions", Result.FAIL, "queue wake of state2"),
    "it sends to a webhook": (_vaults(destination={"endpointType": "WebHook", "properties": {}}), "event-subscriptions", Result.FAIL, "sends to WebHook"),
    "it sends nowhere": (_vaults(destination=None), "event-subscriptions", Result.FAIL, "not said"),
    "it sends what we cannot read": (_vaults(eventDeliverySchema="CustomInputSchema"), "event-subscriptions", Result.FAIL, "CustomInputSchema"),
    "it will end": (_vaults(expirationTimeUtc="2026-12-01T00:00:00Z"), "event-subscriptions", Result.FAIL, "ends at 2026-12-01"),
    "it leaves out a kind of event": (_vaults(filter={**FILTER, "includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]}), "event-subscriptions", Result.FAIL, "ResourceDeleteSuccess"),
    "it leaves out an operation": (_vaults(filter={"advancedFilters": [{**OPERATIONS, "values": OPERATIONS["values"][:-1]}]}), "event-subscriptions", Result.FAIL, "roleAssignments/delete"),
    "two filters, and one leaves something out": (_vaults(filter={"advancedFilters": [OPERATIONS, {**OPERATIONS, "values": OPERATIONS["values"][1:]}]}), "event-subscriptions", Result.FAIL, "Microsoft.KeyVault/vaults/write"),
    "it has a filter of somebody's": (_vaults(filter={"advancedFilters": [OPERATIONS, {"key": "subject", "operatorType": "StringContains", "values": ["rg"]}]}), "event-subscriptions", Result.FAIL, "subject StringContains"),
    "it looks at one group alone": (_vaults(filter={**FILTER, "subjectBeginsWith": f"{HERE}/resourceGroups/rg"}), "event-subscriptions", Result.FAIL, "subjectBeginsWith"),
    "no dead letters": (_vaults(deadLetterWithResourceIdentity=None), "event-subscriptions", Result.WARN, "without a trace"),
    "dead letters without an identity": (_vaults(deadLetterWithResourceIdentity=None, deadLetterDestination=LETTERS), "event-subscriptions", Result.WARN, "without an identity"),
    "dead letters as an identity that is not there": (_vaults(deadLetterWithResourceIdentity=_named("UserAssigned")), "event-subscriptions", Result.WARN, "no such identity"),
    "dead letters that we do not read": (_vaults(deadLetterWithResourceIdentity=_named("SystemAssigned", {**LETTERS, "properties": {"resourceId": ACCOUNT, "blobContainerName": "other"}})), "event-subscriptions", Result.WARN, "state/other"),
    "dead letters that nobody reads": (lambda w: setattr(w.vitals, "home", replace(w.vitals.home, dead_letters="")), "event-subscriptions", Result.WARN, "CMK_DEAD_LETTERS is not set"),
    "the reader may not look": (fail("topics", Denied("AuthorizationFailed", "no")), "event-subscriptions", Result.FAIL, "may not read the event subscriptions"),
    "nobody answers": (fail("subscribed", Temporary("ConnectionLost", "gone")), "event-subscriptions", Result.UNKNOWN, "ConnectionLost"),
    "an answer that makes no sense": (_vaults(filter={"includedEventTypes": "all"}), "event-subscriptions", Result.UNKNOWN, "includedEventTypes"),
    "no event ever came": (lambda w: w.pulse.events.clear(), "last-events", Result.WARN, "about vaults has come ever"),
    "no event for long": (lambda w: w.pulse.events.update(workspaces=NOON - timedelta(days=8)), "last-events", Result.WARN, "since 2026-11-16T12:00:00"),
    "no event, and a first survey that nobody could have told of": (_first, "last-events", Result.WARN, "about vaults"),
    "no event, and the night found what they should have told": (_missed, "last-events", Result.FAIL, "found 4 targets"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_planted_fault_is_named_with_what_to_do(sentence: str) -> None:
    """That one thing is said, as bad as it is, and nothing else is wrong."""
    plant, name, result, said = FAULTS[sentence]
    world = well()
    plant(world)
    found = faults(world)

    assert {(it.name, it.result) for it in found} == {(name, result)}
    assert said in "\n".join(it.message for it in found)
    assert result is Result.UNKNOWN or all(it.todo for it in found)


def _anywhere(world: World) -> None:
    """Have an app that nobody told its own name, as outside App Service."""
    _vaults(destination=_function("/x/sites/y/functions/on_vault_write"))(world)
    world.vitals.home = replace(world.vitals.home, site="")


def _two_deployments(world: World) -> None:
    """Have another deployment hold our name, and ours another one."""
    theirs = event_subscription(VAULTS, destination=_function(f"{SITE}2/functions/on_vault_write"))
    world.vitals.grid[HERE] = [
        event_subscription(WORKSPACES),
        theirs,
        {**event_subscription(VAULTS), "name": "cmkwarden-two"},
    ]


def _with_topic(world: World) -> None:
    """Have a vault that holds keys, with its topic."""
    _without_topic(world)
    world.vitals.grid[vault_id()] = [event_subscription(KEYS)]


HARMLESS: dict[str, Callable[[World], None]] = {
    "without a list of kinds every kind passes": _vaults(filter={"includedEventTypes": None}),
    "more operations than we want": _vaults(filter={"advancedFilters": [{**OPERATIONS, "values": [*OPERATIONS["values"], "Microsoft.Compute/disks/write"]}]}),
    "another spelling": _vaults(destination=_function(f"{SITE}/functions/on_vault_write".upper()), provisioningState="succeeded", eventDeliverySchema="CLOUDEVENTSCHEMAV1_0"),
    "by our queue": _vaults(destination=_queue("wake")),
    "by our queue, as an identity": _vaults(destination=None, deliveryWithResourceIdentity={"identity": {"type": "SystemAssigned"}, "destination": _queue("wake")}),
    "outside App Service nobody knows which app it is": _anywhere,
    "somebody else's beside ours": lambda w: w.vitals.grid[HERE].append({"name": "theirs", "properties": {"provisioningState": "Failed"}}),
    "another deployment's under our name, and ours under another": _two_deployments,
    "a vault with its topic": _with_topic,
}  # fmt: skip


@pytest.mark.parametrize("sentence", HARMLESS)
def test_what_loses_nothing_is_no_fault(sentence: str) -> None:
    """More than we want, other spellings, other ways to us."""
    world = well()
    HARMLESS[sentence](world)

    assert faults(world) == []


def test_what_the_code_expects_is_what_is_deployed() -> None:
    """Names, functions, topics, schemas and filters are those of infra/event_subscriptions.json."""
    deployed = [
        topics.Wanted(
            it["name"], it["function"], it["topicType"], it["eventDeliverySchema"],
            frozenset(it["filter"]["includedEventTypes"]),
            frozenset(value for each in it["filter"].get("advancedFilters", ()) for value in each["values"]),
        )
        for it in json.loads((ROOT / "infra/event_subscriptions.json").read_text())
    ]  # fmt: skip

    assert list(topics.WANTED) == deployed


EVENT = {"id": "e-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": vault_id(), "data": {}}
OF_A_KEY = {
    "id": "e-2",
    "type": "Microsoft.KeyVault.KeyNewVersionCreated",
    "source": vault_id(),
    "subject": "k",
    "data": {},
}


@pytest.mark.parametrize(("event", "via"), [(EVENT, "vaults"), (OF_A_KEY, "keys")])
def test_an_event_that_is_worked_on_leaves_a_sign(event: dict[str, Any], via: str) -> None:
    """By what it speaks of. What is delivered again, comes back later or came from nobody's event leaves none."""
    world = World()
    world.arm.put(vault_body(enablePurgeProtection=True))
    (message,) = receive(world, json.dumps(event))
    body = json.loads(message)
    first = delivery(message, world.clock.now())
    for it in ({**body, "via": ""}, {**body, "attempt": 2}, {**body, "waited": True}, {**body, "via": "a\u0000b"}):
        evaluate(world, delivery(json.dumps(it), world.clock.now()))
    evaluate(world, again(first))
    assert world.pulse.events == {}

    evaluate(world, first)
    assert world.pulse.events == {via: world.clock.now()}


def test_a_sign_that_cannot_be_left_stops_nothing() -> None:
    """Our storage refuses that row: the vault is judged all the same."""
    world = World()
    world.arm.put(vault_body())

    def refuse(*_: object) -> None:
        raise Temporary("ServerBusy", "later")

    world.pulse.arrived = refuse  # type: ignore[assignment,method-assign]
    (message,) = receive(world, json.dumps(EVENT))
    evaluate(world, delivery(message, world.clock.now()))

    assert world.row().finding.reason
