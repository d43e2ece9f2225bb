"""The decision table: what happens to a finding, and why. One pure function, one row a line, first match wins."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.core.choices import Choices, Mode
from shared.core.ids import ResourceId
from shared.core.plan import OFTEN, Plan, Rail, in_auto_scope, standing_rail

# Reasons that somebody should hear of at once: a limit has stopped us, or somebody undoes what we do (DESIGN 5).
ALARMS = frozenset(
    {"KillSwitch", "ChangeFreeze", "SubscriptionPaused", "WritesPerHour", "ShareOfVaults", "ChangedBackRepeatedly"}
)


class Kind(StrEnum):
    """What is done about a finding."""

    OBSERVE = "observe"  # recorded, nothing else
    AUTO = "auto"  # happens by itself
    APPROVAL = "approval"  # waits for a person's yes
    TICKET = "ticket"  # a person must do it
    SUPPRESSED = "suppressed"  # a person said: not here


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, with a reason for machines and a sentence for people."""

    kind: Kind
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the decision may depend on. `remedied` are the times this target was put right before.

    `owner` is what the target's owner tag says: shown to people, never believed.
    """

    control: str
    target: ResourceId
    plan: Plan
    is_sandbox: bool
    dependants_known: bool
    remedied: tuple[datetime, ...]
    owner: str = ""


def decide(case: Case, choices: Choices, now: datetime, counted: Rail | None = None) -> Decision:
    """Decide. `counted` is the counting rail that tripped, if one did; it is asked last, since asking costs calls."""
    return next(_rows(case, choices, now, counted))


def _rows(case: Case, choices: Choices, now: datetime, counted: Rail | None) -> Iterator[Decision]:
    mode = choices.mode_of(case.control)
    if mode is Mode.OBSERVE:
        yield Decision(Kind.OBSERVE, "ModeIsObserve", f"the mode of {case.control} is observe: nothing is written")
    if not case.plan.steps:
        yield Decision(Kind.TICKET, "NoAutomaticRemedy", "there is no step that cmkwarden can take: a person must act")
    if mode is Mode.APPROVE:
        yield Decision(
            Kind.APPROVAL, "ModeIsApprove", f"the mode of {case.control} is approve: every write is asked for"
        )
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
    yield Decision(Kind.AUTO, "SafeInAutoScope", "the target lies inside CMK_AUTO_SCOPE and no guard rail has tripped")
