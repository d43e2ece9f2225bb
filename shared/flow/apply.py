"""Carry out the plan of a row: steps 10 to 13 of the life of an event (DESIGN 2).

    queued --claim--> applying --gather, judge, plan again--> only approved steps? --write--> read back --> resolved
       ^                 |                                           | no                         | not yet visible
       '--- temporary ---'                                           v                            '--> temporary
            attempt + 1                                    superseded, evaluate again

What was decided before is decided again from a fresh read: a plan is never replayed (STYLE B).
"""

import logging
import uuid
from dataclasses import dataclass, replace

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from shared.core import ids, undo
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Remediator, Unknown, Verdict
from shared.core.decide import Decision, Kind, decide
from shared.core.errors import BadInput, Conflict, Denied, Refused, RowChanged, Temporary
from shared.core.facts import Snapshot
from shared.core.plan import Plan, may_write, standing_rail
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import OPENED_BY, Remediation, State, recorded_step, resolved
from shared.flow import messages
from shared.flow.execute import execute
from shared.flow.gather import check_settled, deepen, gather, read_again
from shared.flow.look import case_of, planned
from shared.flow.messages import APPLY, Apply
from shared.flow.say import say
from shared.flow.trace import span
from shared.flow.undo import exempt
from shared.flow.work import Work, claim, fail, postpone, start_over, wait

_log = logging.getLogger("cmkwarden.apply")

_OURS = uuid.UUID("6f0e2c9a-6d0b-5f0e-9d0c-3b5b0c1e7a55")  # the namespace of our correlation ids
# What no approval outweighs.
_AGAINST_ANYBODY = frozenset({"WouldBreakAWorkspace", "Locked", "Exempted"})
_READS_BACK = 3  # a write is nearly always visible in the first read; after the last we come back through the queue


def apply(ports: Ports, delivery: Delivery) -> None:
    """Work on one message. Raises nothing but bugs: what can go wrong ends in a state or in another message."""
    try:
        message = messages.apply(delivery.body)
        with span("apply", remediation=message.remediation):
            _work_on(ports, message, message.claim or delivery.id)
    except BadInput as error:
        say(_log, "refused", logging.WARNING, message=delivery.id, reason=error.reason)
        ports.records.poison(Poisoned(APPLY, delivery.id, error.reason, error.message), ports.clock.now())
    except RowChanged:
        say(_log, "ignored", message=delivery.id, reason="RowChanged")


def _work_on(ports: Ports, message: Apply, claimant: str) -> None:
    try:
        work = claim(ports, message, claimant)
        if work:
            _attempt(work)
    except Temporary:
        # Our own storage, and nobody knows whether the row was saved: who comes back must know the claim as its own.
        ports.queue.send(APPLY, replace(message, claim=claimant).body(), ports.choices.retry_delay)


def _attempt(work: Work) -> None:
    try:
        _carry_out(work)
    except RowChanged:
        raise
    except Temporary as error:
        postpone(work, error)
    except Conflict as error:
        start_over(work, error)
    except (Denied, BadInput) as error:
        fail(work, error)


@dataclass(frozen=True, slots=True)
class _Bench:
    """What judging one row takes."""

    ports: Ports
    remediator: Remediator
    memory: Memory
    subject: str

    def judge(self, snapshot: Snapshot) -> Verdict:
        for verdict in self.remediator.judge(snapshot, self.memory, self.ports.choices, self.ports.clock.now()):
            if verdict.subject == self.subject:
                return verdict
        return Compliant(Finding("SubjectIsGone", "there is nothing more to say about the subject"), self.subject)


def _carry_out(work: Work) -> None:
    ports, row = work.ports, work.row
    if row.undoes:
        _restore(work)
        return
    target = ids.parse(row.target)
    bench = _Bench(ports, _remediator(ports, row), ports.records.known(target).memory, row.subject)
    snapshot = gather(ports, target, bench.memory)
    check_settled(snapshot)
    if bench.remediator.control.takes_away:
        snapshot = deepen(ports, snapshot, bench.memory)
    verdict = bench.judge(snapshot)
    if isinstance(verdict, Compliant):
        _resolve(work, verdict, "FoundCompliant")
        return
    if isinstance(verdict, Unknown):  # what may be readable later has risen as Temporary already
        raise Denied(verdict.finding.reason, verdict.finding.message)
    if isinstance(verdict, NotApplicable):
        raise Conflict(verdict.finding.reason, verdict.finding.message)
    plan = planned(ports, bench.remediator, verdict, snapshot, bench.memory)
    held = _objection(work, bench, verdict, plan, snapshot)
    if held:
        _hold(work, held)
        return
    if not {step.id for step in plan.steps} <= set(row.approved):
        raise Conflict("PlanHasChanged", "what would be written now is not what was decided")
    if _write(work, plan):
        _verify(work, bench, snapshot)


def _restore(work: Work) -> None:
    """Carry out an undo: judged by no control, only by whether everything is as it was or as it was left."""
    ports, row = work.ports, work.row
    target, memory = ids.parse(row.target), ports.records.known(ids.parse(row.target)).memory
    original = ports.records.get(row.undoes)
    snapshot = gather(ports, target, memory)
    check_settled(snapshot)
    try:
        plan = Plan(undo.steps(original.row, snapshot)) if original else Plan()
    except Refused as error:
        raise Denied(error.reason, error.message) from error
    held = _standing(work, snapshot)
    if held:
        _hold(work, held)
        return
    if not {step.id for step in plan.steps} <= set(row.approved):
        raise Denied("PlanHasChanged", "what would be restored now is not what was approved: ask for the undo again")
    exempt(ports, row)
    _write(work, plan)
    if original and undo.steps(original.row, read_again(ports, snapshot, memory)):
        raise Temporary("NotVisibleYet", "the write was accepted, but a read does not show it yet")
    _resolve(work, Compliant(Finding("Restored", "everything is as it was before", {})), "Verified")


def _objection(work: Work, bench: "_Bench", verdict: NonCompliant, plan: Plan, snapshot: Snapshot) -> Decision | None:
    """Return the decision that now stands against a write, if one does. Counting rails were asked when it was let through."""
    ports, row, now = work.ports, work.row, work.ports.clock.now()
    case = case_of(ports, bench.remediator, verdict, plan, snapshot, bench.memory, work.stored)
    again = decide(case, ports.choices, now)
    if row.decision.kind is Kind.AUTO:
        return None if again.kind is Kind.AUTO else again
    if again.reason in _AGAINST_ANYBODY:
        return again
    return _standing(work, snapshot)


def _standing(work: Work, snapshot: Snapshot) -> Decision | None:
    """Return what stands against a write that somebody has approved."""
    ports, row, now = work.ports, work.row, work.ports.clock.now()
    if any(it.expires <= now for it in row.approvals):
        return Decision(Kind.APPROVAL, "ApprovalExpired", "the approval is past its date: it takes a new one")
    if not may_write(row.control, ports.choices):
        return Decision(Kind.APPROVAL, "ModeIsObserve", f"the mode of {row.control} is observe: nothing is written")
    rail = standing_rail(snapshot.target, ports.choices, now)
    return Decision(Kind.APPROVAL, rail.reason, rail.message) if rail else None


def _hold(work: Work, decision: Decision) -> None:
    """Since the row was queued something has come between: it waits for a person."""
    detail = {"message": decision.message}
    work.move(OPENED_BY[decision.kind], "held", decision.reason, detail, decision=decision, approved=(), approvals=())
    work.tell()


def _write(work: Work, plan: Plan) -> bool:
    """Carry out the steps; False where the rest must wait. The before-image is saved first: a kill must not lose it.

    What takes effect later is relied on later, and by a plan that is made then.
    """
    settling = False
    for step in plan.steps:
        now = work.ports.clock.now()
        ready = now + work.ports.choices.settle if settling and not step.settles else step.not_before
        if ready and ready > now:
            wait(work, ready, "MustSettle")
            return False
        fresh = recorded_step(step)
        correlation = str(uuid.uuid5(_OURS, f"{work.row.id} {work.row.occurrence} {work.stored.head} {step.id}"))
        steps = tuple(fresh if old.id == fresh.id else old for old in work.row.plan.steps)
        work.move(
            State.APPLYING,
            "writing",
            step.kind,
            {
                "step": step.id,
                "correlation": correlation,
                "resource": step.resource,
                "before": dict(step.before),
                "after": dict(step.after),
            },
            claim=work.row.claim,
            executor=dict(work.ports.hand.identity),
            plan=replace(work.row.plan, steps=steps),
        )
        execute(work.ports, step, correlation)
        settling = settling or step.settles
    if settling:
        wait(work, work.ports.clock.now() + work.ports.choices.settle, "MustSettle")
    return not settling


def _verify(work: Work, bench: _Bench, before: Snapshot) -> None:
    """Read back and judge once more: nothing is done before a fresh read says so."""

    def judged() -> Verdict:
        return bench.judge(read_again(bench.ports, before, bench.memory))

    def last(state: RetryCallState) -> Verdict:
        assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt only
        verdict: Verdict = state.outcome.result()
        return verdict

    verdict = Retrying(
        sleep=bench.ports.clock.sleep,
        wait=wait_exponential(multiplier=0.2),
        stop=stop_after_attempt(_READS_BACK),
        retry=retry_if_result(lambda seen: not isinstance(seen, Compliant)),
        retry_error_callback=last,
    )(judged)
    if not isinstance(verdict, Compliant):
        raise Temporary("NotVisibleYet", f"the write was accepted, but a read still says: {verdict.finding.message}")
    _resolve(work, verdict, "Verified")


def _resolve(work: Work, verdict: Compliant, reason: str) -> None:
    row = resolved(work.row, work.ports.clock.now())
    work.save(row, "resolved", reason, {"evidence": dict(verdict.finding.evidence)})
    work.tell()


def _remediator(ports: Ports, row: Remediation) -> Remediator:
    for remediator in ports.remediators:
        if remediator.control.id == row.control:
            return remediator
    raise BadInput("UnknownControl", f"there is no control {row.control!r} in this version")
