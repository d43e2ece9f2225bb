"""The contract of the built-in tickets, run on the fake and on real storage through the real SDK."""

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.tickets.table import TableTickets
from shared.core.control import Finding
from shared.core.errors import BadInput, RowChanged
from shared.core.ports import Filed, TicketBook
from shared.core.ticket import Note, Standing, Ticket
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.core.test_ticket import opened, row
from tests.fakes import NOON
from tests.tickets import MemoryTickets

_NUMBERS = itertools.count()


@pytest.fixture(params=["memory", "azurite"])
def tickets(request: pytest.FixtureRequest) -> Iterator[TicketBook]:
    """Both kinds of tickets."""
    if request.param == "memory":
        yield MemoryTickets()
        return
    environment: Client = request.getfixturevalue("environment")
    yield TableTickets(environment.facts["storage"]["table"], identity(environment, "reader"))


def _ticket(message: str = "purge protection is off", prefix: str = "ticket") -> Ticket:
    """Return a ticket that no other test uses."""
    finding = Finding("R", message, {"layers": [{"layer": "dbfsRoot", "verdict": "NonCompliant"}], "notes": ["ü"]})
    return opened(row(id=f"{prefix}{next(_NUMBERS):010}", finding=finding))


def _note(n: int, event: str = "commented", text: str = "x") -> Note:
    return Note(f"{n:07}-{event}", NOON + timedelta(minutes=n), event, "R", text)


def _found(tickets: TicketBook, key: str) -> Filed:
    found = tickets.find(key)
    assert found is not None
    return found


def test_a_ticket_comes_back_as_it_was(tickets: TicketBook) -> None:
    """Every field survives, steps and times included."""
    ticket = _ticket()
    tickets.create(ticket, _note(1, "opened"))

    assert _found(tickets, ticket.id).ticket == ticket
    assert tickets.notes(ticket.id) == (_note(1, "opened"),)


def test_a_ticket_that_is_not_there_is_none(tickets: TicketBook) -> None:
    """Asking for an unknown key answers nothing."""
    assert tickets.find("nothing") is None
    assert tickets.notes("nothing") == ()


def test_a_ticket_is_created_once(tickets: TicketBook) -> None:
    """Of two that open the same ticket one is told that it has changed."""
    ticket = _ticket()
    tickets.create(ticket, _note(1, "opened"))
    with pytest.raises(RowChanged):
        tickets.create(replace(ticket, occurrence=2), _note(2, "opened"))

    assert _found(tickets, ticket.id).ticket.occurrence == 1
    assert len(tickets.notes(ticket.id)) == 1


def test_of_eight_that_open_a_ticket_one_does(tickets: TicketBook) -> None:
    """At the same moment: one ticket, one note."""
    ticket, won, lost = _ticket(), list[int](), list[int]()
    gate = threading.Barrier(8)

    def open_it(n: int) -> None:
        gate.wait()
        try:
            tickets.create(replace(ticket, occurrence=n), _note(n, "opened"))
            won.append(n)
        except RowChanged:
            lost.append(n)

    threads = [threading.Thread(target=open_it, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(won), len(lost)) == (1, 7)
    assert _found(tickets, ticket.id).ticket.occurrence == won[0]
    assert len(tickets.notes(ticket.id)) == 1


def test_who_read_an_older_version_writes_nothing(tickets: TicketBook) -> None:
    """Neither content nor note: they are written together or not at all."""
    ticket = _ticket()
    tickets.create(ticket, _note(1, "opened"))
    old = _found(tickets, ticket.id)
    tickets.comment(old, replace(ticket, version=2), _note(2))
    for note in (_note(3), None):
        with pytest.raises(RowChanged):
            tickets.comment(old, replace(ticket, version=3), note)

    assert _found(tickets, ticket.id).ticket.version == 2
    assert [note.key for note in tickets.notes(ticket.id)] == ["0000001-opened", "0000002-commented"]


def test_the_same_note_is_posted_once(tickets: TicketBook) -> None:
    """Its key is its name: who posts it again is told that the ticket has changed."""
    ticket = _ticket()
    tickets.create(ticket, _note(1, "opened"))
    tickets.comment(_found(tickets, ticket.id), ticket, _note(2))
    with pytest.raises(RowChanged):
        tickets.comment(_found(tickets, ticket.id), ticket, _note(2, text="again"))

    assert [note.text for note in tickets.notes(ticket.id)] == ["x", "x"]


def test_it_is_brought_up_to_date_without_a_note(tickets: TicketBook) -> None:
    """Where nobody need hear of it."""
    ticket = _ticket()
    tickets.create(ticket, _note(1, "opened"))
    tickets.comment(_found(tickets, ticket.id), replace(ticket, version=5), None)

    assert _found(tickets, ticket.id).ticket.version == 5
    assert len(tickets.notes(ticket.id)) == 1


def test_a_long_ticket_is_cut_and_joined(tickets: TicketBook) -> None:
    """What does not fit one cell of a table lies in several, in the ticket and in its notes."""
    ticket, long = _ticket("ü" * 2000), "ö" * 35_000
    ticket = replace(ticket, content=replace(ticket.content, notes=tuple("ä" * 2000 for _ in range(40))))
    tickets.create(ticket, _note(1, "opened", long))

    assert _found(tickets, ticket.id).ticket == ticket
    assert tickets.notes(ticket.id)[0].text == long


def test_lists_come_in_parts_and_by_state(tickets: TicketBook) -> None:
    """In the order of their keys, each once; closed ones are another list."""
    made = [_ticket() for _ in range(7)]
    for ticket in made:
        tickets.create(ticket, _note(1, "opened"))
    shut = replace(made[0], standing=Standing.CLOSED, reason="Verified")
    tickets.transition(_found(tickets, shut.id), shut, _note(2, "closed"))
    found: dict[Standing | None, list[str]] = {}
    for standing in (None, Standing.OPEN, Standing.CLOSED):
        cursor, found[standing] = "", []
        while True:
            page = tickets.page(standing=standing, cursor=cursor, limit=2)
            found[standing] += [it.id for it in page.items]
            cursor = page.cursor
            if not cursor:
                break
    own = [it.id for it in made]

    assert [key for key in found[None] if key in own] == own
    assert [key for key in found[Standing.OPEN] if key in own] == own[1:]
    assert [key for key in found[Standing.CLOSED] if key in own] == own[:1]


def test_a_cursor_of_somebody_elses_is_refused(tickets: TicketBook) -> None:
    """Only what a list has given out continues it."""
    with pytest.raises(BadInput):
        tickets.page(standing=None, cursor="not a cursor", limit=2)
