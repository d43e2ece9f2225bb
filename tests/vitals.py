"""The doctor's measurements as a fake: everything is well until a test breaks it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.core.checkup import topics
from shared.core.errors import Conflict
from shared.core.part import Part
from shared.core.ports import Backlog, Clock, Home, Seen
from simulator.stack import ROOT

SUBSCRIPTION = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
DATABRICKS = "db0c0002-58f1-4a6b-b0c4-1f7d2e9a0302"
QUEUES = ("evaluate", "apply", "notify", "wake")


def role(name: str, **changes: Any) -> dict[str, Any]:
    """Return a role of infra/roles as Azure shows its definition."""
    file = json.loads((ROOT / f"infra/roles/{name}.json").read_text())
    block = {word: file[word[0].upper() + word[1:]] for word in ("actions", "notActions", "dataActions")} | changes
    return {"name": name, "properties": {"roleName": file["Name"], "permissions": [block]}}


def condition(databricks: str = DATABRICKS) -> str:
    """Return the writer's condition as it is to be deployed."""
    return (ROOT / "infra/roles/grants.condition").read_text().replace("{azure_databricks}", databricks)


def assigned(name: str, scope: str = "/", text: str = "") -> dict[str, Any]:
    """Return an assignment of a role."""
    role_id = f"/providers/Microsoft.Authorization/roleDefinitions/{name}"
    return {"properties": {"roleDefinitionId": role_id, "scope": scope, "condition": text or None}}


SITE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Web/sites/warden"
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/state"


def system_topic(source: str = f"/subscriptions/{SUBSCRIPTION}", kind: str = topics.SUBSCRIPTIONS) -> dict[str, Any]:
    """Return a system topic as Azure shows it."""
    where = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.EventGrid/systemTopics"
    properties = {"provisioningState": "Succeeded", "source": source, "topicType": kind.upper()}
    return {
        "id": f"{where}/{source.rpartition('/')[2]}",
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
    }


def event_subscription(wanted: topics.Wanted, **changes: Any) -> dict[str, Any]:
    """Return an event subscription as infra/event_subscriptions.json has it, as Azure shows it. None takes a property away."""
    (file,) = [
        it for it in json.loads((ROOT / "infra/event_subscriptions.json").read_text()) if it["name"] == wanted.name
    ]
    place = {"resourceId": ACCOUNT, "blobContainerName": file["deadLetterContainer"]}
    letters = {"endpointType": "StorageBlob", "properties": place}
    properties = {
        "provisioningState": "Succeeded",
        "destination": {
            "endpointType": "AzureFunction",
            "properties": {"resourceId": f"{SITE}/functions/{file['function']}"},
        },
        "filter": file["filter"],
        "eventDeliverySchema": file["eventDeliverySchema"],
        "deadLetterWithResourceIdentity": {"identity": {"type": "SystemAssigned"}, "deadLetterDestination": letters},
    } | changes
    return {"name": wanted.name, "properties": {name: it for name, it in properties.items() if it is not None}}


@dataclass
class MemoryPulse:
    """Signs of life in memory."""

    events: dict[str, datetime] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)

    def arrived(self, via: str, now: datetime) -> None:
        self.events[via] = now

    def arrivals(self) -> Mapping[str, datetime]:
        return self.events

    def beat(self, part: Part) -> None:
        self.parts[part.name] = part

    def part(self, name: str) -> Part | None:
        return self.parts.get(name)


@dataclass
class FakeVitals:
    """What the doctor measures. `failures` are raised by the measurement of that name, each time."""

    clock: Clock
    failures: dict[str, Exception] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=lambda: {"reader": "reader-oid", "writer": "writer-oid"})
    roles: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {name: role(name) for name in ("reader", "writer", "grants", "linked")}
    )
    assignments: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            "reader-oid": [assigned("reader")],
            "writer-oid": [assigned("writer"), assigned("grants", text=condition()), assigned("linked")],
        }
    )
    queues: dict[str, Backlog] = field(default_factory=lambda: {name: Backlog(0, {}) for name in QUEUES})
    taken: dict[str, str] = field(default_factory=dict)  # messages that are gone at the second look, by queue
    off: dict[str, timedelta] = field(default_factory=dict)
    writes: list[Seen] = field(default_factory=list)
    home: Home = field(default_factory=lambda: Home("warden", "state", "state/dead-letters", signs_in=True))
    grid: dict[str, list[dict[str, Any]]] = field(
        default_factory=dict
    )  # event subscriptions by the source of their topic
    looks: int = 0

    def identity(self, who: str) -> str:
        self._fail("identity", who)
        return self.identities[who]

    def held(self, subscription: str, principal: str) -> Sequence[Mapping[str, Any]]:
        self._fail("held", principal)
        return self.assignments.get(principal, [])

    def definition(self, subscription: str, role: str) -> Mapping[str, Any]:
        if role not in self.roles:
            raise Conflict("RoleDefinitionDoesNotExist", role)
        return self.roles[role]

    def topics(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        self._fail("topics", subscription)
        kinds = {2: topics.SUBSCRIPTIONS, 8: topics.VAULTS}
        return [system_topic(source, kinds[source.count("/")]) for source in self.grid]

    def subscribed(self, topic: str) -> Sequence[Mapping[str, Any]]:
        self._fail("subscribed", topic)
        return next(rows for source, rows in self.grid.items() if source.rpartition("/")[2] == topic.rpartition("/")[2])

    def time(self, where: str) -> datetime:
        self._fail("time", where)
        return (self.clock.now() + self.off.get(where, timedelta(0))).replace(microsecond=0)

    def tables(self) -> None:
        self._fail("tables", "")

    def backlog(self, queue: str) -> Backlog | None:
        self._fail("backlog", queue)
        self.looks += 1
        found = self.queues.get(queue)
        gone = self.taken.get(queue) if self.looks > 2 * len(QUEUES) else None
        return Backlog(found.waiting, {key: at for key, at in found.first.items() if key != gone}) if found else None

    def signing_keys(self) -> int:
        self._fail("signing_keys", "")
        return 2

    def written(self, subscription: str, since: datetime) -> Sequence[Seen]:
        self._fail("written", subscription)
        return [it for it in self.writes if it.target.subscription == subscription and it.time >= since]

    def _fail(self, name: str, of: str) -> None:
        for key in (name, f"{name} {of}"):
            if key in self.failures:
                raise self.failures[key]
