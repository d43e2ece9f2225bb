"""Tickets as the flow sees them: four verbs that every ticket system has, and two lists that the built-in one adds."""

from dataclasses import dataclass
from typing import Protocol

from shared.core.ticket import Note, Standing, Ticket


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket as it was found. `etag` guards the next write where the system knows such a thing."""

    ticket: Ticket
    etag: str


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A part of a list; `cursor` continues it and is '' at its end."""

    items: tuple[Ticket, ...]
    cursor: str


class Tickets(Protocol):
    """A ticket system. Each write raises RowChanged where the ticket is another by now, Temporary where it may work later."""

    def find(self, key: str) -> Filed | None:
        """Return the ticket with a key, or None."""
        ...

    def create(self, ticket: Ticket, note: Note) -> None:
        """Open a ticket. There is one for each key, whoever else opens it at the same moment."""
        ...

    def comment(self, over: Filed, ticket: Ticket, note: Note | None) -> None:
        """Have the ticket say what it says now, and post a note where there is one: once for each key."""
        ...

    def transition(self, over: Filed, ticket: Ticket, note: Note) -> None:
        """Close or reopen it, with what it says now and the note that says why."""
        ...


class TicketBook(Tickets, Protocol):
    """The built-in ticket system: the sweep and the API read it as lists."""

    def page(self, *, standing: Standing | None, cursor: str, limit: int) -> TicketPage:
        """Return tickets in the order of their keys; None matches all. Raises BadInput for a cursor that is not ours."""
        ...

    def notes(self, key: str) -> tuple[Note, ...]:
        """Return what happened to a ticket, oldest first."""
        ...
