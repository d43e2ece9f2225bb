"""What a fresh verdict makes of the row: the rules of opening, keeping, reopening and closing, all pure.

    verdict        no row        open row                      ended badly            closed
    Compliant      -             resolved                      resolved               -
    NonCompliant   opens         kept, or re-planned           kept until re-planned  reopens, occurrence + 1
    Unknown        opens         kept: it closes nothing       kept                   reopens as Unknown
    NotApplicable  -             superseded                    superseded             -

An `applying` row belongs to the message that claimed it: an evaluation never touches it.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.control import Compliant, Finding, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.decide import AWAITS_CONFIRMATION, Case, Decision, Kind
from shared.core.plan import Plan
from shared.core.record import (
    OPENED_BY,
    STUCK_UNTIL_CHANGED,
    Remediation,
    State,
    carried_out,
    is_let_through,
    moved,
    recorded,
    resolved,
)
from shared.core.wake import Cause

UNREADABLE = Decision(Kind.TICKET, "CannotRead", "the target could not be judged: a person must see to the access")


@dataclass(frozen=True, slots=True)
class Look:
    """One judged look at a target: the verdict on one subject, and for a finding the plan, the decision and its case."""

    id: str
    control: str
    target: str
    verdict: Verdict
    plan: Plan
    decision: Decision
    cause: Cause
    case: Case | None = None


def settle(row: Remediation | None, look: Look, now: datetime) -> Remediation | None:
    """Return what the row becomes; the same object where nothing changes, None where there is still none."""
    if row is not None and row.state is State.APPLYING:
        return row
    match look.verdict:
        case Compliant():
            return resolved(row, now) if row and _is_pending(row) else _said_anew(row, look, now)
        case NotApplicable():
            if row and _is_pending(row):
                return moved(row, State.SUPERSEDED, now, verdict="NotApplicable", attempt=0)
            return _said_anew(row, look, now)
        case Unknown():
            return _unknown(row, look, now)
        case NonCompliant():
            return _found(row, look, now)


def _is_pending(row: Remediation) -> bool:
    """Whether the last word is still to be said: it is open, or a plan was given up and nobody has judged since."""
    return row.is_open or (row.state is State.SUPERSEDED and row.verdict == "NonCompliant")


def _said_anew(row: Remediation | None, look: Look, now: datetime) -> Remediation | None:
    """Return a row that was put right with what is true of it now: nobody must read there that it still is compliant."""
    verdict = type(look.verdict).__name__
    if row is None or row.state is not State.RESOLVED or row.verdict == verdict:
        return row
    return moved(row, State.RESOLVED, now, verdict=verdict, finding=look.verdict.finding)


def _unknown(row: Remediation | None, look: Look, now: datetime) -> Remediation:
    if row is None:
        return _opened(look, State.OBSERVED, now)
    if row.is_open:
        return row
    news: dict[str, object] = {
        "finding": look.verdict.finding, "decision": look.decision, "executor": {}, "carried": carried_out(row),
    }  # fmt: skip
    return moved(row, State.OBSERVED, now, verdict="Unknown", **news)


def _found(row: Remediation | None, look: Look, now: datetime) -> Remediation:
    state = OPENED_BY[look.decision.kind]
    if row is None:
        return _opened(look, state, now)
    if row.is_open and _stands(row, look):
        return _up_to_date(row, look, now)
    again: dict[str, object] = {}
    if row.state is State.RESOLVED:  # a regression: it was right and is not any more
        again = {"opened": now, "occurrence": row.occurrence + 1}
    # A plan that was given up for a conflict keeps its count: a conflict that comes back for ever must end (DESIGN 6).
    attempt = row.attempt if row.state is State.SUPERSEDED else 0
    noticed = row.noticed if row.is_open and row.plan.fingerprint == look.plan.fingerprint else None
    return moved(
        row, state, now, **_news(look), **again, attempt=attempt, approved=_approved(look),
        noticed=noticed or _noticed(look, now), carried=carried_out(row),
    )  # fmt: skip


def _stands(row: Remediation, look: Look) -> bool:
    """Whether the row still says what is true. What was let through is not recalled by a limit that counts."""
    is_left = row.verdict == "NonCompliant" and is_let_through(row, look.plan)
    if is_left and (row.state is State.QUEUED or _is_half_way(row, look)):
        return True  # on its way: what is left of it is what was agreed to
    if row.plan.fingerprint != look.plan.fingerprint or row.verdict != "NonCompliant":
        return False
    # The same end state may be a narrowing today and a gift tomorrow.
    if row.finding.reason != look.verdict.finding.reason:
        return False
    # A gift is approved for those who ask for it: others are another question.
    gives = any(step.grants for step in look.plan.steps)
    if gives and row.finding.evidence.get("used_by") != look.verdict.finding.evidence.get("used_by"):
        return False
    if row.state is State.EXPIRED and isinstance(look.verdict, NonCompliant) and look.verdict.insists:
        return False  # nobody answered: they are asked anew
    if row.state in STUCK_UNTIL_CHANGED or row.state is State.QUEUED:
        return True
    return (row.decision.kind, row.decision.reason) == (look.decision.kind, look.decision.reason)


def _is_half_way(row: Remediation, look: Look) -> bool:
    """Whether it rests in the middle of what persons have agreed to: it failed there, or waits for one to confirm."""
    if row.state is State.FAILED:
        return bool(row.approvals)
    waits = row.state is State.AWAITING_APPROVAL and row.decision.reason == AWAITS_CONFIRMATION
    return waits and look.decision.reason == AWAITS_CONFIRMATION


def _up_to_date(row: Remediation, look: Look, now: datetime) -> Remediation:
    """Return a row that stands with the facts as they are now: people read them. What they agreed to stays agreed."""
    finding, owner = look.verdict.finding, look.decision.owner
    is_read = row.state in {State.OBSERVED, State.AWAITING_APPROVAL}
    if not is_read or (_plain(row.finding) == _plain(finding) and row.decision.owner == owner):
        return row
    return moved(row, row.state, now, finding=finding, decision=replace(row.decision, owner=owner))


def _plain(finding: Finding) -> str:
    """Return a finding as it is after storage, where a tuple is a list."""
    return json.dumps([finding.reason, finding.message, finding.evidence], sort_keys=True, default=str)


def _opened(look: Look, state: State, now: datetime) -> Remediation:
    row = Remediation(
        id=look.id, control=look.control, target=look.target, subject=look.verdict.subject, state=state,
        verdict=type(look.verdict).__name__, decision=look.decision, finding=look.verdict.finding,
        plan=recorded(look.plan), cause=look.cause, opened=now, updated=now,
    )  # fmt: skip
    return replace(row, approved=_approved(look), noticed=_noticed(look, now))


def _news(look: Look) -> dict[str, object]:
    return {
        "target": look.target,
        "verdict": type(look.verdict).__name__,
        "decision": look.decision,
        "finding": look.verdict.finding,
        "plan": recorded(look.plan),
        "cause": look.cause,
        "executor": {},
        "approvals": (),
    }


def _approved(look: Look) -> tuple[str, ...]:
    """Return the steps that may run: all of an automatic plan, none of any other."""
    return tuple(step.id for step in look.plan.steps) if look.decision.kind is Kind.AUTO else ()


def _noticed(look: Look, now: datetime) -> datetime | None:
    """Return when notice of this plan is given: with the decision that says so."""
    return now if look.decision.reason == "NoticeGiven" else None
