"""One judged look at a target: snapshot -> verdicts, plans and decisions.

`evaluate` records what it says and acts on it; `explain` shows it to a person; `apply` uses it to judge again.
Whether a write may still happen by itself is asked of a Ledger: evaluate's enters the write, explain's only reads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from shared.core.choices import Choices
from shared.core.control import Memory, NonCompliant, Remediator, Unknown, Verdict
from shared.core.decide import Case, Decision, Kind, decide
from shared.core.facts import Snapshot, Unreadable, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.plan import Plan, Rail
from shared.core.ports import Ports, Stored
from shared.core.record import STUCK_UNTIL_CHANGED, State, remediation_id
from shared.core.sandbox import LONGEST_NAME, is_sandbox
from shared.core.settle import UNREADABLE, Look
from shared.core.wake import Cause

_COUNTED = frozenset({State.QUEUED, State.APPLYING}) | STUCK_UNTIL_CHANGED
NOTHING_TO_DO = Decision(Kind.OBSERVE, "NothingToDo", "there is no finding")

# (target, reference of the write) -> the counting rail that stands against it, if one does
type Ledger = Callable[[ResourceId, str], Rail | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A look, and the row as it was when the look was taken."""

    look: Look
    stored: Stored | None


def look(ports: Ports, snapshot: Snapshot, memory: Memory, cause: Cause, ledger: Ledger) -> Iterator[Seen]:
    """Yield what is seen for each verdict of each remediator that speaks of this kind of target."""
    for remediator in ports.remediators:
        if snapshot.target.kind not in remediator.control.targets:
            continue
        for verdict in remediator.judge(snapshot, memory, ports.choices, ports.clock.now()):
            row_id = remediation_id(remediator.control.id, snapshot.target.key, verdict.subject)
            stored = ports.records.get(row_id)
            plan = planned(ports, remediator, verdict, snapshot)
            case = case_of(ports, remediator.control.id, plan, snapshot, memory, stored)
            enter = partial(ledger, case.target, reference(row_id, stored, plan))
            decision = _decision(ports, verdict, case, stored, enter)
            yield Seen(
                Look(row_id, remediator.control.id, str(snapshot.target), verdict, plan, decision, cause),
                stored,
            )


def planned(ports: Ports, remediator: Remediator, verdict: Verdict, snapshot: Snapshot) -> Plan:
    """Return the plan for a finding; an empty one for any other verdict."""
    if not isinstance(verdict, NonCompliant):
        return Plan()
    return Plan(remediator.plan(verdict.finding, snapshot, ports.choices))


def reference(row_id: str, stored: Stored | None, plan: Plan) -> str:
    """Name one write, so that entering it twice into a ledger is entering it once.

    The head of the row's history stays the same over a kill before the row is saved, and every new try has another.
    """
    return f"{row_id}-{stored.head if stored else 0}-{plan.fingerprint}"


def case_of(ports: Ports, control: str, plan: Plan, snapshot: Snapshot, memory: Memory, stored: Stored | None) -> Case:
    """Return everything that the decision on a finding may depend on."""
    return Case(
        control=control,
        target=snapshot.target,
        plan=plan,
        is_sandbox=is_sandbox(snapshot, memory, ports.choices),
        dependants_known=not isinstance(snapshot.dependants, Unreadable),
        remedied=stored.row.remedied if stored else (),
        owner=_owner(snapshot, ports.choices),
    )


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
    if stored is None or stored.row.plan.fingerprint != plan.fingerprint:
        return False
    met_a_conflict = stored.row.state is State.SUPERSEDED and stored.row.attempt > 0
    return stored.row.state in _COUNTED or met_a_conflict
