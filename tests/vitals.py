"""The doctor's measurements as a fake: everything is well until a test breaks it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.core.ports import Backlog, Clock, Seen
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
    looks: int = 0

    def identity(self, who: str) -> str:
        self._fail("identity", who)
        return self.identities[who]

    def held(self, subscription: str, principal: str) -> Sequence[Mapping[str, Any]]:
        self._fail("held", principal)
        return self.assignments.get(principal, [])

    def definition(self, subscription: str, role: str) -> Mapping[str, Any]:
        return self.roles[role]

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
