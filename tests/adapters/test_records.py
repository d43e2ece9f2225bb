"""The contract of records: what the flow relies on, run on the fake and on real storage through the real SDK."""

import itertools
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.records import TableRecords
from shared.core import chain, ids
from shared.core.control import Finding, Memory, NonCompliant
from shared.core.decide import Decision, Kind
from shared.core.errors import BadInput, RowChanged
from shared.core.ids import ResourceId
from shared.core.plan import Plan
from shared.core.ports import Event, Poisoned, PoisonRecord, Records
from shared.core.record import Remediation, State, moved
from shared.core.settle import Look, settle
from shared.core.steps import Step
from shared.core.wake import Cause
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.fakes import vault_id

_NUMBERS = itertools.count()
EVENT = Event("evaluated", "evaluate", "SafeInAutoScope", {"nested": {"a": [1, None, "ü"]}})


def _target() -> ResourceId:
    """Return a target that no other test uses, with characters that storage keys cannot hold."""
    return ids.parse(vault_id(f"kv-{next(_NUMBERS)}-ünïcode (x)"))


def _row(target: ResourceId, state: State = State.QUEUED) -> Remediation:
    step = Step("vault.protect", str(target), {"a": None}, {"a": True}, "p", irreversible=True)
    decision = Decision(Kind.AUTO, "SafeInAutoScope", "go")
    verdict = NonCompliant(Finding("PurgeProtectionIsOff", "off", {"days": 90}))
    look = Look(
        f"row{next(_NUMBERS):013}", "KV-RECOVERY", str(target), verdict, Plan((step,)), decision, Cause("event")
    )
    row = settle(None, look, datetime.now(UTC))
    assert row is not None
    return replace(row, state=state)


def test_a_row_comes_back_as_it_was(records: Records) -> None:
    """Every field survives, times and nested evidence included."""
    row = _row(_target())
    saved = records.save(row, EVENT, None)
    found = records.get(row.id)

    assert found == saved
    assert found is not None
    assert found.row == row


def test_a_row_that_is_not_there_is_none(records: Records) -> None:
    """Asking for an unknown id answers nothing."""
    assert records.get("nothing") is None


def test_a_row_is_created_once(records: Records) -> None:
    """Two that create the same row: one is told that it has changed."""
    row = _row(_target())
    records.save(row, EVENT, None)
    with pytest.raises(RowChanged):
        records.save(replace(row, state=State.OBSERVED), EVENT, None)


def test_a_stale_save_is_refused_and_leaves_no_history(records: Records) -> None:
    """Row and history are written together or not at all."""
    row = _row(_target())
    first = records.save(row, EVENT, None)
    records.save(moved(row, State.APPLYING, row.updated + timedelta(seconds=1)), EVENT, first)
    with pytest.raises(RowChanged):
        records.save(moved(row, State.FAILED, row.updated + timedelta(seconds=2)), EVENT, first)

    found = records.get(row.id)
    assert found is not None
    assert (found.row.state, len(records.history(row.id))) == (State.APPLYING, 2)


def test_the_history_is_whole_and_in_order(records: Records) -> None:
    """Twelve changes later the chain verifies against the row."""
    row = _row(_target())
    stored = records.save(row, EVENT, None)
    for n in range(12):
        state = State.APPLYING if n % 2 == 0 else State.QUEUED
        stored = records.save(moved(stored.row, state, row.updated + timedelta(seconds=n)), EVENT, stored)
    history = records.history(row.id)

    assert chain.verify(history, stored.head, stored.newest) == ""
    assert [entry.n for entry in history] == list(range(1, 14))


def test_of_eight_that_claim_one_wins(records: Records) -> None:
    """The claim is a compare-and-set: whatever the race, one gets the row."""
    row = _row(_target())
    stored = records.save(row, EVENT, None)
    winners: list[int] = []

    def claim(number: int) -> None:
        try:
            claimed = moved(row, State.APPLYING, row.updated + timedelta(seconds=number), claim=str(number))
            records.save(claimed, EVENT, stored)
            winners.append(number)
        except RowChanged:
            pass

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = records.get(row.id)
    assert found is not None
    assert (len(winners), found.row.claim) == (1, str(winners[0]))


def test_lists_are_filtered_and_paged(records: Records) -> None:
    """Pages of two hold every matching row once, whatever else is stored."""
    target = _target()
    rows = [_row(target, State.FAILED if n % 2 else State.QUEUED) for n in range(7)]
    for row in rows:
        records.save(row, EVENT, None)
    found: list[Remediation] = []
    cursor = ""
    while True:
        page = records.page(states=(), control="KV-RECOVERY", target=str(target).upper(), cursor=cursor, limit=2)
        assert len(page.items) <= 2
        found += page.items
        cursor = page.cursor
        if not cursor:
            break
    failed = records.page(states=(State.FAILED,), control="", target=str(target), cursor="", limit=50).items

    assert sorted(row.id for row in found) == sorted(row.id for row in rows)
    assert {row.state for row in failed} == {State.FAILED}
    assert len(failed) == 3


@pytest.mark.parametrize("cursor", ["!", "é", "bm90IGpzb24", "eyJQYXJ0aXRpb25LZXkiOiA1fQ", "W10"])
def test_a_foreign_cursor_is_refused(records: Records, cursor: str) -> None:
    """A cursor that no list gave out is bad input, not a crash."""
    with pytest.raises(BadInput):
        records.page(states=(), control="", target="", cursor=cursor, limit=2)


def test_quotes_in_a_filter_are_only_text(records: Records) -> None:
    """A filter value cannot become a part of the query."""
    page = records.page(states=(), control="x' or RowKey eq 'row", target="", cursor="", limit=5)

    assert page.items == ()


def test_a_gather_is_stamped_once(records: Records) -> None:
    """Of two that begin a gather from the same state, one does."""
    target = _target()
    first = records.begin(target, "m-1", None)
    second = records.begin(target, "m-2", None)
    known = records.known(target).gather

    assert (first, second) == (True, False)
    assert known is not None
    assert known.message == "m-1"
    assert abs(known.began - datetime.now(UTC)) < timedelta(seconds=30)
    assert records.begin(target, "m-3", known)


def test_what_is_remembered_comes_back(records: Records) -> None:
    """A lesson is applied to what is known now, and another target knows nothing of it."""
    target, other = _target(), _target()
    records.remember(target, lambda before: replace(before, was_cmk_vault=True))
    records.remember(target, lambda before: replace(before, environments=(*before.environments, "prod")))

    assert records.known(target).memory == Memory(was_cmk_vault=True, environments=("prod",))
    assert records.known(other).memory == Memory()


def test_the_ledger_counts_what_came_before(records: Records) -> None:
    """Each write sees those before it, entering one twice is entering it once, and a withdrawn one is gone."""
    now = datetime.now(UTC)
    subscription = f"aaaaaaaa-0000-4000-8000-{next(_NUMBERS):012d}"
    targets = [ids.parse(vault_id(f"kv-{n}", subscription)) for n in range(3)]
    seen = [len(records.let_through(target, "r", now)) for target in targets]
    again = len(records.let_through(targets[1], "r", now))
    records.withdraw(targets[0], "r")
    records.withdraw(targets[0], "r")

    assert seen == [0, 1, 2]
    assert again in {1, 2}
    assert {write.target for write in records.writes(subscription, now - timedelta(days=1))} == {
        target.key for target in targets[1:]
    }
    assert records.writes(subscription, now + timedelta(seconds=1)) == ()


def test_a_person_is_let_ask_so_often_a_day(records: Records) -> None:
    """The same request counts once, a refused one not at all, another person's not here, and yesterday's no more."""
    now, ada, bob = datetime.now(UTC), f"ada-{uuid.uuid4()}", f"bob-{uuid.uuid4()}"
    early = now - timedelta(days=2)

    assert [records.let_ask(ada, f"old-{n}", 2, early) for n in range(3)] == [True, True, False]
    assert [records.let_ask(ada, it, 2, now) for it in ("a", "a", "b", "c", "c", "a")] == [
        True,
        True,
        True,
        False,
        False,
        True,
    ]
    assert (records.let_ask(bob, "a", 2, now), records.let_ask(bob, "b", 0, now)) == (True, False)
    assert records.let_ask(bob, "c", 2, now)


def test_the_keys_of_a_full_vault_are_remembered(records: Records) -> None:
    """Two thousand names of the longest kind fit what storage keeps of one target."""
    target, made = _target(), tuple(f"cmk-{'w' * 40}-{number:020}" for number in range(2000))
    records.remember(target, lambda before: replace(before, made=made))

    assert records.known(target).memory.made == made


def test_a_scheduled_look_is_known_until_a_gather_begins(records: Records) -> None:
    """The note counts for the gather that it was made after, and for no later one, of the same message or another."""
    target = _target()
    records.begin(target, "m-1", None)
    first = records.known(target).gather
    assert first is not None
    due = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
    assert records.known(target).due is None
    records.schedule(target, due, first)
    assert records.known(target).due == due

    records.begin(target, "m-1", first)
    assert records.known(target).due is None


def test_poison_is_kept(records: Records) -> None:
    """Whatever the reference holds, it can be stored, found again and marked; the same thing twice is one record."""
    what = Poisoned("evaluate", "a/b\\c#d?e" + str(uuid.uuid4()), "Reason", "m", "a message")
    now = datetime.now(UTC)
    for _ in range(2):
        records.poison(what, now)
    mine = [it for it in _all_poison(records) if it.what.reference == what.reference]
    noted = records.redriven(mine[0], "person", now)

    assert len(mine) == 1
    assert mine[0].what == what
    assert records.poisoned(mine[0].id) == noted
    assert (noted.redriven, noted.person) == (now, "person")
    assert records.poisoned("0" * 16) is None


def test_poison_that_no_storage_takes_is_stored_all_the_same(environment: Client) -> None:
    """Half a surrogate pair and a very long text: cut and replaced, but on record."""
    records = TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
    reference = str(uuid.uuid4())
    records.poison(Poisoned("evaluate", reference, "R", "\ud800" + "m" * 10_000, "\udfff"), datetime.now(UTC))
    (mine,) = [it for it in _all_poison(records) if it.what.reference == reference]

    assert (len(mine.what.message), mine.what.body) == (4000, "?")


def _all_poison(records: Records) -> Iterator[PoisonRecord]:
    cursor = ""
    while True:
        page = records.poison_page(cursor=cursor, limit=50)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


@pytest.mark.parametrize("length", [29_000, 30_000, 65_000, 200_000])
def test_a_row_of_any_size_we_make_comes_back_whole(environment: Client, length: int) -> None:
    """Storage refuses a cell of more than 32,768 characters: a long row is spread over several."""
    records = TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
    row: Any = replace(_row(_target()), finding=Finding("R", "x" * length))
    records.save(row, EVENT, None)

    assert records.get(row.id).row == row  # type: ignore[union-attr]


def test_a_row_that_fits_no_entity_is_refused(environment: Client) -> None:
    """More than an entity holds is bad input, said before storage refuses it."""
    records = TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
    row: Any = replace(_row(_target()), finding=Finding("R", "x" * 400_000))
    with pytest.raises(BadInput, match="360000"):
        records.save(row, EVENT, None)
