"""Event subscriptions: who wants which events, in what form and how they are delivered.

Entries are those of infra/event_subscriptions.json; what an entry asks for that is not imitated stops the start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.arm.answer import Json
from simulator.arm.router import fold

SUBSCRIPTIONS = "Microsoft.Resources.Subscriptions"
VAULTS = "Microsoft.KeyVault.vaults"
SCHEMAS = ("EventGridSchema", "CloudEventSchemaV1_0")
FUNCTION, WEBHOOK = "AzureFunction", "WebHook"
# What is not tried again differs by endpoint (AZURE 5.4): a webhook's 401 is final, a function's is not.
NOT_RETRIED = {FUNCTION: frozenset({400, 403, 413}), WEBHOOK: frozenset({400, 401, 403, 413})}
MOST_FILTERS = MOST_VALUES = 25  # AZURE 5.1, unverified there
OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "StringIn": lambda value, wanted: value in wanted,
    "StringNotIn": lambda value, wanted: value not in wanted,
    "StringContains": lambda value, wanted: any(each in value for each in wanted),
    "StringNotContains": lambda value, wanted: not any(each in value for each in wanted),
    "StringBeginsWith": lambda value, wanted: value.startswith(tuple(wanted)),
    "StringNotBeginsWith": lambda value, wanted: not value.startswith(tuple(wanted)),
    "StringEndsWith": lambda value, wanted: value.endswith(tuple(wanted)),
    "StringNotEndsWith": lambda value, wanted: not value.endswith(tuple(wanted)),
}


@dataclass(slots=True)
class Subscriber:
    """One event subscription."""

    name: str
    topic: str
    source: str  # the resource whose events these are, in lower case; '' is every one of its kind
    is_cloud: bool
    filter: Json
    endpoint: str  # FUNCTION | WEBHOOK
    function: str
    url: str
    batch: int
    batch_bytes: int
    attempts: int
    minutes: int
    dead_letter: str  # the container of the storage account; '' when there is none
    site: str = ""  # the id of the function app it is shown to send to; '' is the one of the configuration
    letters_as: str = "SystemAssigned"  # the identity that writes dead letters; '' is none
    state: str = "Succeeded"  # a webhook's is Creating until it has answered the handshake, or Failed

    def show(self) -> Json:
        """As the management port lists it."""
        names = ("name", "topic", "source", "endpoint", "function", "url", "state", "dead_letter")
        return {name: getattr(self, name) for name in names}

    def wants(self, event: Json, topic: str, source: str) -> bool:
        """Whether the event is let through; strings are compared without case (AZURE 5.1)."""
        if self.topic != topic or (self.source and self.source != fold(source)) or self.state != "Succeeded":
            return False
        wanted, types = self.filter, self.filter.get("includedEventTypes")
        cased = bool(wanted.get("isSubjectCaseSensitive"))
        subject, begin, end = event["subject"], wanted.get("subjectBeginsWith", ""), wanted.get("subjectEndsWith", "")
        if not cased:
            subject, begin, end = fold(subject), fold(begin), fold(end)
        return (
            (types is None or event["eventType"] in types)
            and subject.startswith(begin)
            and subject.endswith(end)
            and all(_passes(each, event) for each in wanted.get("advancedFilters", []))
        )


def subscriber(entry: Json) -> Subscriber:
    """An entry as a Subscriber; ValueError says what in it cannot be served."""
    filters = entry.get("filter", {})
    advanced = filters.get("advancedFilters", [])
    unknown = [each["operatorType"] for each in advanced if each["operatorType"] not in OPERATORS]
    schema, topic = entry["eventDeliverySchema"], entry.get("topicType", SUBSCRIPTIONS)
    endpoint = entry.get("endpointType", FUNCTION)
    if schema not in SCHEMAS or topic not in {SUBSCRIPTIONS, VAULTS} or endpoint not in NOT_RETRIED or unknown:
        raise ValueError(
            f"event subscription '{entry['name']}': {schema}, {topic}, {endpoint} or {unknown} not imitated"
        )
    if len(advanced) > MOST_FILTERS or sum(len(each["values"]) for each in advanced) > MOST_VALUES:
        raise ValueError(f"event subscription '{entry['name']}': more than {MOST_FILTERS} filters or values")
    retry = entry.get("retryPolicy", {})
    return Subscriber(
        name=entry["name"],
        topic=topic,
        source=fold(str(entry.get("source", ""))),
        is_cloud=schema == "CloudEventSchemaV1_0",
        filter=filters,
        endpoint=endpoint,
        function=entry.get("function", ""),
        url=str(entry["endpointUrl"]) if endpoint == WEBHOOK else "",
        batch=_within(entry, "maxEventsPerBatch", entry.get("maxEventsPerBatch", 1), 5000),
        batch_bytes=_within(entry, "size", entry.get("preferredBatchSizeInKilobytes", 64), 1024) * 1024,
        attempts=_within(entry, "maxDeliveryAttempts", retry.get("maxDeliveryAttempts", 30), 30),
        minutes=_within(entry, "eventTimeToLiveInMinutes", retry.get("eventTimeToLiveInMinutes", 1440), 1440),
        dead_letter=str(entry.get("deadLetterContainer", "")),
        site=str(entry.get("site", "")),
        letters_as=str(entry.get("deadLetterIdentity", "SystemAssigned")),
        state="Creating" if endpoint == WEBHOOK else "Succeeded",
    )


def _within(entry: Json, what: str, value: Any, most: int) -> int:
    if not 1 <= int(value) <= most:
        raise ValueError(f"event subscription '{entry['name']}': {what} is from 1 to {most}, not {value}")
    return int(value)


def _passes(advanced: Json, event: Json) -> bool:
    value: Any = event
    for part in advanced["key"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    wanted = [fold(str(each)) for each in advanced["values"]]
    negated = "Not" in advanced["operatorType"]
    return negated if value is None else OPERATORS[advanced["operatorType"]](fold(str(value)), wanted)
