"""A Remediation: the record of one control on one target, its states and the only ways between them.

Plain values that survive JSON; no I/O. Every change of state goes through `moved`, so that an illegal one cannot
be written. The history beside the row is hash-chained in `core/chain.py`.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.errors import IllegalTransition
from shared.core.ids import fold
from shared.core.plan import Plan
from shared.core.steps import Step
from shared.core.wake import Cause


class State(StrEnum):
    """Where a remediation stands."""

    OBSERVED = "observed"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    APPLYING = "applying"
    RESOLVED = "resolved"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    SUPPRESSED = "suppressed"


# What the decision opens (DESIGN 3).
OPENED_BY = {
    Kind.OBSERVE: State.OBSERVED,
    Kind.TICKET: State.OBSERVED,
    Kind.APPROVAL: State.AWAITING_APPROVAL,
    Kind.AUTO: State.QUEUED,
    Kind.SUPPRESSED: State.SUPPRESSED,
}
_DECIDED = frozenset(OPENED_BY.values())
# Ended for good or for now: these rows are not findings any more.
CLOSED = frozenset({State.RESOLVED, State.SUPERSEDED})
# On their way: whatever else would change such a row must wait, or cancel it first.
BUSY = frozenset({State.QUEUED, State.APPLYING})
# Ended badly: only a changed plan, a retry or (failed) the nightly sweep opens them again.
STUCK_UNTIL_CHANGED = frozenset({State.FAILED, State.REJECTED, State.EXPIRED})

_ENDS = frozenset({State.RESOLVED, State.SUPERSEDED})
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.OBSERVED: _DECIDED | _ENDS,
    State.AWAITING_APPROVAL: _DECIDED | _ENDS | {State.REJECTED, State.EXPIRED},
    State.QUEUED: _DECIDED | _ENDS | {State.APPLYING, State.FAILED},
    # Back to `queued` after something temporary; to a person when the decision would be another one by now.
    State.APPLYING: _ENDS | _DECIDED | {State.FAILED},
    State.RESOLVED: _DECIDED,
    State.FAILED: _DECIDED | _ENDS,
    State.REJECTED: _DECIDED | _ENDS,
    State.EXPIRED: _DECIDED | _ENDS,
    State.SUPERSEDED: _DECIDED | _ENDS,
    State.SUPPRESSED: _DECIDED | _ENDS,
}


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as the record keeps it.

    `sent` is when we last asked Azure for it, None where Azure has refused; `done` when that had taken effect. What
    came about without us has neither, and is not ours to undo.
    """

    id: str
    kind: str
    resource: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    permission: str
    irreversible: bool
    done: datetime | None = None
    grants: bool = False
    sent: datetime | None = None
    note: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan as the record keeps it."""

    fingerprint: str = ""
    steps: tuple[PlannedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """What we have carried out: in which occurrence, and what the finding that it remedied covered."""

    steps: tuple[PlannedStep, ...] = ()
    occurrence: int = 0
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes to a fingerprint, until a time. `author` is who made the change, '' where nobody knows."""

    person: str
    fingerprint: str
    comment: str
    given: datetime
    expires: datetime
    author: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """A person's dated "not here".

    `covers` is what was found when it was given, as the finding's reason and permissions beyond what is allowed: what
    goes beyond that is not exempted. None: the whole finding.
    """

    owner: str
    reason: str
    expires: datetime
    covers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Remediation:
    """One current row per (control, target, subject). Times are UTC.

    `approved` holds the step ids that may be carried out. `claim` names the message that holds an `applying` row,
    `attempt` counts temporary failures in a row, `remedied` the times this target was put right before. `noticed` is
    when the owner was told of this plan, `carried` what was carried out before it. `asked` is when the question for
    this plan was put, where that was later than `opened`, `reminded` when people were reminded of it. Of an undo,
    `undoes` names the remediation, of a wish for an exemption `exempts` does; `vault` is where a key that was asked for is to be made. `requester` is who asked for it.
    """

    id: str
    control: str
    target: str
    subject: str
    state: State
    verdict: str
    decision: Decision
    finding: Finding
    plan: RecordedPlan
    cause: Cause
    opened: datetime
    updated: datetime
    occurrence: int = 1
    executor: Mapping[str, str] = field(default_factory=dict)
    approved: tuple[str, ...] = ()
    claim: str = ""
    attempt: int = 0
    remedied: tuple[datetime, ...] = ()
    noticed: datetime | None = None
    approvals: tuple[Approval, ...] = ()
    exemption: Exemption | None = None
    carried: Carried | None = None
    undoes: str = ""
    requester: str = ""
    exempts: str = ""
    vault: str = ""
    asked: datetime | None = None
    reminded: datetime | None = None

    @property
    def is_wished(self) -> bool:
        """Whether a person asked for it, an undo, an exemption or a key: no control speaks of it, no look decides on it."""
        return bool(self.undoes or self.exempts or self.vault)

    @property
    def is_open(self) -> bool:
        """Whether it still stands as a finding."""
        return self.state not in CLOSED


def covered(finding: Finding) -> tuple[str, ...]:
    """Return what an exemption of a finding speaks of: its reason, and what was held beyond what is allowed."""
    return finding.reason, *(str(word) for word in finding.evidence.get("beyond", ()))


def exempted(row: Remediation | None, finding: Finding, now: datetime) -> str:
    """Say why and until when a finding is exempted; '' where it is not. What is incomplete or past counts for nothing."""
    it = row.exemption if row else None
    if it is None or not it.owner or not it.reason or it.expires <= now:
        return ""
    reason, *beyond = covered(finding)  # the same permissions may be found under another reason tomorrow
    if it.covers is not None and not set(beyond or [reason]) <= set(it.covers):
        return ""
    return f"exempted by {it.owner} until {it.expires:%Y-%m-%d %H:%M} UTC: {it.reason}"


def is_let_through(row: Remediation, plan: Plan) -> bool:
    """Whether a plan only has steps that were agreed to for this row: fewer steps go on (DESIGN 3).

    A step has the same id whether it narrows or gives: it depends on what is there. A yes to narrowing is none to giving.
    """
    gave = {step.id for step in row.plan.steps if step.grants}
    return bool(plan.steps) and all(
        step.id in row.approved and (step.id in gave or not step.grants) for step in plan.steps
    )


def key(*words: str) -> str:
    """Return 16 base32 characters of the SHA-256 of these words: short, safe in a URL and a table, stable for ever."""
    digest = hashlib.sha256("\n".join(words).encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def remediation_id(control: str, target_key: str, subject: str) -> str:
    """Return the id of the one row for a control, a target (id in lower case) and a subject."""
    return key(control, fold(target_key), fold(subject))


def moved(row: Remediation, state: State, now: datetime, **changes: Any) -> Remediation:
    """Return the row in another state. Raises IllegalTransition where its state does not lead there."""
    if state is not row.state and state not in TRANSITIONS[row.state]:
        raise IllegalTransition("IllegalTransition", f"remediation {row.id} cannot go from {row.state} to {state}")
    # An ended row keeps its claim: its message, delivered again after a kill, sends what should have followed.
    claim = "" if state is State.QUEUED else row.claim
    question: dict[str, Any] = {"asked": now, "reminded": None} if _asks_anew(row, state, changes) else {}
    return replace(row, **{"state": state, "updated": now, "claim": claim, **question, **changes})


def _asks_anew(row: Remediation, state: State, changes: Mapping[str, Any]) -> bool:
    """Whether people are asked from now on: they were not before, or they were asked about another plan."""
    fingerprint = changes.get("plan", row.plan).fingerprint
    is_same = row.state is State.AWAITING_APPROVAL and fingerprint == row.plan.fingerprint
    return state is State.AWAITING_APPROVAL and not is_same


def resolved(row: Remediation, now: datetime) -> Remediation:
    """Return the row as resolved. Where we wrote, its steps are done and it counts against whoever changes it back."""
    if not row.executor:
        return moved(row, State.RESOLVED, now, verdict="Compliant", attempt=0)
    steps = tuple(replace(step, done=step.done or now) if step.sent else step for step in row.plan.steps)
    ours = replace(row, plan=replace(row.plan, steps=steps))
    remedied = (*(time for time in row.remedied if time > now - timedelta(days=1)), now)
    return moved(
        ours, State.RESOLVED, now, verdict="Compliant", attempt=0, remedied=remedied, carried=carried_out(ours)
    )


def carried_out(row: Remediation) -> Carried | None:
    """Return what we have carried out so far: by this plan and those before it in this occurrence, else what came last."""
    done = tuple(step for step in row.plan.steps if step.done) if row.executor else ()
    if not done:
        return row.carried
    again = {step.id for step in done}
    is_same = row.carried is not None and row.carried.occurrence == row.occurrence
    before = tuple(step for step in row.carried.steps if step.id not in again) if row.carried and is_same else ()
    covers = row.carried.covers if row.carried and is_same else ()
    whole = tuple(dict.fromkeys([*covers, *covered(row.finding)]))
    return Carried((*before, *done), row.occurrence, whole)


def recorded(plan: Plan) -> RecordedPlan:
    """Return a plan as the record keeps it."""
    return RecordedPlan(plan.fingerprint, tuple(recorded_step(step) for step in plan.steps))


def recorded_step(step: Step, sent: datetime | None = None) -> PlannedStep:
    """Return a step as the record keeps it."""
    return PlannedStep(
        id=step.id,
        kind=step.kind,
        resource=step.resource,
        before=dict(step.before),
        after=dict(step.after),
        permission=step.permission,
        irreversible=step.irreversible,
        grants=step.grants,
        sent=sent,
        note=step.note,
        by_hand=step.by_hand,
    )
