"""The contract of figures, on the fake and on real storage through the real SDK."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.adapters.figures import TableFigures
from shared.core.figures.age import Age
from shared.core.figures.census import Count, Group
from shared.core.figures.cost import Cost, Sum
from shared.core.figures.figures import Figures
from shared.core.figures.missed import Missed
from shared.core.figures.pace import Pace
from shared.core.figures.reading import Reading
from shared.core.figures.spread import Spread
from shared.core.figures.track import Episode, Question, Track, Way
from shared.core.ports import FigureBook, Records
from shared.core.record import State, moved
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.adapters.test_records import EVENT, _row, _target
from tests.fakes import vault_id
from tests.figures import MemoryFigures

LEASE = timedelta(minutes=15)
# In a century of its own: the app on the same storage makes figures of today.
THEN = datetime(2140, 1, 1, 4, 30, tzinfo=UTC)


@pytest.fixture(params=["memory", "azurite"])
def book(request: pytest.FixtureRequest) -> Iterator[FigureBook]:
    """Both kinds, without the days of another test."""
    made: FigureBook = MemoryFigures()
    if request.param == "azurite":
        environment: Client = request.getfixturevalue("environment")
        made = TableFigures(environment.facts["storage"]["table"], identity(environment, "reader"))
    yield made
    made.forget("9999-12-31")


def _figures(days: int = 0) -> Figures:
    made = THEN + timedelta(days=days)
    groups = (Group("estate", "all", Count(3, 1, 1)), Group("owner", "=cmd|' /C calc'!A0 \u202e", Count(0, 0, 1)))
    whole = Pace("", 2, Spread(3, 20, 20, 30, 30), {"automatic": 3}, 1, None, 0, 1, made)
    spent = Sum("vault", "/x", Decimal("12345678901234567890.000000000000003"), 1, 0, 10**13, 2, "why \u202e")
    cost = Cost(
        "EUR", replace(spent, by="estate", key="all", unknown=days), (spent, replace(spent, amount=None)), {"vault": 3}
    )
    age = Age(31_536_000, 3, 2, 1, 86_400, 40_000_000)
    missed = Missed(30, 150, 2, 1)
    return Figures(made, made - timedelta(days=30), 5, 5, groups, (whole,), missed, Count(1), {"owner": 7}, age, cost)


def test_figures_come_back_as_they_were(book: FigureBook) -> None:
    """The latest day's, hostile names and all; a later set of the day stands in place of the earlier."""
    book.keep(_figures())
    book.keep(_figures(1))
    book.keep(replace(_figures(1), rows=6))

    assert book.latest() == replace(_figures(1), rows=6)


def test_the_trend_has_the_days_that_were_asked_for(book: FigureBook) -> None:
    """Both ends belong to it; days without figures are not there."""
    for day in (0, 1, 3, 4):
        book.keep(_figures(day))

    assert [it.day for it in book.trend("2140-01-02", "2140-01-04")] == ["2140-01-02", "2140-01-04"]
    assert book.trend("2140-01-01", "2140-01-01") == [_figures().point()]
    assert book.trend("2141-01-01", "2141-12-31") == []


def test_a_cost_is_a_point_of_the_trend_where_it_is_whole(book: FigureBook) -> None:
    """To the last digit; a part of it is none."""
    for day in (0, 1):
        book.keep(_figures(day))

    found = [(it.cost, it.currency, it.young) for it in book.trend("2140-01-01", "2140-01-02")]
    assert found == [(Decimal("12345678901234567890.000000000000003"), "EUR", 500), (None, "EUR", 500)]


def test_readings_come_back_by_subscription(book: FigureBook) -> None:
    """The last of each vault, whatever the case of its id; what was dropped is gone."""
    here, there = str(uuid.uuid4()), str(uuid.uuid4())
    both = {it: Reading(vault_id(it, at).lower(), THEN, 10**12, "") for it, at in (("kv-a", here), ("kv-b", there))}
    for it in both.values():
        book.note(replace(it, hits=None, problem="no right"))
        book.note(it)

    assert book.readings(here.upper()) == {both["kv-a"].vault: both["kv-a"]}
    assert both.items() >= {"kv-b": book.readings()[both["kv-b"].vault]}.items()
    book.drop([it.vault for it in both.values()])
    assert book.readings(here) == book.readings(there) == {}


def test_old_days_are_forgotten(book: FigureBook) -> None:
    """Those before a day, and no other."""
    for day in range(3):
        book.keep(_figures(day))

    assert book.forget("2140-01-03") == 2
    assert [it.day for it in book.trend("2140-01-01", "2140-12-31")] == ["2140-01-03"]


def test_what_histories_have_told_comes_back(book: FigureBook) -> None:
    """More than fit one transaction, each as it was kept last, and only those that were asked for."""
    mark = uuid.uuid4().hex[:12]
    whole = Track(
        7, "resolved", "f", THEN, is_again=True, wrote=True, agreed=True, was_right=True, asked=THEN,
        episodes=(Episode(THEN, THEN, Way.APPROVED, is_again=True),), questions=(Question(THEN, THEN, "rejected"),),
    )  # fmt: skip
    tracks = {f"{mark}{n:04}": replace(whole, head=n) for n in range(230)}
    book.follow(tracks)
    book.follow({f"{mark}0003": Track(99)})

    found = book.tracks(f"{mark}0002", f"{mark}0229")
    assert found == {**{name: it for name, it in tracks.items() if it.head > 2}, f"{mark}0003": Track(99)}


def test_one_of_two_makes_them(book: FigureBook) -> None:
    """Until it gives them back, or its lease has run out; whoever lost it takes it from nobody."""
    first = book.claim(THEN, LEASE)
    assert first
    assert book.claim(THEN + LEASE - timedelta(seconds=1), LEASE) == ""

    second = book.claim(THEN + LEASE, LEASE)
    assert second not in {"", first}
    book.release(first)
    assert book.claim(THEN + LEASE, LEASE) == ""
    book.release(second)
    third = book.claim(THEN + LEASE, LEASE)
    assert third
    book.release(third)


def test_rows_come_with_where_their_histories_end(records: Records) -> None:
    """In the order of their ids, each with its head; of a history what comes behind an entry, of several all at once."""
    rows = sorted((_row(_target(), State.OBSERVED) for _ in range(3)), key=lambda it: it.id)
    for row in rows:
        stored = records.save(row, EVENT, None)
    records.save(moved(stored.row, State.RESOLVED, stored.row.updated), EVENT, stored)
    ids = [it.id for it in rows]
    seen, cursor = dict[str, int](), ""
    while True:
        page = records.heads(cursor, 2)
        assert len(page.items) <= 2
        seen |= {it.row.id: it.head for it in page.items}
        cursor = page.cursor
        if not cursor:
            break

    assert [seen[it] for it in ids] == [1, 1, 2]
    assert list(seen) == sorted(seen)
    own = [(row_id, it.n) for row_id, it in records.histories(ids[0], ids[2]) if row_id in ids]
    assert own == [(ids[0], 1), (ids[1], 1), (ids[2], 1), (ids[2], 2)]
    assert [it.n for it in records.history(ids[2], 1)] == [2]
    assert records.history(ids[2], 2) == ()
