"""Tickets in memory, of the same contract as the adapter (tests/adapters/test_tickets.py runs on both)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.core.errors import BadInput, RowChanged
from shared.core.ports import Filed, TicketPage
from shared.core.ticket import Note, Standing, Ticket


@dataclass
class MemoryTickets:
    """Tickets in memory. `failures` are raised by the next writes, one each; `rival` writes just before the next one."""

    filed: dict[str, Filed] = field(default_factory=dict)
    said: dict[str, dict[str, Note]] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    rival: Callable[[], None] | None = None
    etags: int = 0

    def find(self, key: str) -> Filed | None:
        return self.filed.get(key)

    def create(self, ticket: Ticket, note: Note) -> None:
        self._write(None, ticket, note)

    def comment(self, over: Filed, ticket: Ticket, note: Note | None) -> None:
        self._write(over, ticket, note)

    def transition(self, over: Filed, ticket: Ticket, note: Note) -> None:
        self._write(over, ticket, note)

    def page(self, *, standing: Standing | None, cursor: str, limit: int) -> TicketPage:
        if cursor and not cursor.isdigit():
            raise BadInput("BadCursor", "not a cursor")
        ordered = [filed.ticket for _, filed in sorted(self.filed.items())]
        found = [it for it in ordered if standing is None or it.standing is standing]
        at = int(cursor or 0)
        return TicketPage(tuple(found[at : at + limit]), str(at + limit) if at + limit < len(found) else "")

    def notes(self, key: str) -> tuple[Note, ...]:
        return tuple(note for _, note in sorted(self.said.get(key, {}).items()))

    def _write(self, over: Filed | None, ticket: Ticket, note: Note | None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.rival:
            rival, self.rival = self.rival, None
            rival()
        notes = self.said.setdefault(ticket.id, {})
        if self.filed.get(ticket.id) != over or (note and note.key in notes):
            raise RowChanged("RowChanged", "the ticket has changed")
        if note:
            notes[note.key] = note
        self.etags += 1
        self.filed[ticket.id] = Filed(ticket, str(self.etags))
