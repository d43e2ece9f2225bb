"""Fakes of the ports, for the flow: the same contract as the adapters (tests/adapters/test_records.py runs on both)."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from remediators.vault_recovery import VAULT_RECOVERY
from shared.core.chain import START, Entry, link
from shared.core.choices import Choices
from shared.core.control import Memory, Remediator
from shared.core.errors import BadInput, RowChanged
from shared.core.ids import ResourceId
from shared.core.part import Part
from shared.core.plan import Write
from shared.core.ports import (
    Claim,
    Event,
    Gather,
    Kept,
    Known,
    Page,
    Poisoned,
    PoisonPage,
    PoisonRecord,
    Stored,
    StoredPage,
    SummaryPage,
)  # fmt: skip
from shared.core.record import Remediation, State, key
from shared.core.shelf import Wanted, place, summary
from shared.core.steps import Request
from tests import bricks
from tests.access import Access
from tests.figures import MemoryFigures
from tests.looks import MemoryEstate, MemoryLetters, MemorySurveys
from tests.tickets import MemoryTickets
from tests.vaults import SETTINGS, FakeVaults, Graves
from tests.vitals import FakeVitals, MemoryPulse

SUBSCRIPTION = "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def vault_id(name: str = "kv-one", subscription: str = SUBSCRIPTION) -> str:
    """Return the id of a vault."""
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}"


def workspace_id(name: str = "dbw-one", subscription: str = SUBSCRIPTION) -> str:
    """Return the id of a workspace."""
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Databricks/workspaces/{name}"


def vault_body(name: str = "kv-one", tags: Mapping[str, str] | None = None, **properties: Any) -> dict[str, Any]:
    """Return a vault's body: soft delete on, purge protection off, unless told otherwise. None removes a property."""
    own = {"enableSoftDelete": True, "provisioningState": "Succeeded", "vaultUri": f"https://{name}.vault.azure.net/"}
    merged = {key: value for key, value in {**own, **properties}.items() if value is not None}
    tagged = {"cmk-vault": "true"} if tags is None else dict(tags)
    return {"id": vault_id(name), "name": name, "location": "westeurope", "tags": tagged, "properties": merged}


def workspace_body(name: str = "dbw-one", vault: str = "kv-one", **tags: str) -> dict[str, Any]:
    """Return the body of a workspace whose managed services use a key in a vault."""
    uri = f"https://{vault}.vault.azure.net/"
    key = {"keyVaultUri": uri, "keyName": "k", "keyVersion": "0" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}
    properties = {"provisioningState": "Succeeded", "encryption": {"entities": {"managedServices": entity}}}
    return {"id": workspace_id(name), "location": "westeurope", "tags": tags, "properties": properties}


@dataclass
class FakeClock:
    """Time that moves when told, and while waiting."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class FakeArm:
    """Azure as reader and hand see it. `failures` are raised by the next calls, one each."""

    clock: FakeClock
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, list[Exception]] = field(default_factory=lambda: {"read": [], "write": []})
    calls: list[tuple[str, str]] = field(default_factory=list)
    loses_replies: bool = False
    swallows: bool = False  # says yes to a write and does nothing
    says_nothing: bool = False  # does it, and does not say that it has ended
    access: Access | None = None
    graves: Graves = field(default_factory=Graves)
    identity: Mapping[str, str] = field(default_factory=lambda: {"client_id": "writer", "principal_id": "writer-oid"})

    def put(self, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            self.resources[body["id"].lower()] = json.loads(json.dumps(body))

    def read(self, target: ResourceId) -> Mapping[str, Any] | None:
        self.calls.append(("GET", target.key))
        if self.failures["read"]:
            raise self.failures["read"].pop(0)
        return self.resources.get(target.key)

    def write(self, request: Request, correlation: str) -> bool:
        assert len(correlation) == 36
        self.calls.append((request.method, (request.path + request.below).lower()))
        failure = self.failures["write"].pop(0) if self.failures["write"] else None
        if failure and not self.loses_replies:
            raise failure
        if self.swallows:
            return True
        self._obey(request)
        if failure:
            raise failure
        return not self.says_nothing

    def _obey(self, request: Request) -> None:
        path = (request.path + request.below).lower()
        if request.below.startswith("/keys/") and "/providers/" not in request.below:
            self.resources[path] = bricks.put_key(self.resources.get(path), path, request.body, self.clock.now())
        elif request.below.lower().startswith(SETTINGS):
            self.resources[path] = {"name": request.below.rsplit("/", 1)[1], **request.body}
        elif request.below:
            assert self.access is not None
            self.access.obey(request, self.clock.now())
        elif request.method == "PUT" and "/vaults/" in path:
            self.graves.unearth(self.resources, path, request.body)
        elif request.method == "PUT":
            self.resources[path] = bricks.put_workspace(self.resources[path], request.body)
        else:
            self.resources[path]["properties"].update(request.body["properties"])

    def key(self, vault: ResourceId, name: str, version: str = "") -> Mapping[str, Any] | None:
        self.calls.append(("GET", path := f"{vault.key}/keys/{name}".lower()))
        found = self.resources.get(f"{path}/versions/{version}") or self.resources.get(path)
        return found if found and found["properties"]["keyUriWithVersion"].endswith(version) else None

    def versions(self, vault: ResourceId, name: str) -> int:
        return int(self.resources[f"{vault.key}/keys/{name}".lower()].get("versions", 1))

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "GET"]


@dataclass
class FakeInventory:
    """Resource Graph over the fake's resources; `lag` hides everything."""

    arm: FakeArm
    lag: bool = False
    failures: list[Exception] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)

    def workspaces_naming(self, host: str) -> Sequence[Mapping[str, Any]]:
        if self.failures:
            raise self.failures.pop(0)
        return [] if self.lag else [body for body in self._of("workspaces") if host in json.dumps(body).lower()]

    def vaults_named(self, names: Sequence[str]) -> Mapping[str, str]:
        found = {} if self.lag else {body["id"].rsplit("/", 1)[1].lower(): body["id"] for body in self._of("vaults")}
        return {name: found[name] for name in names if name in found}

    def subscriptions(self) -> frozenset[str]:
        return frozenset({SUBSCRIPTION} - self.unseen)

    def listed(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        if self.failures:
            raise self.failures.pop(0)
        start = f"/subscriptions/{subscription.lower()}/"
        kinds = {"vaults": "microsoft.keyvault/vaults", "workspaces": "microsoft.databricks/workspaces"}
        return [
            {**it, "type": kind}
            for word, kind in kinds.items()
            for it in self._of(word)
            if it["id"].lower().startswith(start) and it["id"].count("/") == 8
        ]

    def vaults_in(self, subscription: str) -> int:
        return sum(subscription.lower() in body["id"].lower() for body in self._of("vaults"))

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [body for key, body in self.arm.resources.items() if f"/{kind}/" in key]


@dataclass
class FakeQueue:
    """Queues as lists."""

    clock: FakeClock
    sent: list[tuple[str, dict[str, Any], float]] = field(default_factory=list)

    def send(self, queue: str, body: Mapping[str, Any], delay: timedelta = timedelta(0)) -> datetime:
        self.sent.append((queue, json.loads(json.dumps(body)), delay.total_seconds()))
        return self.clock.now() + delay

    def of(self, queue: str) -> list[dict[str, Any]]:
        return [body for name, body, _ in self.sent if name == queue]

    def take(self, queue: str) -> str:
        """Remove and return the oldest message of a queue."""
        for at, (name, body, _) in enumerate(self.sent):
            if name == queue:
                del self.sent[at]
                return json.dumps(body)
        raise AssertionError(f"there is no message on {queue}")


def _place(cursor: str) -> int:
    """Return where a list goes on. Raises BadInput for what is no cursor of ours, as storage does."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        raise BadInput("BadCursor", "not a cursor")
    return int(cursor or 0)


@dataclass
class MemoryRecords:
    """Records in memory."""

    clock: FakeClock
    rows: dict[str, Stored] = field(default_factory=dict)
    past: dict[str, list[Entry]] = field(default_factory=dict)
    gathers: dict[str, Gather] = field(default_factory=dict)
    kept: dict[str, Memory] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    scheduled: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    ledger: dict[tuple[str, str], Write] = field(default_factory=dict)
    poison_records: dict[str, PoisonRecord] = field(default_factory=dict)
    hands: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    etags: int = 0

    def get(self, row_id: str) -> Stored | None:
        return self.rows.get(row_id)

    def save(self, row: Remediation, event: Event, over: Stored | None) -> Stored:
        now = self.rows.get(row.id)
        if (now.etag if now else None) != (over.etag if over else None):
            raise RowChanged("RowChanged", "the row has changed")
        entry = Entry(
            n=(over.head if over else 0) + 1, time=row.updated, event=event.name, state=row.state,
            actor=event.actor, reason=event.reason, detail=json.loads(json.dumps(dict(event.detail))),
            previous=over.newest if over else START,
        )  # fmt: skip
        entry = replace(entry, hash=link(entry))
        self.past.setdefault(row.id, []).append(entry)
        self.rows[row.id] = Stored(row, self._etag(), entry.n, entry.hash)
        return self.rows[row.id]

    def page(self, *, states: Sequence[State], control: str, target: str, cursor: str, limit: int) -> Page:
        found, following = self._listed(Wanted(states=tuple(states), control=control, target=target), cursor, limit)
        return Page(tuple(found), following)

    def walk(self, *, states: Sequence[State], cursor: str, limit: int) -> Page:
        found = [it.row for name, it in sorted(self.rows.items()) if name > cursor and it.row.state in states]
        return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else "")

    def summaries(self, wanted: Wanted, *, cursor: str, limit: int) -> SummaryPage:
        found, following = self._listed(wanted, cursor, limit)
        return SummaryPage(tuple(summary(row) for row in found), following)

    def _listed(self, wanted: Wanted, cursor: str, limit: int) -> tuple[list[Remediation], str]:
        at, rows = _place(cursor), sorted((stored.row for stored in self.rows.values()), key=place)
        found = [row for row in rows if wanted.takes(summary(row))]
        return found[at : at + limit], str(at + limit) if at + limit < len(found) else ""

    def heads(self, cursor: str, limit: int) -> StoredPage:
        if cursor and not cursor.isalnum():
            raise BadInput("BadCursor", "not a cursor")
        found = [self.rows[name] for name in sorted(self.rows) if name > cursor]
        return StoredPage(tuple(found[:limit]), found[limit - 1].row.id if len(found) > limit else "")

    def history(self, row_id: str, after: int = 0) -> tuple[Entry, ...]:
        return tuple(self.past.get(row_id, ())[after:])

    def histories(self, first: str, last: str) -> list[tuple[str, Entry]]:
        return [(name, it) for name in sorted(self.past) if first <= name <= last for it in self.past[name]]

    def known(self, target: ResourceId) -> Known:
        gather = self.gathers.get(target.key)
        due, after = self.scheduled.get(target.key, (None, None))
        is_its = gather is not None and after == gather.etag
        memory = self.kept.get(target.key, Memory())
        return Known(gather, memory, due if is_its else None, self.failing.get(target.key, 0))

    def begin(self, target: ResourceId, message: str, over: Gather | None) -> bool:
        if self.gathers.get(target.key) != over:
            return False
        self.gathers[target.key] = Gather(self.clock.now(), message, self._etag())
        return True

    def schedule(self, target: ResourceId, due: datetime, after: Gather) -> None:
        self.scheduled[target.key] = (due, after.etag)

    def failed(self, target: ResourceId, failures: int) -> None:
        self.failing[target.key] = failures

    def reserve(self, target: ResourceId, row_id: str, now: datetime, lease: timedelta) -> bool:
        holder, since = self.hands.get(target.key, (row_id, now))
        if holder != row_id and since + lease > now:
            return False
        self.hands[target.key] = (row_id, now)
        return True

    def release(self, target: ResourceId, row_id: str) -> None:
        if self.hands.get(target.key, ("", NOON))[0] == row_id:
            del self.hands[target.key]

    def remember(self, target: ResourceId, lesson: Callable[[Memory], Memory]) -> None:
        self.kept[target.key] = lesson(self.kept.get(target.key, Memory()))

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        return tuple(it for (sub, _), it in self.ledger.items() if sub == subscription.lower() and it.time >= since)

    def let_through(self, target: ResourceId, reference: str, now: datetime) -> tuple[Write, ...]:
        place = (target.subscription.lower(), target.key + reference)
        before = self.writes(target.subscription, now - timedelta(days=1))
        if place in self.ledger:
            own = self.ledger[place]
            return tuple(write for write in before if write is not own)
        self.ledger[place] = Write(now, target.key)
        return before

    def withdraw(self, target: ResourceId, reference: str) -> None:
        self.ledger.pop((target.subscription.lower(), target.key + reference), None)

    def let_ask(self, person: str, reference: str, most: int, now: datetime) -> bool:
        place, since = (f"asked-{person.lower()}", reference), now - timedelta(days=1)
        is_let = sum(it[0] == place[0] and it != place and self.ledger[it].time >= since for it in self.ledger) < most
        self.ledger |= {place: Write(now, "")} if is_let else {}
        return is_let

    def poison(self, what: Poisoned, now: datetime) -> None:
        record = PoisonRecord(key(what.source, what.reference), what, now)
        self.poison_records[record.id] = record

    def poisoned(self, poison_id: str) -> PoisonRecord | None:
        return self.poison_records.get(poison_id)

    def poison_page(self, *, cursor: str, limit: int) -> PoisonPage:
        found, at = sorted(self.poison_records.values(), key=lambda record: record.id), _place(cursor)
        return PoisonPage(tuple(found[at : at + limit]), str(at + limit) if at + limit < len(found) else "")

    def redriven(self, record: PoisonRecord, person: str, now: datetime) -> PoisonRecord:
        self.poison_records[record.id] = replace(record, redriven=now, person=person)
        return self.poison_records[record.id]

    def poison_list(self) -> list[Poisoned]:
        """Return what was poisoned, oldest first."""
        return [record.what for record in self.poison_records.values()]

    def _etag(self) -> str:
        self.etags += 1
        return str(self.etags)


@dataclass
class MemoryAnswers:
    """Answers in memory."""

    known: dict[str, tuple[Claim, datetime]] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    tokens: int = 0

    def claim(self, reference: str, asked: str, now: datetime, lease: timedelta) -> Claim:
        found, since = self.known.get(reference, (None, now))
        is_dead = found is not None and not found.kept and found.asked == asked and now - since >= lease
        if found and not is_dead and now - since < timedelta(days=1):
            return replace(found, token="")
        self.tokens += 1
        self.known[reference] = (Claim(asked, token=str(self.tokens)), now)
        return self.known[reference][0]

    def keep(self, reference: str, token: str, kept: Kept) -> None:
        if self.failures:
            raise self.failures.pop(0)
        claim, since = self.known[reference]
        if claim.token == token:
            self.known[reference] = (replace(claim, kept=kept), since)

    def release(self, reference: str, token: str) -> None:
        if reference in self.known and self.known[reference][0].token == token:
            del self.known[reference]

    def forget(self, before: datetime) -> int:
        old = [reference for reference, (_, since) in self.known.items() if since < before]
        for reference in old:
            del self.known[reference]
        return len(old)


@dataclass
class FakeDiary:
    """The Activity Log: who changed something last."""

    last: str = "author-oid"
    at: dict[str, str] = field(default_factory=dict)  # where it was somebody else

    def author(self, target: ResourceId) -> str:
        return self.at.get(target.key, self.last)


class World:
    """All fakes together: what the flow takes as its ports."""

    def __init__(self, **choices: Any) -> None:
        self.clock = FakeClock()
        # No gap unless a test speaks of it: then every message that needs a look gets one at once.
        own = Choices(auto_scope=(f"/subscriptions/{SUBSCRIPTION}",), gap=timedelta(0))
        self.choices = replace(own, **choices)
        # One control, so that what a test of the flow sees is about the flow; tests of a control set their own.
        self.remediators: tuple[Remediator, ...] = (VAULT_RECOVERY,)
        self.arm = FakeArm(self.clock)
        self.hand = self.arm
        self.keys = self.arm
        self.vaults = FakeVaults(self.arm.resources, self.arm.graves)
        self.inventory = FakeInventory(self.arm)
        self.diary = FakeDiary()
        self.queue = FakeQueue(self.clock)
        self.records = MemoryRecords(self.clock)
        self.estate = MemoryEstate()
        self.surveys = MemorySurveys()
        self.letters = MemoryLetters()
        self.figures = MemoryFigures()
        self.answers = MemoryAnswers()
        self.tickets = MemoryTickets()
        self.vitals = FakeVitals(self.clock)
        self.pulse = MemoryPulse()
        self.part = Part("all", "1.0.0", "3.13.1", {"CMK_MODE": "a"})

    @property
    def grants(self) -> Access:
        """Who may do what: of the one vault that a test has given."""
        return self.arm.access or Access({})

    def give(self, access: Access) -> None:
        """Put a vault with its access into the world; both sides see the same body."""
        self.arm.access = access
        self.arm.resources[access.vault["id"].lower()] = access.vault

    def row(self) -> Remediation:
        """Return the only row there is."""
        (stored,) = self.records.rows.values()
        return stored.row
