"""What cmkwarden knows, in Table Storage: rows with their histories, what is known of targets, ledgers, poison.

    table          partition          row              holds
    remediations   remediation id     row              the current row; head and newest continue its history
                                      history-0000001  one entry, written together with the row or not at all
    targets        key of the target  gather           for which message a gather began; storage stamps when
                                      memory           what earlier looks have taught
                                      due              when a look that is scheduled may begin
                                      failures         looks in a row that ended in something temporary
                                      hand             which row has the target for its writes
    ledger         subscription       reference        a write that was let through to happen by itself
    poison         key of source      record           something that could not be worked on
                   and reference

Keys are hashes or GUIDs, so that any ARM id survives. Nothing here names a person but by object id.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.adapters.tables import Entity, Table, cells, joined
from shared.core.chain import START, Entry, link
from shared.core.control import Memory
from shared.core.errors import RowChanged
from shared.core.ids import ResourceId
from shared.core.plan import Write
from shared.core.ports import Event, Gather, Known, MemoryPage, Page, Poisoned, PoisonPage, PoisonRecord, Stored
from shared.core.record import Remediation, State, key

_DAY = timedelta(days=1)


class TableRecords:
    """The records of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _service(self) -> TableServiceClient:
        return TableServiceClient(self._url, credential=self._credential, retry_total=3)

    @cached_property
    def _rows(self) -> Table:
        return Table(self._service, "remediations")

    @cached_property
    def _targets(self) -> Table:
        return Table(self._service, "targets")

    @cached_property
    def _ledger(self) -> Table:
        return Table(self._service, "ledger")

    @cached_property
    def _poison(self) -> Table:
        return Table(self._service, "poison")

    # rows

    def get(self, row_id: str) -> Stored | None:
        """Return the row, or None."""
        entity = self._rows.get(row_id, "row")
        return _stored(entity) if entity else None

    def save(self, row: Remediation, event: Event, over: Stored | None) -> Stored:
        """Write the row and its history entry together. Raises RowChanged where the row has changed since `over`."""
        entry = _next(row, event, over)
        entity = {
            "PartitionKey": row.id, "RowKey": "row", "control": row.control, "target": row.target.lower(),
            "state": row.state.value, "updated": row.updated, "head": entry.n, "newest": entry.hash,
            **cells("body", _json(row)),
        }  # fmt: skip
        past = {"PartitionKey": row.id, "RowKey": f"history-{entry.n:07}", **cells("body", _json(entry))}
        try:
            etag = self._rows.together(entity, over.etag if over else "", past)
        except RowChanged:
            # The SDK sends a write again when its answer is lost: then the change that we meet is our own.
            now = self.get(row.id)
            if now is None or now.newest != entry.hash:
                raise
            return now
        return Stored(row, etag, entry.n, entry.hash)

    def page(self, *, states: Sequence[State], control: str, target: str, cursor: str, limit: int) -> Page:
        """Return rows in the order of their ids; empty filters match all."""
        conditions, parameters = ["RowKey eq @row"], {"row": "row"}
        if states:
            # The SDK finds its parameters between spaces.
            conditions.append("( " + " or ".join(f"state eq @s{n}" for n in range(len(states))) + " )")
            parameters |= {f"s{n}": state.value for n, state in enumerate(states)}
        if control:
            conditions.append("control eq @control")
            parameters["control"] = control
        if target:
            conditions.append("target eq @target")
            parameters["target"] = target.lower()
        found, following = self._rows.page(" and ".join(conditions), parameters, cursor, limit)
        return Page(tuple(_stored(entity).row for entity in found), following)

    def history(self, row_id: str) -> tuple[Entry, ...]:
        """Return the whole history of a row, oldest first."""
        condition = "PartitionKey eq @id and RowKey ge 'history-' and RowKey lt 'history.'"
        found = self._rows.query(condition, {"id": row_id})
        return tuple(msgspec.json.decode(joined("body", entity), type=Entry) for entity in found)

    # targets

    def known(self, target: ResourceId) -> Known:
        """Return what is known of a target, in one read."""
        entities = {it["RowKey"]: it for it in self._targets.query("PartitionKey eq @key", {"key": key(target.key)})}
        gather, due = _gather(entities.get("gather")), entities.get("due")
        is_its = gather is not None and due is not None and due["after"] == gather.etag
        failures = entities.get("failures")
        return Known(
            gather, _memory(entities.get("memory")), _utc(due["due"]) if due and is_its else None,
            int(failures["count"]) if failures else 0,
        )  # fmt: skip

    def begin(self, target: ResourceId, message: str, over: Gather | None) -> bool:
        """Stamp that a gather begins. The entity's own Timestamp is the stamp: storage's time, not ours."""
        fresh = {"PartitionKey": key(target.key), "RowKey": "gather", "message": message}
        try:
            self._targets.swap(fresh, over.etag if over else "")
        except RowChanged:
            return False
        return True

    def schedule(self, target: ResourceId, due: datetime, after: Gather) -> None:
        """Note when a scheduled look may begin. A row of its own: the stamp of the gather must not move."""
        self._targets.put({"PartitionKey": key(target.key), "RowKey": "due", "due": due, "after": after.etag})

    def failed(self, target: ResourceId, failures: int) -> None:
        """Note how many looks in a row have ended in something temporary."""
        self._targets.put({"PartitionKey": key(target.key), "RowKey": "failures", "count": failures})

    def memories(self, cursor: str, limit: int) -> MemoryPage:
        """Return what is known of targets."""
        found, following = self._targets.page("RowKey eq @row", {"row": "memory"}, cursor, limit)
        return MemoryPage(tuple((str(it["target"]), _memory(it)) for it in found), following)

    def reserve(self, target: ResourceId, row_id: str, now: datetime, lease: timedelta) -> bool:
        """Take a target for the writes of one row: compare and set on an entity of the target."""
        partition = key(target.key)
        entity = self._targets.get(partition, "hand")
        if entity and entity["holder"] != row_id and _utc(entity["since"]) + lease > now:
            return False
        fresh = {"PartitionKey": partition, "RowKey": "hand", "holder": row_id, "since": now}
        try:
            self._targets.swap(fresh, _etag(entity) if entity else "")
        except RowChanged:
            # Our own write, sent again by the SDK after its answer was lost, or somebody else's.
            taken = self._targets.get(partition, "hand")
            return taken is not None and taken["holder"] == row_id
        return True

    def release(self, target: ResourceId, row_id: str) -> None:
        """Give a target back."""
        partition = key(target.key)
        entity = self._targets.get(partition, "hand")
        if entity and entity["holder"] == row_id:
            with suppress(RowChanged):  # taken by somebody else since it was read
                self._targets.remove(partition, "hand", _etag(entity))

    @retry(
        retry=retry_if_exception_type(RowChanged),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )
    def remember(self, target: ResourceId, lesson: Callable[[Memory], Memory]) -> None:
        """Keep what a look has taught: compare and set, again if somebody was faster."""
        partition = key(target.key)
        entity = self._targets.get(partition, "memory")
        before = _memory(entity)
        after = lesson(before)
        if after != before:
            fresh = {
                "PartitionKey": partition,
                "RowKey": "memory",
                "target": str(target),
                **cells("body", _json(after)),
            }
            self._targets.swap(fresh, _etag(entity) if entity else "")

    # ledger

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Return the ledger of a subscription from a time on."""
        condition = "PartitionKey eq @sub and time ge @since"
        found = self._ledger.query(condition, {"sub": subscription.lower(), "since": since})
        return tuple(Write(_utc(it["time"]), str(it["target"])) for it in found)

    def let_through(self, target: ResourceId, reference: str, now: datetime) -> tuple[Write, ...]:
        """Enter a write, then read what came before it: of two that race, storage's stamps say who was first."""
        partition, row = target.subscription.lower(), key(target.key, reference)
        entity = {"PartitionKey": partition, "RowKey": row, "time": now, "target": target.key}
        self._ledger.add(entity)
        condition = "PartitionKey eq @sub and time ge @since"
        found = list(self._ledger.query(condition, {"sub": partition, "since": now - _DAY}))
        own = next(((_stamp(it), row) for it in found if it["RowKey"] == row), (now, row))
        before = [it for it in found if (_stamp(it), it["RowKey"]) < own]
        return tuple(Write(_utc(it["time"]), str(it["target"])) for it in before)

    def withdraw(self, target: ResourceId, reference: str) -> None:
        """Take an entry back."""
        self._ledger.remove(target.subscription.lower(), key(target.key, reference))

    # poison

    def poison(self, what: Poisoned, now: datetime) -> None:
        """Keep a record of something that could not be worked on. The same thing twice is one record."""
        whole = replace(what, message=_storable(what.message)[:4000], body=_storable(what.body))
        self._keep(PoisonRecord(key(what.source, what.reference), whole, now))

    def poisoned(self, poison_id: str) -> PoisonRecord | None:
        """Return one record of poison, or None."""
        entity = self._poison.get(poison_id, "record")
        return _poison(entity) if entity else None

    def poison_page(self, *, cursor: str, limit: int) -> PoisonPage:
        """Return records of poison in the order of their ids."""
        found, following = self._poison.page("RowKey eq @row", {"row": "record"}, cursor, limit)
        return PoisonPage(tuple(_poison(entity) for entity in found), following)

    def redriven(self, record: PoisonRecord, person: str, now: datetime) -> PoisonRecord:
        """Note on a record of poison that a person has sent it again."""
        noted = replace(record, redriven=now, person=person)
        self._keep(noted)
        return noted

    def _keep(self, record: PoisonRecord) -> None:
        self._poison.put({"PartitionKey": record.id, "RowKey": "record", **cells("body", _json(record))})


def _poison(entity: Entity) -> PoisonRecord:
    return msgspec.json.decode(joined("body", entity), type=PoisonRecord)


def _storable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no storage takes."""
    return text.encode("utf-8", "replace").decode()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _next(row: Remediation, event: Event, over: Stored | None) -> Entry:
    entry = Entry(
        n=(over.head if over else 0) + 1, time=row.updated, event=event.name, state=row.state, actor=event.actor,
        reason=event.reason, detail=msgspec.to_builtins(dict(event.detail)), previous=over.newest if over else START,
    )  # fmt: skip
    return replace(entry, hash=link(entry))


def _stored(entity: Entity) -> Stored:
    row = msgspec.json.decode(joined("body", entity), type=Remediation)
    return Stored(row, _etag(entity), int(entity["head"]), str(entity["newest"]))


def _etag(entity: Any) -> str:
    return str(entity.metadata["etag"])


def _stamp(entity: Any) -> datetime:
    return _utc(entity.metadata["timestamp"])


def _utc(moment: datetime) -> datetime:
    """Return a plain datetime: the SDK hands out a subclass of its own."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _gather(entity: Entity | None) -> Gather | None:
    return Gather(_stamp(entity), str(entity["message"]), _etag(entity)) if entity else None


def _memory(entity: Mapping[str, Any] | None) -> Memory:
    return msgspec.json.decode(joined("body", entity), type=Memory) if entity else Memory()
