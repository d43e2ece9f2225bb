"""The order of lists, on the fake and on real storage: what waits longest first, then what changed last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import rows as rows_module
from shared.adapters.records import TableRecords
from shared.core import chain
from shared.core.errors import BadInput
from shared.core.ports import Event, Records
from shared.core.record import Remediation, State, moved
from shared.core.shelf import Shelf, Summary, Wanted
from shared.flow import standing
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.adapters.test_records import EVENT, _row, _target
from tests.fakes import World

SECOND = timedelta(seconds=1)


def _every(records: Records, wanted: Wanted, limit: int = 3) -> list[Summary]:
    found, cursor = list[Summary](), ""
    while True:
        page = records.summaries(wanted, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += page.items
        cursor = page.cursor
        if not cursor:
            return found


def _kept(records: Records, state: State, target: str, seconds: int, **changes: object) -> Remediation:
    """Save a row that has been in a state since some seconds from a fixed time."""
    row = _row(_target(), state)
    when = datetime(2026, 5, 1, tzinfo=UTC) + seconds * SECOND
    row = replace(row, target=target, opened=when, updated=when, **changes)  # type: ignore[arg-type]
    records.save(row, EVENT, None)
    return row


def test_what_waits_longest_comes_first_and_then_what_changed_last(records: Records) -> None:
    """One long list: whose answer is due first, then open findings and then closed ones, the latest change first."""
    target = str(_target())
    rows = {
        name: _kept(records, state, target, seconds)
        for name, state, seconds in (
            ("closed early", State.RESOLVED, 10), ("waits long", State.AWAITING_APPROVAL, 20),
            ("failed early", State.FAILED, 5), ("waits", State.AWAITING_APPROVAL, 40), ("failed", State.FAILED, 60),
            ("observed", State.OBSERVED, 50), ("closed", State.SUPERSEDED, 70),
        )
    }  # fmt: skip
    names = {row.id: name for name, row in rows.items()}
    listed = [names[it.id] for it in _every(records, Wanted(target=target))]
    paged = records.page(states=(), control="", target=target, cursor="", limit=50).items

    assert listed == ["waits long", "waits", "failed", "observed", "failed early", "closed", "closed early"]
    assert [names[row.id] for row in paged] == listed


def test_a_row_that_changes_is_listed_once_where_it_is_now(records: Records) -> None:
    """Its place moves with it, in the same write."""
    target = str(_target())
    row = replace(_row(_target(), State.AWAITING_APPROVAL), target=target)
    stored = records.save(row, EVENT, None)
    for n, state in enumerate((State.QUEUED, State.APPLYING, State.RESOLVED)):
        stored = records.save(moved(stored.row, state, row.updated + n * SECOND), Event("x", "t", "r", {}), stored)
        (found,) = _every(records, Wanted(target=target))
        assert (found.id, found.state) == (row.id, state)

    assert _every(records, Wanted(shelves=(Shelf.WAITING,), target=target)) == []
    assert [it.id for it in _every(records, Wanted(shelves=(Shelf.CLOSED,), target=target))] == [row.id]


def test_a_search_finds_a_piece_of_a_name_whatever_the_case(records: Records) -> None:
    """Every page holds only what fits, and none is lost between two pages."""
    target = str(_target())
    wanted = {_kept(records, State.OBSERVED, target, n, requester="x").id for n in range(7)}
    for n in range(7):
        _kept(records, State.OBSERVED, str(_target()), n)
    found = _every(records, Wanted(text=target.rsplit("/", 1)[1].upper()), limit=2)

    assert {it.id for it in found} == wanted
    assert len(found) == 7


def test_a_search_that_has_looked_long_enough_says_so_and_goes_on(
    environment: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer comes in time, and says that there may be more; its cursor goes on from there."""
    monkeypatch.setattr(rows_module, "_MOST_LOOKED_AT", 4)
    records = TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
    target = str(_target())
    kept = _kept(records, State.AWAITING_APPROVAL, target, -(10**6))  # waits longest of all
    for n in range(10):
        _kept(records, State.AWAITING_APPROVAL, str(_target()), n - 10**5)
    first = records.summaries(Wanted(text=target), cursor="", limit=5)
    rest = records.summaries(Wanted(text=target), cursor=first.cursor, limit=5)

    assert [it.id for it in first.items] == [kept.id]
    assert (first.unseen, bool(first.cursor)) == (True, True)
    assert rest.items == ()
    assert rest.cursor != first.cursor


def test_a_walk_goes_by_ids_whatever_changes_meanwhile(records: Records) -> None:
    """Every row in the states asked for, once, though each is changed while it is being looked at."""
    wanted = {_kept(records, State.FAILED, str(_target()), n).id for n in range(5)}
    _kept(records, State.RESOLVED, str(_target()), 9)
    seen, cursor = list[Remediation](), ""
    while True:
        page = records.walk(states=(State.FAILED,), cursor=cursor, limit=2)
        for row in page.items:
            stored = records.get(row.id)
            assert stored is not None
            records.save(replace(row, updated=datetime.now(UTC)), EVENT, stored)
        seen += page.items
        cursor = page.cursor
        if not cursor:
            break
    ids = [row.id for row in seen]

    assert wanted <= set(ids)
    assert ids == sorted(set(ids))
    assert {row.state for row in seen} == {State.FAILED}


def test_rows_come_with_their_histories_part_by_part(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row once, by id, each history whole and in order, and ending where its row stands."""
    monkeypatch.setattr(standing, "_WITH_HISTORY", 3)
    made = {}
    for seconds, length in enumerate((1, 3, 2, 1)):
        row = _kept(records, State.FAILED, str(_target()), seconds)
        for number in range(1, length):
            records.save(replace(row, attempt=number), EVENT, records.get(row.id))
        made[row.id] = length
    world = World()
    world.records = records  # type: ignore[assignment]
    found = {it.stored.row.id: it for it in standing.trails(world)}

    assert list(found) == sorted(found)
    assert {name: len(found[name].history) for name in made} == made
    assert all(chain.verify(it.history, it.stored.head, it.stored.newest) == "" for it in found.values())
    assert all(found[name].history == records.history(name) for name in made)
    with pytest.raises(BadInput):
        records.heads("no cursor!", 3)
