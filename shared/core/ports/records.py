"""What cmkwarden knows, as the flow sees it: rows, targets, the ledger, poison."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.chain import Entry
from shared.core.control import Memory
from shared.core.ids import ResourceId
from shared.core.plan import Write
from shared.core.ports.values import (
    Event,
    Gather,
    Known,
    Page,
    Poisoned,
    PoisonPage,
    PoisonRecord,
    Stored,
    StoredPage,
    SummaryPage,
)
from shared.core.record import Remediation, State
from shared.core.shelf import Wanted


class Records(Protocol):
    """Rows with their histories, what is known of targets, and the ledger of what happened by itself."""

    def get(self, row_id: str) -> Stored | None:
        """Return the row, or None."""
        ...

    def save(self, row: Remediation, event: Event, over: Stored | None) -> Stored:
        """Write the row and its history entry together. Raises Conflict where the row has changed since `over`."""
        ...

    def page(self, *, states: Sequence[State], control: str, target: str, cursor: str, limit: int) -> Page:
        """Return rows in the order of their places; empty filters match all. Raises BadInput for a cursor that is not ours."""
        ...

    def walk(self, *, states: Sequence[State], cursor: str, limit: int) -> Page:
        """Return rows in these states in the order of their ids, which no change moves. Raises BadInput as `page` does."""
        ...

    def summaries(self, wanted: Wanted, *, cursor: str, limit: int) -> SummaryPage:
        """Return what a list shows of rows, in the order of their places. Raises BadInput for a cursor that is not ours."""
        ...

    def heads(self, cursor: str, limit: int) -> StoredPage:
        """Return rows in the order of their ids, with where their histories end. Raises BadInput as `page` does."""
        ...

    def history(self, row_id: str, after: int = 0) -> tuple[Entry, ...]:
        """Return the history of a row, oldest first: the whole, or what comes behind the entry numbered `after`."""
        ...

    def histories(self, first: str, last: str) -> Iterable[tuple[str, Entry]]:
        """Return the entries of all rows from one id to another, each with its row's id, row by row, oldest first."""
        ...

    def known(self, target: ResourceId) -> Known:
        """Return what is known of a target."""
        ...

    def begin(self, target: ResourceId, message: str, over: Gather | None) -> bool:
        """Stamp, in storage's own time, that a gather begins. False where another has begun since `over` was read."""
        ...

    def schedule(self, target: ResourceId, due: datetime, after: Gather) -> None:
        """Note that since a gather another look was scheduled, which may begin at `due`. A new gather ends the note."""
        ...

    def failed(self, target: ResourceId, failures: int) -> None:
        """Note how many looks in a row have ended in something temporary; 0 after one that has not."""
        ...

    def reserve(self, target: ResourceId, row_id: str, now: datetime, lease: timedelta) -> bool:
        """Take a target for the writes of one row. False where another row has it and gave a sign of life within `lease`."""
        ...

    def release(self, target: ResourceId, row_id: str) -> None:
        """Give a target back, where this row has it."""
        ...

    def remember(self, target: ResourceId, lesson: Callable[[Memory], Memory]) -> None:
        """Keep what a look has taught: apply the pure `lesson` to what is known now, again if somebody was faster."""
        ...

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Return the ledger of a subscription."""
        ...

    def let_through(self, target: ResourceId, reference: str, now: datetime) -> tuple[Write, ...]:
        """Enter a write into the ledger and return the entries that came before it within a day."""
        ...

    def withdraw(self, target: ResourceId, reference: str) -> None:
        """Take an entry back: the write will not happen by itself after all."""
        ...

    def let_ask(self, person: str, reference: str, most: int, now: datetime) -> bool:
        """Enter a request of a person's. False, and no entry, where `most` others of theirs came within a day.

        The same request twice is one entry; of two that race for the last place at least one is refused.
        """
        ...

    def poison(self, what: Poisoned, now: datetime) -> None:
        """Keep a record of something that could not be worked on. The same thing twice is one record."""
        ...

    def poisoned(self, poison_id: str) -> PoisonRecord | None:
        """Return one record of poison, or None."""
        ...

    def poison_page(self, *, cursor: str, limit: int) -> PoisonPage:
        """Return records of poison. Raises BadInput for a cursor that is not ours."""
        ...

    def redriven(self, record: PoisonRecord, person: str, now: datetime) -> PoisonRecord:
        """Note on a record of poison that a person has sent it again."""
        ...
