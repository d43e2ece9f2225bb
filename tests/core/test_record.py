"""States: which lead where, and what a fresh look makes of a row."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core import ids
from shared.core.control import Compliant, Finding, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.decide import Decision, Kind
from shared.core.errors import IllegalTransition
from shared.core.plan import Plan
from shared.core.record import TRANSITIONS, Approval, Remediation, State, key, moved, remediation_id, resolved
from shared.core.settle import Look, settle
from shared.core.steps import Step
from shared.core.wake import Cause
from tests.fakes import NOON, vault_id

FOUND = Finding("PurgeProtectionIsOff", "it is off", {"a": 1})
PLAN = Plan((Step("vault.protect", vault_id(), {}, {"enablePurgeProtection": True}, "p"),))
OTHER = Plan((Step("vault.protect", vault_id(), {}, {"enablePurgeProtection": False}, "p"),))
AUTO = Decision(Kind.AUTO, "SafeInAutoScope", "go")
ASK = Decision(Kind.APPROVAL, "OutsideAutoScope", "ask")
LATER = NOON + timedelta(minutes=1)


def _look(verdict: Verdict | None = None, plan: Plan = PLAN, decision: Decision = AUTO) -> Look:
    fresh = NonCompliant(FOUND) if verdict is None else verdict
    return Look("row", "KV-RECOVERY", vault_id(), fresh, plan, decision, Cause("event", "e"))


def _row(state: State = State.QUEUED) -> Remediation:
    opened = settle(None, _look(), NOON)
    assert opened is not None
    return replace(opened, state=state)


def test_transitions_are_complete() -> None:
    """Every state has a row in the table of transitions."""
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_every_pair_of_states(before: State, after: State) -> None:
    """A row goes where the table leads, and nowhere else."""
    row = _row(before)
    if after is before or after in TRANSITIONS[before]:
        assert moved(row, after, LATER).state is after
    else:
        with pytest.raises(IllegalTransition):
            moved(row, after, LATER)


def test_nothing_runs_that_was_not_queued() -> None:
    """Only a queued row is ever applied: no other state leads there."""
    assert {state for state, ways in TRANSITIONS.items() if State.APPLYING in ways} == {State.QUEUED}


@pytest.mark.parametrize(
    ("kind", "state", "approved"),
    [
        (Kind.AUTO, State.QUEUED, True),
        (Kind.APPROVAL, State.AWAITING_APPROVAL, False),
        (Kind.TICKET, State.OBSERVED, False),
        (Kind.OBSERVE, State.OBSERVED, False),
        (Kind.SUPPRESSED, State.SUPPRESSED, False),
    ],
)
def test_the_decision_opens_the_row(kind: Kind, state: State, approved: bool) -> None:
    """A new finding opens where its decision says; only an automatic plan is approved by that."""
    row = settle(None, _look(decision=Decision(kind, "R", "m")), NOON)

    assert row is not None
    assert (row.state, bool(row.approved), row.occurrence) == (state, approved, 1)


@pytest.mark.parametrize("verdict", [Compliant(FOUND), NotApplicable(FOUND)])
def test_nothing_is_recorded_of_what_is_fine(verdict: Verdict) -> None:
    """A target that was never a finding leaves no row."""
    assert settle(None, _look(verdict, Plan()), NOON) is None


@pytest.mark.parametrize("state", [it for it in State if it not in {State.APPLYING, State.RESOLVED, State.SUPERSEDED}])
def test_what_is_found_compliant_is_resolved(state: State) -> None:
    """Whoever put it right, an open row is resolved by a compliant look and keeps what was found."""
    row = settle(_row(state), _look(Compliant(Finding("Recoverable", "fine")), Plan()), LATER)

    assert row is not None
    assert (row.state, row.verdict, row.finding) == (State.RESOLVED, "Compliant", FOUND)


@pytest.mark.parametrize("state", State)
def test_unknown_closes_nothing(state: State) -> None:
    """A look that could not see leaves an open row as it is, and shows on a closed one."""
    before = _row(state)
    row = settle(before, _look(Unknown(Finding("AuthorizationFailed", "no")), Plan()), LATER)

    assert row is not None
    assert row.is_open
    if before.is_open:
        assert row is before


@pytest.mark.parametrize("verdict", [Compliant(FOUND), NonCompliant(FOUND), Unknown(FOUND), NotApplicable(FOUND)])
def test_a_row_being_applied_is_left_alone(verdict: Verdict) -> None:
    """What is being applied belongs to the message that claimed it."""
    row = _row(State.APPLYING)

    assert settle(row, _look(verdict), LATER) is row


def test_a_regression_reopens() -> None:
    """Found again after it was resolved: the same row, one occurrence more."""
    row = settle(resolved(_row(), NOON), _look(), LATER)

    assert row is not None
    assert (row.state, row.occurrence, row.opened) == (State.QUEUED, 2, LATER)


def test_the_same_finding_again_changes_nothing() -> None:
    """A second look that sees the same writes nothing."""
    row = _row()

    assert settle(row, _look(), LATER) is row


@pytest.mark.parametrize("state", [State.OBSERVED, State.AWAITING_APPROVAL])
def test_a_row_that_stands_has_the_facts_of_the_last_look(state: State) -> None:
    """Evidence and owner are fresh, what was agreed to stays; a tuple that storage has made a list is no news."""
    kind = Kind.TICKET if state is State.OBSERVED else Kind.APPROVAL
    decision = Decision(kind, "R", "m", owner="team-a")
    given = Approval("ada-oid", PLAN.fingerprint, "seen", NOON, LATER, "author")
    row = replace(_row(state), decision=decision, approvals=(given,), finding=Finding("F", "m", {"a": [1, 2]}))
    same = settle(row, _look(NonCompliant(Finding("F", "m", {"a": (1, 2)})), decision=decision), LATER)
    moved_on = settle(row, _look(NonCompliant(Finding("F", "n", {"a": [3]})), decision=decision), LATER)
    passed_on = settle(row, _look(NonCompliant(row.finding), decision=replace(decision, owner="team-b")), LATER)

    assert same is row
    assert moved_on is not None
    assert (moved_on.state, moved_on.finding.message, moved_on.approvals) == (state, "n", (given,))
    assert passed_on is not None
    assert passed_on.decision.owner == "team-b"


def test_what_was_let_through_is_not_recalled_by_a_count() -> None:
    """A queued row stays queued when a later look would ask: `apply` asks again before it writes."""
    row = _row()

    assert settle(row, _look(decision=ASK), LATER) is row


def test_a_new_decision_moves_a_waiting_row() -> None:
    """A row that waits for approval goes on when the scope is widened."""
    waiting = settle(None, _look(decision=ASK), NOON)
    row = settle(waiting, _look(), LATER)

    assert row is not None
    assert (row.state, row.approved) == (State.QUEUED, (PLAN.steps[0].id,))


@pytest.mark.parametrize("state", [State.FAILED, State.REJECTED, State.EXPIRED])
def test_what_ended_badly_stays_until_the_plan_changes(state: State) -> None:
    """The same plan does not run again by itself; another plan opens the row anew."""
    row = _row(state)
    again = settle(row, _look(plan=OTHER), LATER)

    assert settle(row, _look(), LATER) is row
    assert again is not None
    assert (again.state, again.plan.fingerprint) == (State.QUEUED, OTHER.fingerprint)


def test_only_our_own_writes_count_as_remedies() -> None:
    """A row that somebody else put right does not count towards `changed back repeatedly`."""
    theirs, ours = _row(), replace(_row(), executor={"client_id": "writer"})
    sent = replace(ours, plan=replace(ours.plan, steps=tuple(replace(it, sent=NOON) for it in ours.plan.steps)))

    assert resolved(theirs, LATER).remedied == ()
    assert resolved(ours, LATER).remedied == (LATER,)
    assert all(step.done for step in resolved(sent, LATER).plan.steps)
    assert not any(step.done for step in resolved(ours, LATER).plan.steps)


def test_ids_survive_any_arm_id() -> None:
    """A row's id is 16 characters that any table and URL takes, the same whatever the case of the resource id."""
    target = ids.parse(vault_id("kv-ünïcode (1)"))
    row_id = remediation_id("KV-RECOVERY", target.key, "")

    assert len(row_id) == 16
    assert row_id.isalnum()
    assert row_id == remediation_id("KV-RECOVERY", str(target), "")
    assert row_id != remediation_id("KV-RECOVERY", target.key, "somebody")
    assert key("a", "bc") != key("ab", "c")
