"""Applying: claims, the second look, the write, the read back, and every way in which it can go wrong."""

import json
from dataclasses import replace

import pytest

from shared.core.choices import Freeze, Mode
from shared.core.errors import Conflict, Denied, Temporary
from shared.core.ports import Delivery
from shared.core.record import State
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.evaluate import evaluate
from shared.flow.notify import notify
from shared.flow.retry import retry
from tests.fakes import NOON, World, vault_body, vault_id, workspace_body
from tests.flow.conftest import delivery, evaluation, run

PERSON = "9e000002-6b1a-4d55-8e0b-aa0000000002"


@pytest.fixture
def queued(world: World) -> World:
    """A world with one row that waits to be applied."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    world.arm.calls.clear()
    return world


def _take(world: World) -> Delivery:
    return delivery(world.queue.take("apply"), world.clock.now())


def _events(world: World) -> list[str]:
    return [entry.event for entry in world.records.past[world.row().id]]


def test_one_write_verified_and_on_record(queued: World) -> None:
    """The vault is protected with one PATCH, read back, and the row says what was before, after and who wrote."""
    apply(queued, _take(queued))

    row, (step,) = queued.row(), queued.row().plan.steps
    assert [method for method, _ in queued.arm.calls] == ["GET", "PATCH", "GET"]
    assert (row.state, row.verdict, row.executor["client_id"]) == (State.RESOLVED, "Compliant", "writer")
    assert (step.before["enablePurgeProtection"], step.after["enablePurgeProtection"]) == (None, True)
    assert step.done == NOON
    assert _events(queued) == ["evaluated", "claimed", "writing", "resolved"]
    assert queued.queue.of("notify")[-1]["state"] == "resolved"


def test_the_before_image_is_saved_before_the_write(queued: World) -> None:
    """When the write fails, what was there before is on record already."""
    queued.arm.failures["write"].append(Denied("AuthorizationFailed", "no"))
    apply(queued, _take(queued))

    writing = queued.records.past[queued.row().id][2]
    assert (writing.event, writing.detail["before"]) == (
        "writing",
        {"enableSoftDelete": True, "enablePurgeProtection": None},
    )


def test_what_somebody_else_has_put_right_is_not_written(queued: World) -> None:
    """The second look finds the vault protected: resolved, without a write and without a claim to it."""
    queued.arm.put(vault_body(enablePurgeProtection=True))
    apply(queued, _take(queued))

    assert (queued.row().state, queued.row().executor, queued.arm.writes()) == (State.RESOLVED, {}, [])


def test_a_message_for_another_plan_does_nothing(queued: World) -> None:
    """An old message whose plan is not the row's any more is left alone."""
    body = json.dumps({"remediation": queued.row().id, "fingerprint": "0" * 32})
    apply(queued, delivery(body, NOON))

    assert (queued.row().state, queued.arm.calls) == (State.QUEUED, [])


def test_a_second_message_does_nothing(queued: World) -> None:
    """Two messages for one row: one write."""
    message = _take(queued)
    apply(queued, message)
    apply(queued, delivery(message.body, NOON))

    assert len(queued.arm.writes()) == 1


def test_a_claimed_row_is_left_to_its_claimant(queued: World) -> None:
    """While one message works on a row, another one leaves it alone."""
    message = _take(queued)
    _claim(queued, "somebody-else")
    apply(queued, message)

    assert (queued.row().claim, queued.arm.writes()) == ("somebody-else", [])


def test_a_redelivered_message_goes_on(queued: World) -> None:
    """After a kill the same message is delivered again, finds its own claim and ends the work."""
    message = _take(queued)
    _claim(queued, message.id)
    apply(queued, message)

    assert (queued.row().state, len(queued.arm.writes())) == (State.RESOLVED, 1)


def test_a_claim_without_a_sign_of_life_is_taken_over(queued: World) -> None:
    """After the claim's time any message may take the row: its worker is dead."""
    message = _take(queued)
    _claim(queued, "dead")
    queued.clock.advance(queued.choices.claim.total_seconds() + 1)
    apply(queued, message)

    assert (queued.row().state, "TakenOver" in str(queued.records.past[queued.row().id])) == (State.RESOLVED, True)


def _claim(world: World, claimant: str) -> None:
    row_id = world.row().id
    stored = world.records.rows[row_id]
    row = replace(stored.row, state=State.APPLYING, claim=claimant)
    world.records.rows[row_id] = replace(stored, row=row, etag=world.records._etag())  # noqa: SLF001 - its own fake


@pytest.mark.parametrize("code", ["ScopeLocked", "AuthorizationFailed", "RequestDisallowedByPolicy"])
def test_what_azure_forbids_fails_with_its_reason(queued: World, code: str) -> None:
    """A lock, a policy or a missing permission: failed, with what stands in the way, told to people, not tried again."""
    queued.arm.failures["write"].append(Denied(code, "the lock `frozen` is on it"))
    apply(queued, _take(queued))

    row = queued.row()
    assert (row.state, row.finding.reason) == (State.FAILED, "PurgeProtectionIsOff")
    assert row.finding.evidence["stands_in_the_way"] == {"reason": code, "message": "the lock `frozen` is on it"}
    assert queued.queue.of("apply") == []
    assert queued.queue.of("notify")[-1]["state"] == "failed"


def test_something_temporary_comes_back(queued: World) -> None:
    """Throttled: the row is queued again, its message comes later, and the next try ends it."""
    queued.arm.failures["write"].append(Temporary("TooManyRequests", "slow down", 11))
    apply(queued, _take(queued))
    state, ((_, _, delay),) = queued.row().state, [it for it in queued.queue.sent if it[0] == "apply"]
    run(queued)

    assert (state, delay, queued.row().state) == (State.QUEUED, 11, State.RESOLVED)
    assert len(queued.arm.writes()) == 2


def test_a_lost_reply_is_not_written_twice(queued: World) -> None:
    """The write took effect and its reply was lost: the next try reads first, and finds it done."""
    queued.arm.failures["write"].append(Temporary("ConnectionLost", "reset"))
    queued.arm.loses_replies = True
    apply(queued, _take(queued))
    run(queued)

    assert (queued.row().state, len(queued.arm.writes())) == (State.RESOLVED, 1)
    assert queued.row().executor["client_id"] == "writer"


def test_the_ninth_temporary_failure_fails(queued: World) -> None:
    """Nine tries, then failed and a poison record; never an endless loop."""
    queued.arm.failures["write"] = [Temporary("Http503", "down") for _ in range(20)]
    run(queued)

    assert (queued.row().state, len(queued.arm.writes())) == (State.FAILED, 9)
    assert [it.source for it in queued.records.poison_list()] == ["apply"]


def test_a_write_that_cannot_be_seen_yet_is_not_done(world: World) -> None:
    """Nothing is called done before a read says so: a write that is not visible comes back through the queue."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    world.arm.swallows = True
    apply(world, delivery(world.queue.take("apply"), NOON))

    assert (world.row().state, world.row().attempt) == (State.QUEUED, 1)
    assert "NotVisibleYet" in str(world.records.past[world.row().id][-1])


def test_a_vault_deleted_meanwhile_ends_its_plan(queued: World) -> None:
    """Deleted between decision and write: looked at from the start, and the plan ends."""
    queued.arm.resources.clear()
    apply(queued, _take(queued))
    queued.clock.advance(60)
    run(queued)

    assert (queued.row().state, queued.row().verdict, queued.arm.writes()) == (State.SUPERSEDED, "NotApplicable", [])


def test_a_vault_deleted_between_read_and_write_ends_its_plan(queued: World) -> None:
    """Azure answers 404 to the write: superseded, and looked at from the start."""
    queued.arm.failures["write"].append(Conflict("ResourceNotFound", "gone"))
    apply(queued, _take(queued))

    assert (queued.row().state, len(queued.queue.of("evaluate"))) == (State.SUPERSEDED, 1)


def test_a_conflict_that_comes_back_for_ever_ends(queued: World) -> None:
    """Azure answers every write with a conflict: looked at anew, later each time; the ninth time it has failed."""
    queued.arm.failures["write"] = [Conflict("ConcurrentUpdateError", "busy") for _ in range(20)]
    run(queued)

    assert (queued.row().state, len(queued.arm.writes())) == (State.FAILED, 9)
    assert [it.reason for it in queued.records.poison_list()] == ["ConcurrentUpdateError"]


def test_what_may_not_be_read_any_more_fails_at_once(queued: World) -> None:
    """The reader's right was taken away since the decision: a person must act, trying again changes nothing."""
    queued.arm.failures["read"].append(Denied("AuthorizationFailed", "no"))
    apply(queued, _take(queued))

    assert (queued.row().state, queued.arm.writes(), queued.queue.of("apply")) == (State.FAILED, [], [])


def test_a_vault_that_azure_is_still_changing_waits(queued: World) -> None:
    """What a vault says while it is being changed is not the end of it: back to the queue, nothing written."""
    queued.arm.put(vault_body(provisioningState="RegisteringDns"))
    apply(queued, _take(queued))

    assert (queued.row().state, queued.row().attempt, queued.arm.writes()) == (State.QUEUED, 1, [])


def test_a_plan_that_has_changed_is_not_carried_out(queued: World) -> None:
    """A step outside the approved set is never run: the plan is superseded and decided anew."""
    row_id = queued.row().id
    stored = queued.records.rows[row_id]
    queued.records.rows[row_id] = replace(stored, row=replace(stored.row, approved=("other",)))
    apply(queued, _take(queued))

    assert (queued.row().state, queued.arm.writes()) == (State.SUPERSEDED, [])


@pytest.mark.parametrize(
    ("choices", "reason", "state"),
    [
        ({"kill_switch": True}, "KillSwitch", State.AWAITING_APPROVAL),
        ({"freezes": (Freeze(NOON, NOON.replace(hour=13)),)}, "ChangeFreeze", State.AWAITING_APPROVAL),
        ({"paused": frozenset({vault_id().split("/")[2]})}, "SubscriptionPaused", State.AWAITING_APPROVAL),
        ({"mode": Mode.APPROVE}, "ModeIsApprove", State.AWAITING_APPROVAL),
        ({"auto_scope": ()}, "OutsideAutoScope", State.AWAITING_APPROVAL),
        ({"mode": Mode.OBSERVE}, "ModeIsObserve", State.OBSERVED),
    ],
)
def test_a_rail_that_trips_meanwhile_holds_the_row(
    queued: World, choices: dict[str, object], reason: str, state: State
) -> None:
    """What was decided is decided again before it is written: a switch thrown in between is obeyed."""
    queued.choices = replace(queued.choices, **choices)  # type: ignore[arg-type]
    apply(queued, _take(queued))

    assert (queued.row().state, queued.row().decision.reason, queued.row().approved) == (state, reason, ())
    assert queued.arm.writes() == []


def test_a_sandbox_workspace_that_comes_meanwhile_holds_the_row(queued: World) -> None:
    """The second look counts: a sandbox workspace that now uses the vault makes it ask."""
    queued.arm.put(workspace_body(environment="sandbox"))
    apply(queued, _take(queued))

    assert (queued.row().state, queued.arm.writes()) == (State.AWAITING_APPROVAL, [])


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"remediation": 5}', '{"remediation": "x"}'])
def test_a_message_that_makes_no_sense_is_a_poison_record(world: World, body: str) -> None:
    """Garbage on the queue is recorded and does not come back."""
    apply(world, delivery(body, NOON))

    assert [it.source for it in world.records.poison_list()] == ["apply"]


def test_a_bug_rises(queued: World) -> None:
    """What is none of our errors is not swallowed: the host tries again, then the poison queue has it."""
    queued.arm.failures["read"].append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        apply(queued, _take(queued))

    assert queued.row().state is State.APPLYING


def test_a_row_of_a_control_that_is_gone_fails(queued: World) -> None:
    """A row from another version names a control that there is not: it fails and says so."""
    queued.remediators = ()
    apply(queued, _take(queued))

    assert (queued.row().state, queued.row().finding.evidence["stands_in_the_way"]["reason"]) == (
        State.FAILED,
        "UnknownControl",
    )


def test_a_failed_row_is_tried_again_when_a_person_says_so(queued: World) -> None:
    """The lock is gone and somebody says retry: judged from the start, and resolved."""
    queued.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
    apply(queued, _take(queued))
    queued.queue.sent.clear()
    queued.clock.advance(60)
    retry(queued, queued.records.rows[queued.row().id], Cause("person", "", PERSON))
    run(queued)

    assert queued.row().state is State.RESOLVED
    assert [(it.event, it.actor) for it in queued.records.past[queued.row().id] if it.event == "retried"] == [
        ("retried", PERSON)
    ]


def test_only_what_ended_badly_can_be_retried(queued: World) -> None:
    """A queued row cannot be retried: the answer says which ones can."""
    with pytest.raises(Exception, match="only failed, rejected and expired"):
        retry(queued, queued.records.rows[queued.row().id], Cause("person", "", PERSON))


def test_a_notice_says_before_and_after(queued: World, caplog: pytest.LogCaptureFixture) -> None:
    """The line that operators are alerted by names the vault, the state, before and after."""
    apply(queued, _take(queued))
    notify(queued, delivery(queued.queue.take("notify"), NOON))

    assert "state=resolved" in caplog.text
    assert r"\"enablePurgeProtection\": null" in caplog.text


@pytest.mark.parametrize("gone", [True, False])
def test_a_kill_between_the_row_and_its_message_loses_nothing(queued: World, gone: bool) -> None:
    """Saved as ended, killed before its message was sent: the message delivered again sends what should have followed."""
    if gone:
        queued.arm.resources.clear()
    message = _take(queued)
    apply(queued, message)
    queued.queue.sent.clear()
    calls = len(queued.arm.calls)
    apply(queued, message)

    assert [name for name, _, _ in queued.queue.sent] == (["evaluate"] if gone else ["notify"])
    assert len(queued.arm.calls) == calls


@pytest.mark.parametrize("body", ["", '{"remediation": "x", "state": "resolved", "occurrence": "1"}'])
def test_a_notice_that_makes_no_sense_is_a_poison_record(world: World, body: str) -> None:
    """Garbage on the queue is recorded."""
    notify(world, delivery(body, NOON))

    assert [it.source for it in world.records.poison_list()] == ["notify"]
