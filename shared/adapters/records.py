"""What cmkwarden knows, in Table Storage: what is known of targets, ledgers, poison; the rows are in rows.py.

    table          partition          row              holds
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

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.adapters.rows import TableRows
from shared.adapters.tables import Entity, Table, cells, encoded, etag_of, joined
from shared.core.control import Memory
from shared.core.errors import RowChanged
from shared.core.ids import ResourceId
from shared.core.plan import Write
from shared.core.ports import (
    Gather,
    Known,
    Poisoned,
    PoisonPage,
    PoisonRecord,
)
from shared.core.record import key

_DAY = timedelta(days=1)


class TableRecords(TableRows):
    """The records of one storage account."""

    @cached_property
    def _targets(self) -> Table:
        return Table(self._service, "targets")

    @cached_property
    def _ledger(self) -> Table:
        return Table(self._service, "ledger")

    @cached_property
    def _poison(self) -> Table:
        return Table(self._service, "poison")

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

    def reserve(self, target: ResourceId, row_id: str, now: datetime, lease: timedelta) -> bool:
        """Take a target for the writes of one row: compare and set on an entity of the target."""
        partition = key(target.key)
        entity = self._targets.get(partition, "hand")
        if entity and entity["holder"] != row_id and _utc(entity["since"]) + lease > now:
            return False
        fresh = {"PartitionKey": partition, "RowKey": "hand", "holder": row_id, "since": now}
        try:
            self._targets.swap(fresh, etag_of(entity) if entity else "")
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
                self._targets.remove(partition, "hand", etag_of(entity))

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
                **cells("body", encoded(after)),
            }
            self._targets.swap(fresh, etag_of(entity) if entity else "")

    # ledger

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Return the ledger of a subscription from a time on."""
        condition = "PartitionKey eq @sub and time ge @since"
        found = self._ledger.query(condition, {"sub": subscription.lower(), "since": since})
        return tuple(Write(_utc(it["time"]), str(it["target"])) for it in found)

    def let_through(self, target: ResourceId, reference: str, now: datetime) -> tuple[Write, ...]:
        """Enter a write, then read what came before it."""
        before = self._entered(target.subscription.lower(), key(target.key, reference), now, target.key)
        return tuple(Write(_utc(it["time"]), str(it["target"])) for it in before)

    def _entered(self, partition: str, row: str, now: datetime, target: str = "") -> list[Entity]:
        """Make an entry, then read what came before it within a day: of two that race, storage's stamps say who was first."""
        self._ledger.add({"PartitionKey": partition, "RowKey": row, "time": now, "target": target})
        condition = "PartitionKey eq @sub and time ge @since"
        found = list(self._ledger.query(condition, {"sub": partition, "since": now - _DAY}))
        own = next(((_stamp(it), row) for it in found if it["RowKey"] == row), (now, row))
        return [it for it in found if (_stamp(it), it["RowKey"]) < own]

    def withdraw(self, target: ResourceId, reference: str) -> None:
        """Take an entry back."""
        self._ledger.remove(target.subscription.lower(), key(target.key, reference))

    def let_ask(self, person: str, reference: str, most: int, now: datetime) -> bool:
        """Enter a request of a person's, in a partition that is no subscription's, unless too many came before it."""
        partition, row = f"asked-{key(person)}", key(reference)
        if len(self._entered(partition, row, now)) < most:
            return True
        self._ledger.remove(partition, row)
        return False

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
        self._poison.put({"PartitionKey": record.id, "RowKey": "record", **cells("body", encoded(record))})


def _poison(entity: Entity) -> PoisonRecord:
    return msgspec.json.decode(joined("body", entity), type=PoisonRecord)


def _storable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no storage takes."""
    return text.encode("utf-8", "replace").decode()


def _stamp(entity: Any) -> datetime:
    return _utc(entity.metadata["timestamp"])


def _utc(moment: datetime) -> datetime:
    """Return a plain datetime: the SDK hands out a subclass of its own."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _gather(entity: Entity | None) -> Gather | None:
    return Gather(_stamp(entity), str(entity["message"]), etag_of(entity)) if entity else None


def _memory(entity: Mapping[str, Any] | None) -> Memory:
    return msgspec.json.decode(joined("body", entity), type=Memory) if entity else Memory()
