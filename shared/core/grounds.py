"""What a decision rests on beside its row and the settings, as the last look saw it: kept, so that it can be made again.

A row keeps its plan, its finding and what people have said of it. The rest of a Case comes from Azure and is gone after the
look: whether the target belongs to a sandbox, which locks stand, what would stop working. Kept with the judgement, it lets
anybody ask what other settings would lead to without asking Azure anything (decision 0028).
"""

from dataclasses import dataclass
from datetime import datetime

from shared.core.control import Control, Finding
from shared.core.decide import Case
from shared.core.ids import ResourceId
from shared.core.plan import Plan
from shared.core.record import PlannedStep, Remediation, exempted
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class Grounds:
    """The part of a Case that only a look knows.

    `stops` is a reason and a sentence; `ready` is from when on the steps may run that rely on something young.
    """

    is_sandbox: bool
    dependants_known: bool
    asks: str = ""
    stops: tuple[str, str] | None = None
    since: datetime | None = None
    locks: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    ready: datetime | None = None
    quiet: datetime | None = None


def grounds_of(case: Case) -> Grounds:
    """Return what of a case is to be kept."""
    return Grounds(
        is_sandbox=case.is_sandbox, dependants_known=case.dependants_known, asks=case.asks,
        stops=(case.stops.reason, case.stops.message) if case.stops else None, since=case.since, locks=case.locks,
        breaks=case.breaks, quiet=case.quiet, ready=max((it.not_before for it in case.plan.steps if it.not_before), default=None),
    )  # fmt: skip


def case_from(row: Remediation, grounds: Grounds, control: Control, target: ResourceId, now: datetime) -> Case:
    """Return the case of a row as its last look saw it. What was carried out since is left out of its plan."""
    return Case(
        control=row.control, target=target, is_sandbox=grounds.is_sandbox, dependants_known=grounds.dependants_known,
        plan=Plan(tuple(_step(it, grounds) for it in row.plan.steps if not it.done)), remedied=row.remedied,
        owner=row.decision.owner, exempted=exempted(row, row.finding, now), takes_away=control.takes_away,
        asks=grounds.asks, stops=Finding(*grounds.stops) if grounds.stops else None, since=grounds.since,
        told=row.noticed, locks=grounds.locks, breaks=grounds.breaks, quiet=grounds.quiet,
    )  # fmt: skip


def _step(it: PlannedStep, grounds: Grounds) -> Step:
    return Step(
        kind=it.kind, resource=it.resource, before=it.before, after=it.after, permission=it.permission,
        irreversible=it.irreversible, grants=it.grants, note=it.note, by_hand=it.by_hand, not_before=grounds.ready,
    )  # fmt: skip
