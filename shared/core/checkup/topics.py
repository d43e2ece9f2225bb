"""What Event Grid must send us: infra/event_subscriptions.json, as code, and what is wrong with what is there instead. Pure.

Bodies are those of Microsoft.EventGrid 2025-02-15. What is checked is that nothing is lost: more events than we want
cost a little, one too few is a write that is seen in the coming night only.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.checkup import Check, Result
from shared.core.checkup.rights import listed
from shared.core.ids import fold
from shared.core.parse import wire
from shared.core.ports.vitals import Home

type Json = Mapping[str, Any]
SUBSCRIPTIONS, VAULTS = "Microsoft.Resources.Subscriptions", "Microsoft.KeyVault.vaults"
WAKE = "wake"  # the queue for apps that Event Grid cannot reach
NAME, AREA = "event-subscriptions", "events"
_SCHEMAS = frozenset({"eventgridschema", "cloudeventschemav1_0"})
_OPERATION = "data.operationname"
# What a template would put right, by the kind of topic.
_DEPLOY = {
    SUBSCRIPTIONS: "deploy infra/arm/subscription.json there with subscribe=true: infra/event_subscriptions.json, as it must be",
    VAULTS: "deploy infra/arm/vault.json there with subscribe=true: infra/event_subscriptions.json, as it must be",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One event subscription. `operations` is what its filter must let through; empty: it filters by the kind of event alone."""

    name: str
    function: str
    topic: str
    schema: str
    types: frozenset[str]
    operations: frozenset[str] = frozenset()


_WRITTEN = frozenset({"Microsoft.Resources.ResourceDeleteSuccess", "Microsoft.Resources.ResourceWriteSuccess"})
WANTED = (
    Wanted(
        "cmkwarden-workspaces", "on_workspace_write", SUBSCRIPTIONS, "CloudEventSchemaV1_0", _WRITTEN,
        frozenset({"Microsoft.Databricks/workspaces/delete", "Microsoft.Databricks/workspaces/write"}),
    ),
    Wanted(
        "cmkwarden-vaults", "on_vault_write", SUBSCRIPTIONS, "EventGridSchema", _WRITTEN,
        frozenset({
            "Microsoft.Authorization/roleAssignments/delete", "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Insights/diagnosticSettings/delete", "Microsoft.Insights/diagnosticSettings/write",
            "Microsoft.KeyVault/vaults/accessPolicies/write", "Microsoft.KeyVault/vaults/delete",
            "Microsoft.KeyVault/vaults/keys/write", "Microsoft.KeyVault/vaults/secrets/write",
            "Microsoft.KeyVault/vaults/write",
        }),
    ),
    Wanted(
        "cmkwarden-keys", "on_key_event", VAULTS, "CloudEventSchemaV1_0",
        frozenset({
            "Microsoft.KeyVault.KeyExpired", "Microsoft.KeyVault.KeyNearExpiry",
            "Microsoft.KeyVault.KeyNewVersionCreated", "Microsoft.KeyVault.VaultAccessPolicyChanged",
        }),
    ),
)  # fmt: skip


def of(topics: Sequence[Json], source: str, kind: str) -> Json | None:
    """Return the system topic whose events are those of a resource: there is one for each (AZURE 5.1)."""
    for topic in topics:
        properties = wire.obj(topic, "properties")
        if (fold(wire.text(properties, "source")), fold(wire.text(properties, "topicType"))) == (
            fold(source),
            fold(kind),
        ):
            return topic
    return None


def without(sources: Sequence[str]) -> Iterator[Check]:
    """Say which resources have no system topic. A vault without one is seen in the coming night; a subscription is blind."""
    subscriptions = [it for it in sources if it.count("/") == 2]
    vaults = [it for it in sources if it.count("/") > 2]
    if subscriptions:
        yield Check(
            NAME, AREA, Result.FAIL, f"there is no system topic of {listed(subscriptions)}: no write there wakes anybody",
            _DEPLOY[SUBSCRIPTIONS],
        )  # fmt: skip
    if vaults:
        yield Check(
            NAME, AREA, Result.WARN, f"there is no system topic of {listed(vaults)}: a new version of a key is seen in the coming night only",
            "make one for each vault that holds keys: deploy infra/arm/vault.json there",
        )  # fmt: skip


def at(topic: Json, subscribed: Sequence[Json], source: str, home: Home) -> Iterator[Check]:
    """Judge the event subscriptions of the system topic of a resource."""
    kind = fold(wire.text(wire.obj(topic, "properties"), "topicType"))
    for wanted in WANTED:
        if fold(wanted.topic) == kind:
            yield from _judged(wanted, topic, subscribed, source, home)


def _judged(wanted: Wanted, topic: Json, subscribed: Sequence[Json], source: str, home: Home) -> Iterator[Check]:
    """Judge the one that is ours: by its name, or, whatever it is called, by where it sends to."""
    worst = Result.FAIL if wanted.topic == SUBSCRIPTIONS else Result.WARN
    mine = [
        it for it in subscribed if fold(wire.text(it, "name")) == fold(wanted.name) or not _elsewhere(wanted, it, home)
    ]
    if not mine:
        said = f"{source} has no event subscription {wanted.name}: what it is for wakes nobody"
        yield Check(NAME, AREA, worst, said, _DEPLOY[wanted.topic])
        return
    found = [tuple(_faults(wanted, it, home)) for it in mine]
    if all(found):
        yield Check(NAME, AREA, worst, f"{wanted.name} at {source}: {'; '.join(found[0])}", _DEPLOY[wanted.topic])
        return
    lost = [tuple(_unburied(topic, it, home)) for it, faults in zip(mine, found, strict=True) if not faults]
    if all(lost):
        yield Check(
            NAME, AREA, Result.WARN, f"{wanted.name} at {source}: {'; '.join(lost[0])}",
            "give it the dead-letter container that CMK_DEAD_LETTERS names, written as the identity of its topic",
        )  # fmt: skip


def _faults(wanted: Wanted, it: Json, home: Home) -> Iterator[str]:
    properties = wire.obj(it, "properties")
    state = wire.text(properties, "provisioningState")
    if fold(state) != "succeeded":
        yield f"it is {state or 'in no state that is said'}, and only one that is Succeeded sends"
    elsewhere = _elsewhere(wanted, it, home)
    if elsewhere:
        yield elsewhere
    schema = wire.text(properties, "eventDeliverySchema")
    if schema and fold(schema) not in _SCHEMAS:
        yield f"it sends {schema}, which we do not read"
    ends = wire.text(properties, "expirationTimeUtc")
    if ends:
        yield f"it ends at {ends}"
    yield from _held_back(wanted, wire.obj(properties, "filter"))


def _elsewhere(wanted: Wanted, it: Json, home: Home) -> str:
    """Say where an event subscription sends to instead of to us; '' where it is us."""
    properties = wire.obj(it, "properties")
    delivery = wire.obj(properties, "deliveryWithResourceIdentity")
    destination = wire.obj(properties, "destination") or wire.obj(delivery, "destination")
    kind, place = wire.text(destination, "endpointType"), wire.obj(destination, "properties")
    where = wire.text(place, "resourceId")
    if fold(kind) == "azurefunction":
        site, _, function = fold(where).rpartition("/sites/")[2].partition("/functions/")
        is_here = not home.site or site == fold(home.site)
        return (
            ""
            if is_here and function == wanted.function
            else f"it sends to {site}/{function}, not to our {wanted.function}"
        )
    if fold(kind) == "storagequeue":
        account, queue = where.rpartition("/")[2], wire.text(place, "queueName")
        is_ours = (fold(account), fold(queue)) == (fold(home.account), WAKE)
        return "" if is_ours else f"it sends to the queue {queue} of {account}, not to our queue {WAKE}"
    return f"it sends to {kind or 'a place that is not said'}, not to our {wanted.function}"


def _held_back(wanted: Wanted, filters: Json) -> Iterator[str]:
    """Say what its filters keep from us. Without a list of kinds every kind passes."""
    kinds = wire.words(filters, "includedEventTypes")
    if kinds:
        yield from _lacking(wanted.types, kinds, "events")
    for field in ("subjectBeginsWith", "subjectEndsWith"):
        text = wire.text(filters, field)
        if text:
            yield f"it lets through only what {field} {text}"
    for each in wire.rows(filters, "advancedFilters"):
        key, operator = wire.text(each, "key"), wire.text(each, "operatorType")
        if wanted.operations and (fold(key), fold(operator)) == (_OPERATION, "stringin"):
            yield from _lacking(wanted.operations, wire.words(each, "values"), "operations")
        else:
            yield f"it has a filter that we do not know: {key} {operator}"


def _lacking(wanted: frozenset[str], there: Sequence[str], what: str) -> Iterator[str]:
    known = {fold(it) for it in there}
    missing = sorted(it for it in wanted if fold(it) not in known)
    if missing:
        yield f"its filter holds back the {what} {listed(missing)}"


def _unburied(topic: Json, it: Json, home: Home) -> Iterator[str]:
    """Say what becomes of events that cannot be delivered, where that is not ours to read."""
    properties = wire.obj(it, "properties")
    named = wire.obj(properties, "deadLetterWithResourceIdentity")
    letters = wire.obj(named, "deadLetterDestination") or wire.obj(properties, "deadLetterDestination")
    if not letters:
        yield "it has no dead-letter container: what cannot be delivered within a day is lost without a trace"
        return
    kind = wire.text(wire.obj(named, "identity"), "type")
    if not kind:
        yield "it writes dead letters without an identity: an account that takes no keys refuses them"
    elif fold(kind) not in fold(wire.text(wire.obj(topic, "identity"), "type")):
        yield f"it writes dead letters as {kind}, and its topic has no such identity"
    place = wire.obj(letters, "properties")
    there = f"{wire.text(place, 'resourceId').rpartition('/')[2]}/{wire.text(place, 'blobContainerName')}"
    if not home.dead_letters:
        yield f"its dead letters go to {there}, and nobody reads them: CMK_DEAD_LETTERS is not set"
    elif fold(there) != fold(home.dead_letters):
        yield f"its dead letters go to {there}, and CMK_DEAD_LETTERS is {home.dead_letters}"
