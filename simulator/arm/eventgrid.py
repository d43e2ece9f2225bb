"""Event Grid's side of a write: which subscriptions want the event, and what it looks like in their schema.

Shapes are those of data/samples/events: 7-digit fractions, claims as strings, `httpRequest` only when something that
existed was changed or deleted (AZURE 5.1), the subject's casing as it comes. The body of the resource is never in it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from simulator.arm.access import Grant
from simulator.arm.answer import Json
from simulator.arm.clock import stamp
from simulator.arm.config import Config
from simulator.arm.delivery import Delivery
from simulator.arm.tokens import Caller

TOPIC = "Microsoft.Resources.Subscriptions"
SCHEMAS = ("EventGridSchema", "CloudEventSchemaV1_0")
KINDS = {"write": "Write", "delete": "Delete", "action": "Action"}
CLAIMS = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "scp": "http://schemas.microsoft.com/identity/claims/scope",
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "upn": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
}
OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "StringIn": lambda value, wanted: value in wanted,
    "StringNotIn": lambda value, wanted: value not in wanted,
    "StringContains": lambda value, wanted: any(each in value for each in wanted),
    "StringBeginsWith": lambda value, wanted: value.startswith(tuple(wanted)),
    "StringEndsWith": lambda value, wanted: value.endswith(tuple(wanted)),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done through ARM."""

    operation: str  # Microsoft.KeyVault/vaults/write
    resource: str
    subscription: str
    caller: Caller
    grant: Grant | None
    correlation: str
    request: Mapping[str, str]  # clientRequestId, clientIpAddress, method, url
    existed: bool


class EventGrid:
    """The system topics of all subscriptions, with the configured event subscriptions on each."""

    def __init__(self, config: Config, delivery: Delivery) -> None:
        self._tenant = config.tenant
        self._delivery = delivery
        self._subscriptions = [_checked(each) for each in config.event_subscriptions]
        self._turn = count()

    def publish(self, happening: Happening) -> None:
        """Hand the event to everyone who subscribed to it."""
        if not happening.subscription:
            return
        event = self._event(happening)
        for each in self._subscriptions:
            if _wants(each["filter"], event):
                cloud = each["eventDeliverySchema"] == "CloudEventSchemaV1_0"
                self._delivery.send(each["function"], each["name"], _cloud(event) if cloud else event, cloud=cloud)

    def _event(self, happening: Happening) -> Json:
        subject = self._casing(happening.resource)
        kind = KINDS[happening.operation.rsplit("/", 1)[-1].lower()]
        return {
            "subject": subject,
            "eventType": f"Microsoft.Resources.Resource{kind}Success",
            "id": str(uuid.uuid4()),
            "data": {
                "authorization": {
                    "scope": subject,
                    "action": happening.operation,
                    "evidence": _evidence(happening.grant),
                },
                "claims": _claims(happening.caller),
                "correlationId": happening.correlation,
                **({"httpRequest": dict(happening.request)} if happening.existed else {}),
                "resourceProvider": happening.operation.split("/", 1)[0],
                "resourceUri": subject,
                "operationName": happening.operation,
                "status": "Succeeded",
                "subscriptionId": happening.subscription,
                "tenantId": self._tenant,
            },
            "dataVersion": "2",
            "metadataVersion": "1",
            "eventTime": stamp(),
            "topic": f"/subscriptions/{happening.subscription}",
        }

    def _casing(self, resource: str) -> str:
        """Real subjects say `resourcegroups` or `resourceGroups` (INDEX, eventgrid): every other one of ours does."""
        if next(self._turn) % 2:
            return resource
        return resource.replace("/resourceGroups/", "/resourcegroups/")


def _checked(subscription: Json) -> Json:
    """An event subscription that we can serve; anything else stops the start."""
    schema, topic = subscription["eventDeliverySchema"], subscription.get("topicType", TOPIC)
    filters = subscription.get("filter", {})
    unknown = [
        each["operatorType"] for each in filters.get("advancedFilters", []) if each["operatorType"] not in OPERATORS
    ]
    if schema not in SCHEMAS or topic != TOPIC or unknown:
        raise ValueError(f"event subscription '{subscription['name']}': {schema}, {topic} or {unknown} not imitated")
    return {**subscription, "filter": filters}


def _wants(wanted: Json, event: Json) -> bool:
    """Whether a filter lets the event through; strings are compared without case (AZURE 5.1)."""
    types = wanted.get("includedEventTypes")
    subject = event["subject"].lower()
    return (
        (types is None or event["eventType"] in types)
        and subject.startswith(wanted.get("subjectBeginsWith", "").lower())
        and subject.endswith(wanted.get("subjectEndsWith", "").lower())
        and all(_passes(each, event) for each in wanted.get("advancedFilters", []))
    )


def _passes(advanced: Json, event: Json) -> bool:
    value: Any = event
    for part in advanced["key"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    wanted = [str(each).lower() for each in advanced["values"]]
    return value is not None and OPERATORS[advanced["operatorType"]](str(value).lower(), wanted)


def _cloud(event: Json) -> Json:
    """The same event as CloudEvents 1.0: topic is source, versions fall away (AZURE 5.1)."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "specversion": "1.0",
        "data": event["data"],
    }


def _claims(caller: Caller) -> Json:
    """The caller's claims under their long names; all values are strings in real events."""
    return {CLAIMS.get(name, name): str(value) for name, value in caller.claims.items()}


def _evidence(grant: Grant | None) -> Json:
    if grant is None:
        return {"role": "Subscription Admin"}
    return {
        "role": grant.role.name,
        "roleAssignmentScope": grant.scope,
        "roleAssignmentId": grant.id.rsplit("/", 1)[-1].replace("-", ""),
        "roleDefinitionId": grant.role.guid.replace("-", ""),
        "principalId": grant.principal.replace("-", ""),
        "principalType": grant.principal_type,
    }
