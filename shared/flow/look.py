"""One judged look at a target: snapshot -> verdicts, plans and decisions.

`evaluate` records what it says and acts on it; `explain` shows it to a person; `apply` uses it to judge again.
Whether a write may still happen by itself is asked of a Ledger: evaluate's enters the write, explain's only reads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Remediator, Unknown, Verdict
from shared.core.decide import Case, Decision, Kind, blocked, decide
from shared.core.facts import Hindrances, Snapshot, Unreadable, Vault, Workspace
from shared.core.graph import graph
from shared.core.ids import ResourceId
from shared.core.plan import Plan, Rail
from shared.core.ports import Ports, Stored
from shared.core.record import BUSY, STUCK_UNTIL_CHANGED, State, exempted, is_let_through, remediation_id
from shared.core.rehearse import broken_by
from shared.core.sandbox import LONGEST_NAME, is_sandbox
from shared.core.settle import UNREADABLE, Look
from shared.core.steps import Step
from shared.core.wake import Cause
from shared.flow.gather import deepen
from shared.flow.late import Late, holds_back, put_off

_COUNTED = BUSY | STUCK_UNTIL_CHANGED
NOTHING_TO_DO = Decision(Kind.OBSERVE, "NothingToDo", "there is no finding")

# (target, reference of the write) -> the counting rail that stands against it, if one does
type Ledger = Callable[[ResourceId, str], Rail | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A look, and the row as it was when the look was taken."""

    look: Look
    stored: Stored | None


def look(
    ports: Ports, snapshot: Snapshot, memory: Memory, cause: Cause, ledger: Ledger, late: Late | None = None
) -> Iterator[Seen]:
    """Yield what is seen for each verdict of each remediator that speaks of this kind of target.

    Those that rest on what is late are passed over. Looking deeper may itself be late.
    """
    for remediator in ports.remediators:
        if snapshot.target.kind not in remediator.control.targets or holds_back(late, remediator.control):
            continue
        found = put_off(late, "access", partial(_judged, ports, remediator, snapshot, memory))
        if found is None:
            continue
        snapshot, judged = found
        for verdict, plan in judged:
            row_id = remediation_id(remediator.control.id, snapshot.target.key, verdict.subject)
            stored = ports.records.get(row_id) if _may_have_row(remediator, verdict, memory) else None
            case = case_of(ports, remediator, verdict, plan, snapshot, memory, stored)
            enter = partial(ledger, case.target, reference(row_id, stored, plan))
            decision = replace(_decision(ports, verdict, case, stored, enter), owner=case.owner)
            yield Seen(
                Look(row_id, remediator.control.id, str(snapshot.target), verdict, plan, decision, cause, case),
                stored,
            )


def _judged(
    ports: Ports, remediator: Remediator, snapshot: Snapshot, memory: Memory
) -> tuple[Snapshot, Sequence[tuple[Verdict, Plan]]]:
    """Judge and plan. Before anything is taken away we look deeper, and judge again by what that shows."""

    def judge(seen: Snapshot) -> Sequence[tuple[Verdict, Plan]]:
        verdicts = _verdicts(ports, remediator, seen, memory)
        return [(verdict, planned(ports, remediator, verdict, seen, memory)) for verdict in verdicts]

    judged = judge(snapshot)
    if remediator.control.takes_away and snapshot.hindrances is None and any(plan.steps for _, plan in judged):
        snapshot = deepen(ports, snapshot, memory)
        judged = judge(snapshot)
    return snapshot, judged


def _verdicts(ports: Ports, remediator: Remediator, snapshot: Snapshot, memory: Memory) -> tuple[Verdict, ...]:
    """Judge, unless the deployment has switched the control off: then it speaks of nothing, and its rows end."""
    control = remediator.control.id
    if ports.choices.is_on(control):
        return remediator.judge(snapshot, memory, ports.choices, ports.clock.now())
    finding = Finding("ControlIsOff", f"the deployment does not ask for {control}: its mode is off")
    return tuple(NotApplicable(finding, subject) for subject in ("", *memory.subjects_of(control)))


def _may_have_row(remediator: Remediator, verdict: Verdict, memory: Memory) -> bool:
    """Whether there can be a row: of a part of the target that is as it should be only where one was opened once."""
    is_fine = isinstance(verdict, Compliant | NotApplicable)
    return not (is_fine and verdict.subject) or verdict.subject in memory.subjects_of(remediator.control.id)


def planned(ports: Ports, remediator: Remediator, verdict: Verdict, snapshot: Snapshot, memory: Memory) -> Plan:
    """Return the plan for a finding; an empty one for any other verdict."""
    if not isinstance(verdict, NonCompliant):
        return Plan()
    return Plan(remediator.plan(verdict, snapshot, memory, ports.choices))


def reference(row_id: str, stored: Stored | None, plan: Plan) -> str:
    """Name one write, so that entering it twice into a ledger is entering it once.

    The head of the row's history stays the same over a kill before the row is saved, and every new try has another.
    """
    return f"{row_id}-{stored.head if stored else 0}-{plan.fingerprint}"


def case_of(
    ports: Ports, remediator: Remediator, verdict: Verdict, plan: Plan, snapshot: Snapshot, memory: Memory,
    stored: Stored | None,
) -> Case:  # fmt: skip
    """Return everything that the decision on a finding may depend on."""
    takes_away, row = remediator.control.takes_away, stored.row if stored else None
    is_same = row is not None and (row.plan.fingerprint == plan.fingerprint or is_let_through(row, plan))
    return Case(
        control=remediator.control.id,
        target=snapshot.target,
        plan=plan,
        is_sandbox=is_sandbox(snapshot, memory, ports.choices),
        dependants_known=not isinstance(snapshot.dependants, Unreadable),
        remedied=row.remedied if row else (),
        owner=_owner(snapshot, ports.choices),
        exempted=exempted(row, verdict.finding, ports.clock.now()),
        takes_away=takes_away,
        asks=verdict.asks if isinstance(verdict, NonCompliant) else "",
        stops=verdict.stops if isinstance(verdict, NonCompliant) else None,
        quiet=verdict.quiet if isinstance(verdict, NonCompliant) else None,
        since=verdict.since if isinstance(verdict, NonCompliant) else None,
        told=row.noticed if row and is_same else None,
        locks=_locks(snapshot, plan.steps) if takes_away else (),
        breaks=broken(ports, snapshot, memory, plan.steps) if takes_away else (),
    )


def obstacles(ports: Ports, snapshot: Snapshot, memory: Memory, steps: Sequence[Step]) -> Decision | None:
    """Return what no approval outweighs, where it stands against steps that no control has planned."""
    return next(blocked(broken(ports, snapshot, memory, steps), _locks(snapshot, steps)), None)


def broken(ports: Ports, snapshot: Snapshot, memory: Memory, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what a plan would stop, in words."""
    if not steps:
        return ()
    uses = broken_by(graph(snapshot, memory, ports.choices), steps)
    return tuple(f"{use.layer} of {use.workspace}" for use in uses)


def _locks(snapshot: Snapshot, steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the locks that a plan would meet. ReadOnly stops every write, CanNotDelete what deletes (AZURE 7)."""
    found = snapshot.hindrances.locks if isinstance(snapshot.hindrances, Hindrances) else ()
    takes = any(step.takes for step in steps)
    return tuple(f"{it.name}, {it.level}" for it in found if steps and (takes or it.level.lower() == "readonly"))


def _owner(snapshot: Snapshot, choices: Choices) -> str:
    """Return whom the tags name: of the target first, then of whoever depends on it."""
    dependants = () if isinstance(snapshot.dependants, Unreadable) else snapshot.dependants
    for it in (snapshot.vault, snapshot.workspace, *dependants):
        owner = it.tags.get(choices.owner_tag.lower(), "") if isinstance(it, Vault | Workspace) else ""
        if owner.strip():
            return owner.strip()[:LONGEST_NAME]
    return ""


def _decision(
    ports: Ports, verdict: Verdict, case: Case, stored: Stored | None, count: Callable[[], Rail | None]
) -> Decision:
    if isinstance(verdict, Unknown):
        return UNREADABLE
    if not isinstance(verdict, NonCompliant):
        return NOTHING_TO_DO
    now = ports.clock.now()
    decision = decide(case, ports.choices, now)
    if decision.kind is not Kind.AUTO or _is_counted(stored, case.plan):
        return decision
    return decide(case, ports.choices, now, count())


def _is_counted(stored: Stored | None, plan: Plan) -> bool:
    """Whether this plan was counted when it was let through: it is on its way, stands until changed, or met a conflict."""
    if stored is None:
        return False
    if stored.row.state is State.QUEUED and is_let_through(stored.row, plan):
        return True
    if stored.row.plan.fingerprint != plan.fingerprint:
        return False
    met_a_conflict = stored.row.state is State.SUPERSEDED and stored.row.attempt > 0
    return stored.row.state in _COUNTED or met_a_conflict
