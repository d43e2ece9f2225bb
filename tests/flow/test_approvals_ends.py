"""Questions with an end: who must agree, when people are reminded, when it is over, and what is taken back."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.core import chain
from shared.core.choices import Freeze, Mode
from shared.core.decide import AWAITS_CONFIRMATION, Decision, Kind
from shared.core.errors import BadInput, Refused
from shared.core.ports import Event, Stored
from shared.core.record import RecordedPlan, Remediation, State, moved
from shared.core.wake import Cause
from shared.flow.approve import approve, reject
from shared.flow.cancel import cancel
from shared.flow.evaluate import evaluate
from shared.flow.exempt import exemption_of
from shared.flow.expire import expire
from shared.flow.retry import retry
from shared.flow.sweep import sweep
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, policy
from tests.fakes import NOON, World, vault_body
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import access_world, before_the_write, entries_of, look_at, row_of, stored_of, yes

DAY = timedelta(days=1)
BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"])


def _asked(**choices: object) -> World:
    """Return a world in which people are asked to protect one vault: a step that cannot be undone."""
    world = World(mode=Mode.APPROVE, **choices)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)
    return world


def _stored(world: World) -> Stored:
    (stored,) = world.records.rows.values()
    return stored


def _night(world: World, nights: int = 1) -> None:
    for _ in range(nights):
        world.clock.time = world.clock.now() + DAY
        sweep(world)
        run(world)


def _notices(world: World, caplog: pytest.LogCaptureFixture, state: str) -> int:
    return sum("verb=notice" in line and f"state={state} " in line for line in caplog.messages)


# two approvers


def test_what_cannot_be_undone_takes_two_where_the_deployment_says_so() -> None:
    """With CMK_TWO_APPROVERS the first yes waits for a second person, and the second queues the plan."""
    world = _asked(two_approvers=True)
    approve(world, _stored(world), yes(world, world.row()))
    assert (world.row().state, len(world.row().approvals)) == (State.AWAITING_APPROVAL, 1)

    approve(world, _stored(world), yes(world, world.row(), person="amit"))
    run(world)
    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


@pytest.mark.parametrize("is_set", [True, False])
def test_what_can_be_undone_takes_one(is_set: bool) -> None:
    """The setting speaks of irreversible steps only."""
    world = access_world(BROAD, mode=Mode.APPROVE, two_approvers=is_set)
    look_at(world)

    assert approve(world, stored_of(world), yes(world, row_of(world))).row.state is State.QUEUED


def test_whoever_turns_out_to_be_the_author_has_not_agreed() -> None:
    """The log names nobody when the author says yes; when the second says yes it does: that makes one, not two."""
    world = _asked(two_approvers=True)
    world.diary.last = ""
    approve(world, _stored(world), yes(world, world.row(), person="mallory"))
    world.diary.last = "mallory"
    approve(world, _stored(world), yes(world, world.row(), person="ada"))
    assert world.row().state is State.AWAITING_APPROVAL

    approve(world, _stored(world), yes(world, world.row(), person="amit"))
    assert world.row().state is State.QUEUED


# the end of a question


def test_a_question_that_nobody_answers_is_told_of_once_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    """A reminder three days before the end, the end after fourteen, each told once; nothing was written."""
    world = _asked()
    _night(world, 10)
    assert (world.row().reminded, _notices(world, caplog, "reminder")) == (None, 0)
    _night(world)
    assert _notices(world, caplog, "reminder") == 1
    _night(world, 2)
    assert world.row().state is State.AWAITING_APPROVAL
    _night(world)
    assert world.row().state is State.EXPIRED
    _night(world, 5)

    assert (_notices(world, caplog, "reminder"), _notices(world, caplog, "expired")) == (1, 1)
    assert (world.row().state, world.arm.writes()) == (State.EXPIRED, [])


def test_an_expired_question_is_asked_again_by_a_retry() -> None:
    """A person's retry judges anew: a new question, with all its time."""
    world = _asked()
    _night(world, 15)
    assert world.row().state is State.EXPIRED
    retry(world, _stored(world), Cause("person", "r", "ada"), "192.0.2.1")
    run(world)

    assert (world.row().state, world.row().reminded) == (State.AWAITING_APPROVAL, None)
    assert (world.row().asked or NOON) > NOON + 15 * DAY
    retried = next(it for it in world.records.history(world.row().id) if it.event == "retried")
    assert retried.detail["from"] == "192.0.2.1"


def test_the_clock_starts_when_the_question_is_put() -> None:
    """A first yes of two, looks and other saves do not put the end off; another plan does."""
    world = _asked(two_approvers=True)
    _night(world, 6)
    approve(world, _stored(world), yes(world, world.row()))
    row = world.row()
    later = row.updated + DAY

    assert (row.asked or row.opened) < NOON + DAY
    assert moved(row, State.AWAITING_APPROVAL, later, approvals=()).asked == row.asked
    assert moved(row, State.AWAITING_APPROVAL, later, plan=RecordedPlan("another")).asked == later
    assert moved(replace(row, state=State.QUEUED), State.AWAITING_APPROVAL, later).asked == later


def test_nobody_misses_the_reminder_because_the_sweep_was_off() -> None:
    """Twenty nights without a sweep: people are reminded first, and have three more days."""
    world = _asked()
    world.clock.time += 20 * DAY
    _night(world)
    assert (world.row().state, world.row().reminded is not None) == (State.AWAITING_APPROVAL, True)
    _night(world, 2)
    assert world.row().state is State.AWAITING_APPROVAL
    _night(world, 2)
    assert world.row().state is State.EXPIRED


def test_without_reminders_it_just_ends(caplog: pytest.LogCaptureFixture) -> None:
    """CMK_REMIND=0: no reminder, and the end when the time is over."""
    world = _asked(remind=timedelta(0), ask=2 * DAY)
    _night(world, 2)

    assert (world.row().state, _notices(world, caplog, "reminder")) == (State.EXPIRED, 0)


def test_no_question_ends_while_nobody_may_answer_it() -> None:
    """Over a long freeze nobody may say yes: nobody is reminded, nothing ends; afterwards there is a reminder first."""
    world = _asked()
    ends = NOON + 30 * DAY
    world.choices = replace(world.choices, freezes=(Freeze(NOON + DAY, ends),))
    _night(world, 29)
    assert (world.row().state, world.row().reminded) == (State.AWAITING_APPROVAL, None)

    _night(world, 2)
    assert (world.row().state, world.row().reminded is not None) == (State.AWAITING_APPROVAL, True)


def test_what_only_a_limit_holds_back_does_not_end() -> None:
    """Nobody is asked there: it goes on by itself, also after a month."""
    world = World(writes_per_hour=0)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)
    _night(world, 30)
    assert (world.row().state, world.row().decision.reason) == (State.AWAITING_APPROVAL, "WritesPerHour")

    world.choices = replace(world.choices, writes_per_hour=60)
    _night(world)
    assert world.row().state is State.RESOLVED


def test_what_a_person_does_by_hand_is_confirmed_and_not_approved() -> None:
    """The rest of a migration waits for its owner: no yes is asked for, and the wait has no end."""
    world = _asked()
    decision = Decision(Kind.APPROVAL, AWAITS_CONFIRMATION, "restart the compute")
    waiting = replace(world.row(), decision=decision)
    world.records.save(waiting, Event("held", "apply", AWAITS_CONFIRMATION, {}), _stored(world))
    with pytest.raises(Refused, match="confirm") as caught:
        approve(world, _stored(world), yes(world, world.row()))
    world.clock.time += 60 * DAY
    expire(world, world.row())

    assert (caught.value.reason, world.row()) == ("NothingToApprove", waiting)


@pytest.mark.parametrize(("nights", "verb", "told"), [(11, "reminder", "reminded"), (14, "expired", "expired")])
@pytest.mark.parametrize("where", ["before the message", "before the row", "after the row"])
def test_a_kill_of_the_sweep_loses_no_notice_and_doubles_none(
    nights: int, verb: str, told: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed at each step of one night: the next night makes it good, and people hear of it once."""
    world = _asked()
    _night(world, nights - 1)
    world.clock.time += DAY
    _die(world, where)
    with suppress(_Killed):
        sweep(world)
    del world.queue.send, world.records.save
    run(world)
    _night(world)

    assert _notices(world, caplog, verb) == 1
    assert [it.event for it in world.records.history(world.row().id)].count(told) == 1


class _Killed(BaseException):
    """The process dies here."""


def _die(world: World, where: str) -> None:
    send, save = world.queue.send, world.records.save

    def sending(queue: str, body: dict[str, object], delay: timedelta = timedelta(0)) -> datetime:
        if queue == "notify" and where == "before the message":
            raise _Killed
        return send(queue, body, delay)

    def saving(row: Remediation, event: Event, over: Stored | None) -> Stored:
        if where == "before the row":
            raise _Killed
        save(row, event, over)
        raise _Killed

    world.queue.send = sending  # type: ignore[method-assign, assignment]
    world.records.save = saving  # type: ignore[method-assign]


def test_whoever_answers_while_the_sweep_ends_the_question_wins_or_loses_whole() -> None:
    """The sweep has read the row, and somebody says yes before it saves: the yes stands, and no end is told."""
    world = _asked()
    _night(world, 13)
    world.clock.time += DAY
    save, pending = world.records.save, [True]

    def saving(row: Remediation, event: Event, over: Stored | None) -> Stored:
        if pending and event.name == "expired":
            pending.pop()
            approve(world, _stored(world), yes(world, world.row()))
        return save(row, event, over)

    world.records.save = saving  # type: ignore[method-assign]
    sweep(world)
    run(world)

    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


def test_an_undo_that_nobody_answers_ends_too() -> None:
    """A wish is a question like any other; a retry asks it again."""
    world = access_world(BROAD)
    look_at(world)
    undo = undo_of(world, stored_of(world), Wish("ada", "x", world.clock.now() + 60 * DAY))
    _night(world, 15)
    assert world.records.rows[undo.row.id].row.state is State.EXPIRED

    again = retry(world, world.records.rows[undo.row.id], Cause("person", "r", "ada"))
    assert again.row.state is State.AWAITING_APPROVAL


# taking it back


def _approved() -> World:
    world = _asked()
    approve(world, _stored(world), yes(world, world.row()))
    return world


def test_what_is_queued_is_taken_back() -> None:
    """It awaits approval again with nobody's yes, its message finds nothing to do, and the history says who and why."""
    world = _approved()
    cancel(world, _stored(world), "eve", " not tonight ", "192.0.2.7")
    run(world)
    row, entry = world.row(), world.records.history(world.row().id)[-1]

    assert (row.state, row.approvals, row.approved, world.arm.writes()) == (State.AWAITING_APPROVAL, (), (), [])
    assert (entry.event, entry.actor, entry.reason) == ("cancelled", "eve", "Cancelled")
    assert entry.detail == {
        "comment": "not tonight", "from": "192.0.2.7", "was": "queued", "fingerprint": row.plan.fingerprint,
        "approved": ["ada"],
    }  # fmt: skip
    assert chain.verify(world.records.history(row.id), _stored(world).head, _stored(world).newest) == ""


def test_what_was_taken_back_takes_a_new_yes_and_is_done_once() -> None:
    """Approved again after a cancellation it is carried out, whatever old messages there are."""
    world = _approved()
    old = [it for it in world.queue.sent if it[0] == "apply"]
    cancel(world, _stored(world), "eve", "later")
    approve(world, _stored(world), yes(world, world.row(), person="amit"))
    world.queue.sent += old
    run(world)

    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


def test_whoever_works_on_it_stops_before_the_next_write() -> None:
    """Cancelled between claim and write: the worker loses the row, and nothing is written."""
    world = _approved()
    read, pending = world.arm.read, [True]

    def reading(target: object) -> object:
        if pending:
            pending.pop()
            assert world.row().state is State.APPLYING
            cancel(world, _stored(world), "eve", "stop")
        return read(target)  # type: ignore[arg-type]

    world.arm.read = reading  # type: ignore[method-assign, assignment]
    run(world)

    assert (world.row().state, world.row().claim, world.arm.writes()) == (State.AWAITING_APPROVAL, "", [])


def test_a_write_that_is_on_its_way_is_found_by_its_event() -> None:
    """Cancelled while Azure writes: the row awaits approval until a look finds the vault right, and the write is ours."""
    world = _approved()

    def stop() -> None:
        cancel(world, _stored(world), "eve", "too late")

    before_the_write(world, stop)
    run(world)
    assert (world.row().state, len(world.arm.writes())) == (State.AWAITING_APPROVAL, 1)

    world.clock.advance(60)
    evaluate(world, evaluation(world))
    row = world.row()
    assert (row.state, row.carried.steps[0].kind if row.carried else "") == (State.RESOLVED, "vault.protect")


@pytest.mark.parametrize(
    ("state", "reason"),
    [(it, "NothingToCancel") for it in State if it not in {State.QUEUED, State.APPLYING}],
)
def test_what_is_not_on_its_way_cannot_be_cancelled(state: State, reason: str) -> None:
    """Only queued and applying rows can be taken back; each other state says that it is none of them."""
    world = _asked()
    stored = replace(_stored(world), row=replace(world.row(), state=state))
    with pytest.raises(Refused, match=str(state)) as caught:
        cancel(world, stored, "eve", "why")

    assert caught.value.reason == reason


def test_what_happens_by_itself_is_not_cancelled_but_points_to_what_helps() -> None:
    """Nobody approved it, and the next look would decide the same: refused, with the exemption and the switches named."""
    world = World()
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    with pytest.raises(Refused, match=r"exemption.*CMK_KILL_SWITCH") as caught:
        cancel(world, _stored(world), "eve", "why")

    assert (caught.value.reason, world.row().state) == ("HappensByItself", State.QUEUED)


def test_what_is_its_owners_turn_is_not_cancelled() -> None:
    """An undo of roles that the sweep has in hand for a moment: its exemption can be ended instead."""
    world = _approved()
    ticket = Decision(Kind.TICKET, "UndoByHand", "run the commands")
    stored = replace(_stored(world), row=replace(world.row(), decision=ticket))
    with pytest.raises(Refused, match="exemption") as caught:
        cancel(world, stored, "eve", "why")

    assert caught.value.reason == "NothingToCancel"


def test_what_was_answered_since_the_list_was_read_does_not_end() -> None:
    """The sweep reads rows by the page: by the time of its turn the question may have its answer."""
    world = _asked()
    _night(world, 13)
    world.clock.time += DAY
    old = world.row()
    approve(world, _stored(world), yes(world, old))
    world.queue.sent.clear()
    expire(world, old)

    assert (world.row().state, world.queue.sent) == (State.QUEUED, [])


def test_a_cancellation_says_why() -> None:
    """Without a comment nothing is taken back."""
    world = _approved()
    with pytest.raises(BadInput):
        cancel(world, _stored(world), "eve", " ")

    assert world.row().state is State.QUEUED


def test_a_cancelled_undo_leaves_no_exemption() -> None:
    """It had exempted the finding before its write: without the undo the exemption ends as well, and it is narrowed."""
    world = access_world(BROAD)
    look_at(world)
    undo = undo_of(world, stored_of(world), Wish("ada", "x", world.clock.now() + 10 * DAY))
    approve(world, undo, yes(world, undo.row, person="amit"))
    save = world.records.save

    def saving(row: Remediation, event: Event, over: Stored | None) -> Stored:
        saved = save(row, event, over)
        if event.name == "exempted":
            world.records.save = save  # type: ignore[method-assign]
            cancel(world, world.records.rows[undo.row.id], "eve", "we do not need it")
        return saved

    world.records.save = saving  # type: ignore[method-assign]
    run(world)

    assert world.records.rows[undo.row.id].row.state is State.AWAITING_APPROVAL
    assert (row_of(world).exemption, row_of(world).state) == (None, State.RESOLVED)
    assert "purge" not in entries_of(world)[0]["permissions"]["keys"]


# where it came from


def test_every_decision_says_who_when_why_and_from_where() -> None:
    """Yes, no, a wish and its end: each entry has the person, the time, the comment and the address."""
    world = _asked(two_approvers=True)
    approve(world, _stored(world), yes(world, world.row(), comment="CHG-1", origin="192.0.2.1"))
    reject(world, _stored(world), "eve", "no", "192.0.2.2")
    exemption_of(world, _stored(world), Wish("mia", "later", world.clock.now() + DAY, "192.0.2.3"))
    told = [
        (it.event, it.actor, it.detail["comment"], it.detail["from"])
        for entries in world.records.past.values()
        for it in entries
        if "comment" in it.detail
    ]

    assert told == [
        ("approved", "ada", "CHG-1", "192.0.2.1"),
        ("rejected", "eve", "no", "192.0.2.2"),
        ("asked", "mia", "later", "192.0.2.3"),
    ]
