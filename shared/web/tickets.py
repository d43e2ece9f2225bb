"""Tickets over the API: the list, and one with its content as values and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput
from shared.core.ports import Ports
from shared.core.ticket import Content, Note, Standing, Ticket, markdown
from shared.web import asked
from shared.web.answers import answer
from shared.web.openapi import Operation, Parameter

_STATES = {"type": "string", "enum": [it.value for it in Standing]}
_LIST = (Parameter("state", "only tickets in this state", _STATES), *asked.PART)
_AN_ID = {"type": "string", "pattern": f"^{asked.ID}$"}
_ID = Parameter("id", "the remediation's id, which is the ticket's", _AN_ID, place="path", required=True)


class TicketOut(msgspec.Struct):
    """The ticket of a remediation, under its id. `reason` says why it is closed; `version` is the head of the row's history."""

    id: str
    title: str
    state: Standing
    reason: str
    control: str
    target: str
    subject: str
    owner: str
    occurrence: int
    version: int
    opened: datetime
    updated: datetime


class TicketWithContent(TicketOut):
    """The same with all that it says, its own history, and the whole as Markdown in which every foreign word is escaped."""

    content: Content
    history: tuple[Note, ...]
    markdown: str


class TicketOutPage(msgspec.Struct):
    """A part of a list. `next` is the cursor of the following part, or null at the end."""

    items: tuple[TicketOut, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class TicketApi:
    """The endpoints."""

    ports: Ports

    def tickets(self, request: Request) -> Response:
        """List what people have to see to, or had to."""
        wanted = request.query_params.get("state")
        if wanted is not None and wanted not in list(Standing):
            raise BadInput("BadState", f"state must be one of {', '.join(Standing)}")
        page = self.ports.tickets.page(standing=Standing(wanted) if wanted else None, **asked.part(request, _LIST))
        return answer(TicketOutPage(tuple(TicketOut(**_fields(it)) for it in page.items), page.cursor or None))

    def ticket(self, request: Request) -> Response:
        """Show one ticket: as values, and as Markdown."""
        key = request.path_params["id"]
        filed = self.ports.tickets.find(key) if asked.is_id(key) else None
        if filed is None:
            raise HTTPException(404, "There is no such ticket")
        ticket, notes = filed.ticket, self.ports.tickets.notes(key)
        whole = markdown(ticket, notes)
        return answer(TicketWithContent(**_fields(ticket), content=ticket.content, history=notes, markdown=whole))


def operations(ports: Ports) -> Sequence[Operation]:
    """Return their rows of the route table."""
    tickets = TicketApi(ports)
    return (
        Operation("GET", "/api/tickets", tickets.tickets, TicketOutPage, _LIST),
        Operation("GET", "/api/tickets/{id}", tickets.ticket, TicketWithContent, (_ID,)),
    )


def _fields(ticket: Ticket) -> dict[str, Any]:
    it = ticket.content
    return {
        "id": ticket.id, "title": it.title, "state": ticket.standing, "reason": ticket.reason, "control": it.control,
        "target": it.target, "subject": it.subject, "owner": it.owner, "occurrence": ticket.occurrence,
        "version": ticket.version, "opened": ticket.opened, "updated": ticket.updated,
    }  # fmt: skip
