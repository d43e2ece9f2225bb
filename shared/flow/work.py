"""A row in hand: claimed, moved through its states, and given back when something stands in the way.

The claim is a compare-and-set on the row. A message that is delivered again finds its own claim and goes on; any
other message leaves a fresh claim alone, so that no row is worked on twice at the same time.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core import ids
from shared.core.control import Finding
from shared.core.decide import Decision
from shared.core.errors import Conflict, Denied, PlanChanged, RemediationError, Temporary
from shared.core.ports import Event, Poisoned, Ports, Stored
from shared.core.record import Remediation, State, moved
from shared.flow.messages import APPLY, EVALUATE, LAST_ATTEMPT, NOTIFY, Apply, Evaluate, Notify, text
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.apply")

LONGEST_DELAY = timedelta(minutes=15)
LONGEST_WAIT = timedelta(days=6)  # a queue hides a message for seven days at most


@dataclass(slots=True)
class Work:
    """One row in hand. `stored` moves on with every save, so that each save is guarded by the one before."""

    ports: Ports
    stored: Stored

    @property
    def row(self) -> Remediation:
        """The row as it stands."""
        return self.stored.row

    def save(self, row: Remediation, name: str, reason: str, detail: Mapping[str, Any]) -> None:
        """Save the row with its history entry. Raises RowChanged where somebody else has it by now."""
        self.stored = self.ports.records.save(row, Event(name, "apply", reason, detail), self.stored)
        say(_log, name, remediation=row.id, target=row.target, state=row.state, reason=reason, cause=row.cause.id)

    def move(self, state: State, name: str, reason: str, detail: Mapping[str, Any], **changes: Any) -> None:
        """Save the row in another state."""
        self.save(moved(self.row, state, self.ports.clock.now(), **changes), name, reason, detail)

    def see(self, finding: Finding) -> None:
        """Keep in hand what is found now: the next save of the row says how far it has come."""
        self.stored = replace(self.stored, row=replace(self.row, finding=finding))

    def tell(self) -> None:
        """Tell people where the row has come to."""
        self.ports.queue.send(NOTIFY, Notify(self.row.id, self.row.state, self.row.occurrence).body())


def claim(ports: Ports, message: Apply, claimant: str) -> Work | None:
    """Claim the row, or return None where there is nothing for this message to do. Raises RowChanged."""
    stored = ports.records.get(message.remediation)
    if stored is None or stored.row.plan.fingerprint != message.fingerprint:
        say(_log, "ignored", remediation=message.remediation, reason="AnotherPlan")
        return None
    work, row = Work(ports, stored), stored.row
    if row.state is State.APPLYING and row.claim == claimant:
        # Our own message, delivered again after a kill. Saved, so that of two that hold it one goes on.
        work.move(State.APPLYING, "resumed", "DeliveredAgain", {"message": claimant}, claim=claimant)
        return work
    if row.claim == claimant:
        _follow(work)  # the work was done and its message not: a kill came between
        return None
    stale = row.state is State.APPLYING and row.updated < ports.clock.now() - ports.choices.claim
    if row.state is not State.QUEUED and not stale:
        say(_log, "ignored", remediation=row.id, reason=f"StateIs_{row.state}")
        return None
    work.move(State.APPLYING, "claimed", "TakenOver" if stale else "Claimed", {"message": claimant}, claim=claimant)
    return work


def postpone(work: Work, error: Temporary) -> None:
    """Give the row back and send its message again, later; the ninth time it has failed."""
    attempt = work.row.attempt + 1
    if attempt >= LAST_ATTEMPT:
        _give_up(work, error)
        return
    work.move(
        State.QUEUED,
        "postponed",
        error.reason,
        {"message": error.message, "attempt": attempt},
        attempt=attempt,
    )
    delay = advised(work.ports, attempt, error.delay)
    work.ports.queue.send(APPLY, Apply(work.row.id, work.row.plan.fingerprint).body(), delay)


def reserve(work: Work) -> bool:
    """Take the target for this row alone; False where another row has it. Whoever died over it loses it in time."""
    row, choices = work.row, work.ports.choices
    return work.ports.records.reserve(ids.parse(row.target), row.id, work.ports.clock.now(), choices.claim)


def release(work: Work) -> None:
    """Give the target back."""
    work.ports.records.release(ids.parse(work.row.target), work.row.id)


def come_back(ports: Ports, row: Remediation, decision: Decision) -> None:
    """Where a decision is only for now, have it taken anew when it is due."""
    if decision.due and row.is_open:
        delay = min(max(decision.due - ports.clock.now(), timedelta(0)), LONGEST_WAIT)
        again = Evaluate(ids.parse(row.target), row.cause, waited=True, due=int(decision.due.timestamp()))
        ports.queue.send(EVALUATE, again.body(), delay)


def wait(work: Work, until: datetime, reason: str) -> None:
    """Give the row back until a time: nothing is wrong, it is only too early. No function sits waiting."""
    delay = min(max(until - work.ports.clock.now(), timedelta(seconds=1)), LONGEST_WAIT)
    work.move(State.QUEUED, "waiting", reason, {"until": until.isoformat()})
    work.ports.queue.send(APPLY, Apply(work.row.id, work.row.plan.fingerprint).body(), delay)


def fail(work: Work, error: RemediationError) -> None:
    """End the row as failed; its finding says what stands in the way, and people are told."""
    evidence = {
        **work.row.finding.evidence,
        "stands_in_the_way": {"reason": error.reason, "message": error.message},
    }
    finding = Finding(work.row.finding.reason, work.row.finding.message, evidence)
    # What Azure has refused was not written: whoever puts it right later did it, not we. A step before it was ours.
    is_ours = not isinstance(error, Denied) or any(step.done for step in work.row.plan.steps)
    executor = work.row.executor if is_ours else {}
    work.move(State.FAILED, "failed", error.reason, {"message": error.message}, finding=finding, executor=executor)
    work.tell()


def start_over(work: Work, error: Conflict) -> None:
    """The world is not what the plan was made for: end this plan and evaluate from the start; the ninth time it has failed.

    A wish is judged by no evaluation: it tries again as it is. So does what people have agreed to, as long as the plan
    keeps within that: somebody who was faster with another change of the target takes nobody's yes back.
    """
    attempt = work.row.attempt + 1
    if work.row.is_wished or (work.row.approvals and not isinstance(error, PlanChanged)):
        postpone(work, Temporary(error.reason, error.message))
        return
    if attempt >= LAST_ATTEMPT:
        _give_up(work, error)
        return
    # A conflict is a write that did not happen: whoever has put it right meanwhile did it, not we.
    executor = work.row.executor if any(step.done for step in work.row.plan.steps) else {}
    detail = {"message": error.message}
    work.move(State.SUPERSEDED, "superseded", error.reason, detail, attempt=attempt, executor=executor)
    _follow(work)


def _give_up(work: Work, error: RemediationError) -> None:
    fail(work, error)
    say(_log, "gave_up", logging.WARNING, remediation=work.row.id, target=work.row.target, reason=error.reason)
    body = text(Apply(work.row.id, work.row.plan.fingerprint))
    poisoned = Poisoned(APPLY, work.row.id, error.reason, error.message, body)
    work.ports.records.poison(poisoned, work.ports.clock.now())


def _follow(work: Work) -> None:
    """Send what follows from where the row has come to: the next step, another look at what was superseded, else a notice."""
    row = work.row
    if row.state is State.QUEUED:
        work.ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body())
        return
    if row.state is not State.SUPERSEDED:
        work.tell()
        return
    delay = later(work.ports, row.attempt - 1) if row.attempt > 1 else timedelta(0)
    cause = replace(row.cause, kind="retry")
    work.ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), cause).body(), delay)


def advised(ports: Ports, attempt: int, said: float | None) -> timedelta:
    """Return how long to wait: what Azure said, or our own; less than a second is no advice, more than 15 minutes too much."""
    if said is not None and said >= 1:
        return timedelta(seconds=min(said, LONGEST_DELAY.total_seconds()))
    return later(ports, attempt)


def later(ports: Ports, attempt: int) -> timedelta:
    """Return how long to wait before the next try: twice as long each time."""
    doubled: timedelta = ports.choices.retry_delay * 2 ** (attempt - 1)
    return min(doubled, LONGEST_DELAY)
