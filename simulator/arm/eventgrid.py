"""Event Grid's side of a write: which subscriptions want the event, and what it looks like in their schema.

Shapes are those of data/samples/events: 7-digit fractions, claims as strings, `httpRequest` only when something that
existed was changed or deleted (AZURE 5.1), the subject's casing as it comes. The body of the resource is never in it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from simulator.arm.access import Grant
from simulator.arm.answer import Json
from simulator.arm.clock import stamp
from simulator.arm.config import Config
from simulator.arm.delivery import Delivery
from simulator.arm.handshake import shake_hands
from simulator.arm.subscribers import SUBSCRIPTIONS, VAULTS, WEBHOOK, Subscriber, subscriber
from simulator.arm.tokens import Caller

KINDS = {"write": "Write", "delete": "Delete", "action": "Action"}
STATUSES = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}
CLAIMS = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "scp": "http://schemas.microsoft.com/identity/claims/scope",
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "upn": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done, or tried, through ARM."""

    operation: str  # Microsoft.KeyVault/vaults/write
    resource: str
    subscription: str
    caller: Caller
    grant: Grant | None
    correlation: str
    request: Mapping[str, str]  # clientRequestId, clientIpAddress, method, url
    existed: bool
    outcome: str = "Success"  # Success | Failure | Cancel
    status: int = 200  # of the answer
    error: Json | None = None  # code and message, where it was refused


class EventGrid:
    """The system topics of all subscriptions and vaults, with the event subscriptions on each."""

    def __init__(self, config: Config, delivery: Delivery) -> None:
        self._tenant = config.tenant
        self._delivery = delivery
        self.subscribers = [subscriber(each) for each in config.event_subscriptions]
        self._turn = count()

    async def add(self, entry: Json) -> Subscriber:
        """One more event subscription; a webhook is asked first. Under a name that is taken it takes its place."""
        one = subscriber(entry)
        self.remove(one.name)
        self.subscribers.append(one)
        if one.endpoint == WEBHOOK:
            await shake_hands(self._delivery.session(), one)
        return one

    def remove(self, name: str) -> None:
        """No more of this event subscription."""
        self.subscribers = [each for each in self.subscribers if each.name != name]

    async def start(self) -> None:
        """Shake hands with the webhooks that the configuration names."""
        for each in self.subscribers:
            if each.state == "Creating":
                await shake_hands(self._delivery.session(), each)

    def publish(self, happening: Happening) -> None:
        """Hand the event to everyone who subscribed to it."""
        if happening.subscription:
            self._hand_out(self._event(happening), SUBSCRIPTIONS, f"/subscriptions/{happening.subscription}")

    def vault_event(self, vault: str, kind: str, data: Json | None = None) -> None:
        """An event of a vault's own system topic: KeyNewVersionCreated, KeyNearExpiry, VaultAccessPolicyChanged ...

        `data` holds Id, ObjectType, ObjectName, Version, NBF, EXP; what is missing is null (AZURE 5.3). The odd spelling
        of Microsoft's printed sample is kept for every other event: nobody has a real one.
        """
        name, turn = vault.rsplit("/", 1)[-1], next(self._turn)
        fields: Json = {"Id": None, "VaultName": name, "ObjectType": None, "ObjectName": None}
        fields |= {"Version": None, "NBF": None, "EXP": None, **(data or {})}
        subject = fields["ObjectName"] or name
        event: Json = {
            "id": str(uuid.uuid4()),
            "topic": vault,
            "subject": subject,
            "eventType": f"Microsoft.KeyVault.{kind}",
            "eventTime": stamp(),
            "data": _as_printed(fields) if turn % 2 else fields,
            "dataVersion": "1",
            "metadataVersion": "1",
        }
        self._hand_out(event, VAULTS, vault)

    def _hand_out(self, event: Json, topic: str, source: str) -> None:
        for each in self.subscribers:
            if each.wants(event, topic, source):
                self._delivery.send(each, _cloud(event) if each.is_cloud else event)

    def _event(self, happening: Happening) -> Json:
        subject = self._casing(happening.resource)
        kind = KINDS.get(happening.operation.rsplit("/", 1)[-1].lower(), "Action")
        evidence = {} if _is_refusal_of_rights(happening) else {"evidence": _evidence(happening.grant)}
        return {
            "subject": subject,
            "eventType": f"Microsoft.Resources.Resource{kind}{happening.outcome}",
            "id": str(uuid.uuid4()),
            "data": {
                "authorization": {"scope": subject, "action": happening.operation, **evidence},
                "claims": claims_of(happening.caller),
                "correlationId": happening.correlation,
                **({"httpRequest": dict(happening.request)} if happening.existed else {}),
                "resourceProvider": happening.operation.split("/", 1)[0],
                "resourceUri": subject,
                "operationName": happening.operation,
                "status": STATUSES[happening.outcome],
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


def _as_printed(fields: Json) -> Json:
    """As the documentation prints it: a space behind ObjectName, one before the version, times as text (AZURE 5.3)."""
    version, nbf, exp = (fields[name] for name in ("Version", "NBF", "EXP"))
    return {
        **{name: fields[name] for name in ("Id", "VaultName", "ObjectType")},
        "ObjectName ": fields["ObjectName"],
        "Version": version and f" {version}",
        "NBF": None if nbf is None else str(nbf),
        "EXP": None if exp is None else str(exp),
    }


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


def claims_of(caller: Caller) -> Json:
    """The caller's claims under their long names; all values are strings in real events."""
    return {CLAIMS.get(name, name): str(value) for name, value in caller.claims.items()}


def _is_refusal_of_rights(happening: Happening) -> bool:
    return happening.grant is None and happening.outcome != "Success"


def _evidence(grant: Grant | None) -> Any:
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
