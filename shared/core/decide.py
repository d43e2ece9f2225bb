"""The decision table: what happens to a finding, and why. One pure function, one row a line, first match wins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.core.choices import Choices, Mode
from shared.core.control import Finding
from shared.core.ids import ResourceId
from shared.core.plan import OFTEN, Plan, Rail, in_auto_scope, standing_rail

# The guard rails: what only they hold back goes on by itself when they allow it.
RAILS = frozenset({"KillSwitch", "ChangeFreeze", "SubscriptionPaused", "WritesPerHour", "ShareOfVaults"})
# Reasons that somebody should hear of at once: a limit has stopped us, or somebody undoes what we do (DESIGN 5).
ALARMS = RAILS | {"ChangedBackRepeatedly"}

AWAITS_CONFIRMATION = "AwaitsConfirmation"


class Kind(StrEnum):
    """What is done about a finding."""

    OBSERVE = "observe"  # recorded, nothing else
    AUTO = "auto"  # happens by itself
    APPROVAL = "approval"  # waits for a person's yes
    TICKET = "ticket"  # a person must do it
    SUPPRESSED = "suppressed"  # a person said: not here


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, with a reason for machines and a sentence for people. `due`: when it is decided anew by itself.

    `owner` is what a tag of the target says: shown to people, never believed.
    """

    kind: Kind
    reason: str
    message: str
    due: datetime | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the decision may depend on. `remedied` are the times this target was put right before.

    `stops` is what must be put right before anything is done. `quiet` is until when nobody is troubled. `owner` is what the target's owner tag says: shown to people, never believed. `exempted` says why and until when a
    person has said "not here". Of a control that takes permissions away: `asks` and `since` are the verdict's, `told`
    is when the owner was given notice of this plan, `locks` stand on the vault or above, `breaks` would stop working.
    """

    control: str
    target: ResourceId
    plan: Plan
    is_sandbox: bool
    dependants_known: bool
    remedied: tuple[datetime, ...]
    owner: str = ""
    exempted: str = ""
    takes_away: bool = False
    asks: str = ""
    stops: Finding | None = None
    since: datetime | None = None
    told: datetime | None = None
    locks: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    quiet: datetime | None = None


def decide(case: Case, choices: Choices, now: datetime, counted: Rail | None = None) -> Decision:
    """Decide. `counted` is the counting rail that tripped, if one did; it is asked last, since asking costs calls."""
    return next(_rows(case, choices, now, counted))


def _rows(case: Case, choices: Choices, now: datetime, counted: Rail | None) -> Iterator[Decision]:
    yield from _stopped(case, choices, now)
    yield from _asked(case, choices, now)
    if sum(time > now - timedelta(days=1) for time in case.remedied) >= OFTEN - 1:
        yield Decision(
            Kind.TICKET,
            "ChangedBackRepeatedly",
            f"this is the third remedy within a day: somebody changes it back (owner: {case.owner or 'no owner tag'}). "
            "Look for a template or pipeline that deploys the target without what the plan sets, and set it there",
        )
    rail = standing_rail(case.target, choices, now) or counted
    if rail:
        yield Decision(Kind.APPROVAL, rail.reason, rail.message)
    yield from _waits(case, choices, now)
    yield Decision(Kind.AUTO, "SafeInAutoScope", "the target lies inside CMK_AUTO_SCOPE and no guard rail has tripped")


def _stopped(case: Case, choices: Choices, now: datetime) -> Iterator[Decision]:
    """Where nothing is written, or cannot be."""
    if case.exempted:
        yield Decision(Kind.SUPPRESSED, "Exempted", case.exempted)
    if choices.mode_of(case.control) is Mode.OBSERVE:
        yield Decision(Kind.OBSERVE, "ModeIsObserve", f"the mode of {case.control} is observe: nothing is written")
    if case.quiet and case.quiet > now:
        said = f"what was found is young: somebody may be in the middle of a set-up; people are told at {case.quiet:%Y-%m-%d %H:%M} UTC"
        yield Decision(Kind.OBSERVE, "FindingIsYoung", said, case.quiet)
    if case.stops:
        yield Decision(Kind.TICKET, case.stops.reason, case.stops.message)
    if not case.plan.steps:
        yield Decision(Kind.TICKET, "NoAutomaticRemedy", "there is no step that cmkwarden can take: a person must act")
    yield from blocked(case.breaks, case.locks)


def blocked(breaks: Sequence[str], locks: Sequence[str]) -> Iterator[Decision]:
    """What no approval outweighs: a workspace that would not work afterwards, a lock that would stop a plan half way."""
    if breaks:
        said = f"the plan is refused: after it this would not work: {', '.join(breaks[:5])}"
        yield Decision(Kind.TICKET, "WouldBreakAWorkspace", said)
    if locks:
        said = f"a lock would stop the plan half way ({', '.join(locks[:5])}): take it off, then retry"
        yield Decision(Kind.TICKET, "Locked", said)


def _asked(case: Case, choices: Choices, now: datetime) -> Iterator[Decision]:
    """Where a person must say yes, whatever the limits say."""
    if all(step.by_hand for step in case.plan.steps):
        ready = max((step.not_before for step in case.plan.steps if step.not_before), default=now)
        if ready > now:
            told = f"what it relies on takes effect until {ready:%Y-%m-%d %H:%M} UTC: people are asked then"
            yield Decision(Kind.OBSERVE, "MustSettle", told, ready)
        said = "; ".join(f"{step.kind}: {', '.join(str(it) for it in step.after.values())}" for step in case.plan.steps)
        yield Decision(Kind.APPROVAL, AWAITS_CONFIRMATION, f"a person does the rest, then confirms it: {said}")
    if choices.mode_of(case.control) is Mode.APPROVE:
        yield Decision(
            Kind.APPROVAL, "ModeIsApprove", f"the mode of {case.control} is approve: every write is asked for"
        )
    if case.asks:
        yield Decision(Kind.APPROVAL, "NeedsAPerson", case.asks)
    if any(step.grants for step in case.plan.steps):
        yield Decision(
            Kind.APPROVAL, "GivesPermission", "the plan gives a permission that its holder does not have now"
        )
    if not in_auto_scope(case.target, choices):
        yield Decision(
            Kind.APPROVAL,
            "OutsideAutoScope",
            "the target lies outside CMK_AUTO_SCOPE: nothing happens by itself here",
        )
    if not case.dependants_known:
        yield Decision(
            Kind.APPROVAL,
            "DependantsUnknown",
            "the workspaces that depend on the target could not be read: nobody knows whom a write meets",
        )
    if case.is_sandbox and any(step.irreversible for step in case.plan.steps):
        yield Decision(
            Kind.APPROVAL,
            "SandboxEnvironment",
            "a step cannot be undone and the target belongs to a sandbox environment",
        )


def _waits(case: Case, choices: Choices, now: datetime) -> Iterator[Decision]:
    """Before anything is taken away by itself: let what is young settle, and tell its owner first."""
    if not case.takes_away:
        return
    old_enough = case.since + choices.grace if case.since else now
    if old_enough > now:
        said = f"the grant is younger than CMK_GRACE: somebody may be in the middle of a change; until {old_enough:%Y-%m-%d %H:%M} UTC"
        yield Decision(Kind.OBSERVE, "GrantIsYoung", said, old_enough)
    ends = (case.told or now) + choices.notice
    if ends > now:
        said = (
            f"it is narrowed by itself at {ends:%Y-%m-%d %H:%M} UTC (CMK_NOTICE); owner: {case.owner or 'no owner tag'}"
        )
        yield Decision(Kind.OBSERVE, "NoticeGiven", said, ends)
