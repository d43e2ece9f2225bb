"""The built-in ticket system, in Table Storage.

    table    partition        row                     holds
    tickets  key of a ticket  ticket                  what it says now, guarded by its ETag
                              note-0000001-opened     one note, written together with the ticket or not at all

A note's row is named by its key: who posts it again is told that the ticket has changed, and finds it in line.
"""

from functools import cached_property
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Entity, Table, cells, joined
from shared.core.ports import Filed, TicketPage
from shared.core.ticket import Note, Standing, Ticket


class TableTickets:
    """The tickets of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _table(self) -> Table:
        return Table(TableServiceClient(self._url, credential=self._credential, retry_total=3), "tickets")

    def find(self, key: str) -> Filed | None:
        """Return the ticket with a key, or None."""
        entity = self._table.get(key, "ticket")
        return Filed(_ticket(entity), str(entity.metadata["etag"])) if entity else None  # type: ignore[attr-defined]

    def create(self, ticket: Ticket, note: Note) -> None:
        """Open a ticket."""
        self._write(ticket, "", note)

    def comment(self, over: Filed, ticket: Ticket, note: Note | None) -> None:
        """Have the ticket say what it says now, and post a note where there is one."""
        self._write(ticket, over.etag, note)

    def transition(self, over: Filed, ticket: Ticket, note: Note) -> None:
        """Close or reopen it."""
        self._write(ticket, over.etag, note)

    def page(self, *, standing: Standing | None, cursor: str, limit: int) -> TicketPage:
        """Return tickets in the order of their keys."""
        condition, parameters = "RowKey eq @row", {"row": "ticket"}
        if standing:
            condition, parameters = f"{condition} and standing eq @standing", {**parameters, "standing": standing.value}
        found, following = self._table.page(condition, parameters, cursor, limit)
        return TicketPage(tuple(_ticket(entity) for entity in found), following)

    def notes(self, key: str) -> tuple[Note, ...]:
        """Return what happened to a ticket, oldest first."""
        condition = "PartitionKey eq @key and RowKey ge 'note-' and RowKey lt 'note.'"
        found = self._table.query(condition, {"key": key})
        return tuple(msgspec.json.decode(joined("body", entity), type=Note) for entity in found)

    def _write(self, ticket: Ticket, etag: str, note: Note | None) -> None:
        entity = {
            "PartitionKey": ticket.id, "RowKey": "ticket", "standing": ticket.standing.value, "version": ticket.version,
            "updated": ticket.updated, **cells("body", _json(ticket)),
        }  # fmt: skip
        if note is None:
            self._table.swap(entity, etag)
            return
        said = {"PartitionKey": ticket.id, "RowKey": f"note-{note.key}", **cells("body", _json(note))}
        self._table.together(entity, etag, said)


def _ticket(entity: Entity) -> Ticket:
    return msgspec.json.decode(joined("body", entity), type=Ticket)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
