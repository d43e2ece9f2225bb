"""A row's ticket, whatever happens to its notices: lost, late, doubled, in any order, and where storage is busy."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.control import Finding
from shared.core.errors import Temporary
from shared.core.ports import Event, Stored
from shared.core.record import Remediation, State
from shared.core.ticket import Standing, Ticket
from shared.flow.approve import Yes, approve, reject
from shared.flow.evaluate import evaluate
from shared.flow.messages import Notify, text
from shared.flow.notify import notify
from shared.flow.sweep import sweep
from shared.flow.ticket import align
from tests.core.test_ticket import row
from tests.fakes import NOON, World, vault_body, vault_id
from tests.flow.conftest import delivery, evaluation, run

EVENT = Event("evaluated", "evaluate", "OutsideAutoScope", {})


@pytest.fixture
def asking() -> World:
    """A world in which nothing happens by itself, with a vault that awaits approval."""
    world = World(auto_scope=())
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    return world


def only(world: World) -> Ticket:
    """Return the only ticket there is."""
    (filed,) = world.tickets.filed.values()
    return filed.ticket


def told(world: World) -> list[tuple[str, str]]:
    """Return the history of the only ticket."""
    return [(note.event, note.reason) for note in world.tickets.notes(only(world).id)]


def saved(world: World, *rows: Remediation) -> Stored:
    """Save versions of a row, one after the other."""
    stored = world.records.get(rows[0].id)
    for it in rows:
        stored = world.records.save(it, EVENT, stored)
    assert stored is not None
    return stored


def notice(of: Remediation, attempt: int = 1) -> Any:
    """Return the notice of a row."""
    return delivery(text(Notify(of.id, of.state, of.occurrence, attempt)), NOON)


def test_a_finding_that_waits_for_a_person_has_a_ticket(asking: World) -> None:
    """The first notice opens it; it says what the row says."""
    run(asking)

    assert (only(asking).standing, only(asking).id) == (Standing.OPEN, asking.row().id)
    assert only(asking).content.steps == asking.row().plan.steps
    assert told(asking) == [("opened", "PurgeProtectionIsOff")]


def test_what_happens_by_itself_has_none(world: World) -> None:
    """Found, put right, verified: nobody has to see to anything."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)

    assert world.row().state is State.RESOLVED
    assert world.tickets.filed == {}


def test_approved_and_put_right_it_is_closed_by_a_read_and_a_regression_reopens_it(asking: World) -> None:
    """The whole road: opened, approved, closed; changed back: reopened, occurrence 2."""
    run(asking)
    stored = asking.records.get(asking.row().id)
    assert stored is not None
    asking.diary.last = "somebody"
    until = asking.clock.now() + timedelta(days=1)
    approve(asking, stored, Yes("ada-oid", stored.row.plan.fingerprint, "seen", until))
    run(asking)
    assert (only(asking).standing, only(asking).reason) == (Standing.CLOSED, "Verified")

    asking.arm.put(vault_body())
    asking.clock.advance(60)
    evaluate(asking, evaluation(asking))
    run(asking)

    assert (only(asking).standing, only(asking).occurrence) == (Standing.OPEN, 2)
    assert [event for event, _ in told(asking)] == ["opened", "closed", "reopened"]
    assert asking.tickets.notes(only(asking).id)[1].text == (
        "a fresh read says that the control holds; approved by ada-oid: seen"
    )


def test_a_no_is_in_the_ticket_and_leaves_it_open(asking: World) -> None:
    """The finding stands: somebody else may want to see to it."""
    run(asking)
    stored = asking.records.get(asking.row().id)
    assert stored is not None
    reject(asking, stored, "ada-oid", "not before the release")
    run(asking)

    assert only(asking).standing is Standing.OPEN
    assert asking.tickets.notes(only(asking).id)[-1].text == (
        "awaiting_approval is now rejected; rejected by ada-oid: not before the release"
    )


def test_what_the_control_does_not_speak_of_any_more_closes_its_ticket(asking: World) -> None:
    """The vault is gone: superseded, which nobody was told of before there were tickets."""
    run(asking)
    asking.arm.resources.clear()
    asking.clock.advance(60)
    evaluate(asking, evaluation(asking, attempt=3))
    run(asking)

    assert (only(asking).standing, only(asking).reason) == (Standing.CLOSED, "NotApplicable")


def test_facts_that_change_under_the_same_plan_are_in_the_ticket(asking: World) -> None:
    """The row stands, its evidence is fresh, and the ticket says so; looked at again nothing more is written."""
    run(asking)
    asking.arm.put(vault_body(tags={"cmk-vault": "true", "owner": "team-keys"}, softDeleteRetentionInDays=7))
    for _ in range(2):
        asking.clock.advance(60)
        evaluate(asking, evaluation(asking))
        run(asking)

    assert only(asking).content.owner == "team-keys"
    assert told(asking)[1:] == [("commented", "OutsideAutoScope")]
    assert len(asking.records.history(asking.row().id)) == 2


def _versions() -> list[Remediation]:
    """Return a life: asked, failed, resolved, broken again, exempted, asked again."""
    states = [
        (State.AWAITING_APPROVAL, 1), (State.FAILED, 1), (State.RESOLVED, 1), (State.AWAITING_APPROVAL, 2),
        (State.SUPPRESSED, 2), (State.REJECTED, 2),
    ]  # fmt: skip
    return [
        row(state, occurrence=occurrence, updated=NOON + timedelta(minutes=n), finding=Finding("R", f"message {n}"))
        for n, (state, occurrence) in enumerate(states)
    ]


@given(st.integers(1, 6), st.lists(st.integers(0, 5), max_size=12))
def test_notices_in_any_order_lead_to_the_same_ticket(ends: int, order: list[int]) -> None:
    """Readers that saw any of the versions write in any order, some twice: the newest that was seen is what is left."""
    world, seen = World(), []
    for version in _versions()[:ends]:
        seen.append(saved(world, version))
    for place in [*order, ends - 1, ends - 1]:
        align(world, seen[min(place, ends - 1)])
    alone = World()
    saved(alone, *_versions()[:ends])
    align(alone, seen[ends - 1])

    now, fresh = (it.tickets.filed.get("abcdefghijklmnop") for it in (world, alone))
    keys = [note.key for note in world.tickets.notes("abcdefghijklmnop")]
    assert sorted(set(keys)) == keys
    if fresh is None:  # nobody who came late would have opened one
        assert now is None or now.ticket.standing is Standing.CLOSED
        return
    assert now is not None
    assert (now.ticket.standing, now.ticket.version) == (fresh.ticket.standing, ends)
    assert now.ticket.content == fresh.ticket.content


def test_of_two_that_write_at_once_the_newer_stays(world: World) -> None:
    """The older one had read the row before: it is told that the ticket has changed, reads again and agrees."""
    old = saved(world, *_versions()[:1])
    align(world, old)
    failed = saved(world, *_versions()[1:2])
    newest = saved(world, *_versions()[2:3])
    world.tickets.rival = lambda: align(world, newest)
    align(world, failed)

    assert (only(world).version, only(world).standing) == (3, Standing.CLOSED)
    assert [event for event, _ in told(world)] == ["opened", "closed"]


def test_an_answer_that_was_lost_posts_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written, and the answer says that it has changed: found in line, and left."""
    stored, write = saved(world, *_versions()[:1]), world.tickets.create

    def lost(*it: Any) -> None:
        write(*it)
        write(*it)

    monkeypatch.setattr(world.tickets, "create", lost)
    align(world, stored)

    assert told(world) == [("opened", "R")]


def test_a_busy_ticket_system_is_tried_again_and_the_notice_is_said_once(
    asking: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line does not wait for the ticket; the ticket comes with a later try."""
    caplog.set_level(logging.INFO)
    asking.tickets.failures += [Temporary("ServerBusy", "tables"), Temporary("ServerBusy", "tables")]
    run(asking)

    assert told(asking) == [("opened", "PurgeProtectionIsOff")]
    assert sum("verb=notice" in line for line in caplog.messages) == 1


def test_the_ninth_failure_is_poison_that_can_be_tried_again(asking: World) -> None:
    """On record with its message; the row and its notice are not held up."""
    asking.tickets.failures += [Temporary("ServerBusy", "tables")] * 9
    run(asking)

    (record,) = asking.records.poison_list()
    assert (record.source, record.reason) == ("notify", "ServerBusy")
    assert json.loads(record.body)["attempt"] == 1


@pytest.mark.parametrize("at", range(1, 6))
def test_the_sweep_finds_what_no_notice_has_told(world: World, at: int) -> None:
    """Every notice after the first was lost: the next sweep brings the ticket in line, and then has nothing to say."""
    align(world, saved(world, *_versions()[:1]))
    saved(world, *_versions()[1 : at + 1])
    sweep(world)
    sent = world.queue.of("notify")
    assert len(sent) == 1
    for body in sent:
        notify(world, delivery(json.dumps(body), NOON))
    assert only(world).version == world.records.rows["abcdefghijklmnop"].head

    world.queue.sent.clear()
    sweep(world)
    assert world.queue.of("notify") == []


def test_the_sweep_opens_what_was_never_opened(asking: World) -> None:
    """The very first notice was lost."""
    asking.queue.take("notify")
    sweep(asking)
    run(asking)

    assert told(asking) == [("opened", "PurgeProtectionIsOff")]


def test_the_sweep_reads_rows_and_tickets_side_by_side(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many, over several pages, exactly those are told again whose ticket is not in line."""
    monkeypatch.setattr("shared.flow.ticket._PAGE", 3)
    monkeypatch.setattr("shared.flow.sweep._PAGE", 4)
    due = set()
    for n in range(30):
        now = row(id=f"row{n:013}", target=vault_id(f"kv-{n}"))
        if n % 5 != 0:
            align(world, saved(world, now))
        else:
            saved(world, now)
            due.add(now.id)
        if n % 3 == 0:
            saved(world, replace(now, state=State.RESOLVED))
            due.add(now.id)
        if n % 15 == 0:
            due.discard(now.id)  # resolved, and never had a ticket
    world.queue.sent.clear()
    sweep(world)

    assert sorted(body["remediation"] for body in world.queue.of("notify")) == sorted(due)


def test_a_sweep_goes_on_where_tickets_cannot_be_read(asking: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows get their chance all the same."""

    def busy(**_: Any) -> Any:
        raise Temporary("ServerBusy", "tables")

    monkeypatch.setattr(asking.tickets, "page", busy)

    assert sweep(asking) == 1


def test_one_busy_row_does_not_cost_the_others_their_tickets(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read is passed over; the rest is told again."""
    for n in range(3):
        saved(world, row(id=f"row{n:013}", target=vault_id(f"kv-{n}")))
    get, asked = world.records.get, list[str]()

    def once_busy(row_id: str) -> Stored | None:
        asked.append(row_id)
        if len(asked) == 1:
            raise Temporary("ServerBusy", "tables")
        return get(row_id)

    monkeypatch.setattr(world.records, "get", once_busy)
    sweep(world)

    assert [body["remediation"] for body in world.queue.of("notify")] == ["row0000000000001", "row0000000000002"]


def test_a_ticket_of_a_row_that_is_not_there_is_left(world: World) -> None:
    """Nothing can be said about it."""
    align(world, saved(world, *_versions()[:1]))
    world.records.rows.clear()
    sweep(world)

    assert world.queue.of("notify") == []


def test_notices_of_another_shape_are_refused(world: World) -> None:
    """A count that is none is no message of ours."""
    body = {"remediation": "abcdefghijklmnop", "state": "failed", "occurrence": 1, "attempt": 0}
    notify(world, delivery(json.dumps(body), NOON))

    assert [it.reason for it in world.records.poison_list()] == ["BadMessage"]
