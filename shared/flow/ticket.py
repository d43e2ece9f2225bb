"""Bring a ticket in line with its row, whatever told us to: the row says what its ticket is, not the notice.

Notices come doubled, late and in any order, and some never come. Each reads the row as it is now. A ticket is written
over the version that was read, never over a newer one, and the sweep finds what no notice has brought in line.
"""

import logging
from collections.abc import Iterable, Iterator

from shared.core.errors import RowChanged, Temporary
from shared.core.ports import Filed, Ports, Stored, Tickets
from shared.core.record import Remediation
from shared.core.ticket import Change, Content, Standing, Ticket, Verb, change, content_of, is_in_line
from shared.flow.messages import NOTIFY, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.ticket")

_TRIES = 5
_PAGE = 200


def align(ports: Ports, stored: Stored) -> None:
    """Bring the ticket of a row in line. Raises Temporary, also where others keep writing the same ticket."""
    row_id = stored.row.id
    for _ in range(_TRIES):
        filed = ports.tickets.find(row_id)
        wanted = _wanted(ports, filed, stored)
        if wanted is None:
            return
        try:
            _carry(ports.tickets, wanted, filed)
        except RowChanged:
            stored = ports.records.get(row_id) or stored
            continue
        note = wanted.note
        say(
            _log, "ticket", remediation=row_id, standing=wanted.ticket.standing, event=note.event if note else "updated",
            reason=note.reason if note else "Updated", version=wanted.ticket.version,
        )  # fmt: skip
        return
    raise Temporary("TicketIsBusy", f"the ticket {row_id} was written by others {_TRIES} times in a row")


def mend(ports: Ports, rows: Iterable[Remediation]) -> int:
    """Send a notice for each row whose ticket is not in line. `rows` are all that are not resolved, in the order of their ids.

    Rows and open tickets are read side by side, page by page: calls go by pages, not by rows. A row that needs a ticket
    and has none that is open, a ticket that says something else than its row, an open one whose row is not there.
    """
    sent, tickets = 0, _open(ports)
    ticket = next(tickets, None)
    for row in rows:
        while ticket is not None and ticket.id < row.id:
            sent += _notice(ports, ticket.id)
            ticket = next(tickets, None)
        own = None
        if ticket is not None and ticket.id == row.id:
            own, ticket = ticket, next(tickets, None)
        if not is_in_line(own, row, _content(ports, row)):
            sent += _notice(ports, row.id)
    while ticket is not None:
        sent += _notice(ports, ticket.id)
        ticket = next(tickets, None)
    return sent


def _wanted(ports: Ports, filed: Filed | None, stored: Stored) -> Change | None:
    ticket, row = filed.ticket if filed else None, stored.row
    content = _content(ports, row)
    if is_in_line(ticket, row, content) and (ticket is None or ticket.version >= stored.head):
        return None  # most rows never need a ticket: their history is not read for it
    history = [it for it in ports.records.history(row.id) if it.n <= stored.head]
    return change(ticket, row, history, content)


def _content(ports: Ports, row: Remediation) -> Content:
    control = next((it.control for it in ports.remediators if it.control.id == row.control), None)
    return content_of(row, control, ports.choices)


def _carry(tickets: Tickets, wanted: Change, filed: Filed | None) -> None:
    if filed is None:
        assert wanted.note is not None  # noqa: S101 - what opens a ticket says so
        tickets.create(wanted.ticket, wanted.note)
    elif wanted.verb is Verb.TRANSITION and wanted.note is not None:
        tickets.transition(filed, wanted.ticket, wanted.note)
    else:
        tickets.comment(filed, wanted.ticket, wanted.note)


def _open(ports: Ports) -> Iterator[Ticket]:
    cursor = ""
    while True:
        page = ports.tickets.page(standing=Standing.OPEN, cursor=cursor, limit=_PAGE)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


def _notice(ports: Ports, row_id: str) -> bool:
    try:
        stored = ports.records.get(row_id)
        if stored is None:
            return False
        ports.queue.send(NOTIFY, Notify(row_id, stored.row.state, stored.row.occurrence).body())
    except Temporary as error:  # one row must not cost the others their chance
        say(_log, "missed", logging.WARNING, remediation=row_id, reason=error.reason)
        return False
    say(_log, "told_again", remediation=row_id, state=stored.row.state)
    return True
