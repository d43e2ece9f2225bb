"""Carry out the plan of a row: steps 10 to 13 of the life of an event (DESIGN 2).

    queued --claim--> applying --gather, judge, plan again--> only approved steps? --write--> read back --> resolved
       ^                 |                                           | no                         | not yet visible
       '--- temporary ---'                                           v                            '--> temporary
            attempt + 1                                    superseded, evaluate again

What was decided before is decided again from a fresh read: a plan is never replayed (STYLE B).
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from shared.core import ids
from shared.core.control import Compliant, Memory, NonCompliant, NotApplicable, Remediator, Unknown, Verdict
from shared.core.decide import Decision, Kind, decide
from shared.core.errors import BadInput, Conflict, Denied, PlanChanged, RowChanged, Temporary
from shared.core.facts import Snapshot
from shared.core.moves.workspace import is_repointing
from shared.core.plan import Plan
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import Remediation, State, is_let_through, resolved
from shared.flow import messages
from shared.flow.carry import hold, standing, write
from shared.flow.exempt import carry_out
from shared.flow.gather import check_settled, complete, deepen, gather, read_again
from shared.flow.look import case_of, planned
from shared.flow.messages import APPLY, Apply
from shared.flow.restore import restore
from shared.flow.say import say
from shared.flow.stage import adopt, advance
from shared.flow.supply import supply
from shared.flow.trace import span
from shared.flow.undo import lift
from shared.flow.work import Work, claim, fail, postpone, release, reserve, start_over, wait

_log = logging.getLogger("cmkwarden.apply")

# What no approval outweighs.
_AGAINST_ANYBODY = frozenset({"WouldBreakAWorkspace", "Locked", "Exempted", "NoAutomaticRemedy"})
_SOON = timedelta(seconds=5)  # another row of the target writes just now
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
    """Work on the row; alone at its target, where two rows may be about the same entry of a list."""
    controls = {it.control.id for it in work.ports.remediators if it.control.takes_away or it.control.is_staged}
    if work.row.control not in controls and not work.row.vault:
        _try(work)
        return
    if not reserve(work):
        wait(work, work.ports.clock.now() + _SOON, "TargetIsBusy")
        return
    _try(work)
    # Only where the row is still ours and its end is saved. Whoever takes the row over has the target under the same
    # name; where nobody does it is free in time.
    release(work)


def _try(work: Work) -> None:
    _try_once(work)
    if work.row.undoes and work.row.state in {State.FAILED, State.AWAITING_APPROVAL}:
        with suppress(RowChanged):  # whoever has the original decides on it anew in any case
            lift(work.ports, work.row)


def _try_once(work: Work) -> None:
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

    def judge(self, snapshot: Snapshot) -> Verdict | None:
        """Judge the subject. Where nothing is said of it, a whole that could not be judged decides; else None."""
        now = self.ports.clock.now()
        said = {it.subject: it for it in self.remediator.judge(snapshot, self.memory, self.ports.choices, now)}
        whole = said.get("")
        return said.get(self.subject) or (whole if isinstance(whole, Unknown | NotApplicable) else None)


def _carry_out(work: Work) -> None:
    ports, row = work.ports, work.row
    if row.undoes:
        restore(work)
        return
    if row.exempts:
        carry_out(work)
        return
    if row.vault:
        supply(work)
        return
    target = ids.parse(row.target)
    bench = _Bench(ports, _remediator(ports, row), ports.records.known(target).memory, row.subject)
    control = bench.remediator.control
    needs_roles = control.takes_away or "roles" in control.needs
    snapshot = gather(ports, target, bench.memory, needs_roles=needs_roles, only=control)
    check_settled(snapshot)
    if bench.remediator.control.takes_away:
        snapshot = deepen(ports, snapshot, bench.memory)
    snapshot, verdict = _judged(bench, snapshot)
    is_staged = bench.remediator.control.is_staged
    if is_staged and not is_repointing(step.kind for step in row.plan.steps):
        bench = replace(bench, memory=adopt(ports, snapshot, bench.memory))
    if isinstance(verdict, NonCompliant):
        _remedy(work, bench, verdict, snapshot)
    elif isinstance(verdict, Compliant):
        _resolve(work, verdict, "Verified" if is_staged and row.executor else "FoundCompliant")
    elif isinstance(verdict, Unknown):  # what may be readable later has risen as Temporary already
        raise Denied(verdict.finding.reason, verdict.finding.message)
    else:
        raise PlanChanged(verdict.finding.reason, verdict.finding.message)


def _remedy(work: Work, bench: _Bench, verdict: NonCompliant, snapshot: Snapshot) -> None:
    plan = planned(bench.ports, bench.remediator, verdict, snapshot, bench.memory)
    held = _objection(work, bench, verdict, plan, snapshot)
    if held:
        hold(work, held)
        return
    if not is_let_through(work.row, plan):
        raise PlanChanged("PlanHasChanged", "what would be written now is not what was decided")
    if bench.remediator.control.is_staged:
        work.see(verdict.finding)
        advance(work, plan, snapshot, bench.memory)
    elif write(work, plan):
        _verify(work, bench, snapshot)


def _judged(bench: _Bench, snapshot: Snapshot) -> tuple[Snapshot, Verdict]:
    """Judge the subject. Of an orphan only who has searched the whole estate can say anything."""
    verdict = bench.judge(snapshot)
    if verdict is None:
        snapshot = complete(bench.ports, snapshot, bench.memory)
        verdict = bench.judge(snapshot)
    if verdict is None:  # silence is no compliance
        raise Denied("NotJudged", "nothing can be said about the subject as things stand")
    return snapshot, verdict


def _objection(work: Work, bench: _Bench, verdict: NonCompliant, plan: Plan, snapshot: Snapshot) -> Decision | None:
    """Return the decision that now stands against a write, if one does. Counting rails were asked when it was let through."""
    ports, row, now = work.ports, work.row, work.ports.clock.now()
    case = case_of(ports, bench.remediator, verdict, plan, snapshot, bench.memory, work.stored)
    again = decide(case, ports.choices, now)
    if row.decision.kind is Kind.AUTO:
        return None if again.kind is Kind.AUTO else again
    # A step that ends what the one before it has stopped belongs to that: neither a freeze nor the end of a yes may
    # leave a workspace where no cluster starts.
    if plan.steps and plan.steps[0].urgent and is_let_through(row, plan):
        return None
    if again.reason in _AGAINST_ANYBODY or case.stops:
        return again
    if all(step.by_hand for step in plan.steps):  # nothing is written any more
        return None
    return standing(work, [snapshot.target, *(ids.parse(step.resource) for step in plan.steps)])


def _verify(work: Work, bench: _Bench, before: Snapshot) -> None:
    """Read back and judge once more: nothing is done before a fresh read says so."""

    def judged() -> Verdict | None:
        return bench.judge(read_again(bench.ports, before, bench.memory))

    def last(state: RetryCallState) -> Verdict | None:
        assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt only
        verdict: Verdict | None = state.outcome.result()
        return verdict

    verdict = Retrying(
        sleep=bench.ports.clock.sleep,
        wait=wait_exponential(multiplier=0.2),
        stop=stop_after_attempt(_READS_BACK),
        retry=retry_if_result(lambda seen: not isinstance(seen, Compliant)),
        retry_error_callback=last,
    )(judged)
    if not isinstance(verdict, Compliant):
        said = verdict.finding.message if verdict else "nothing"
        raise Temporary("NotVisibleYet", f"the write was accepted, but a read still says: {said}")
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
