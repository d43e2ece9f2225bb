"""A Plan is data: an ordered tuple of steps. Dry run, diff, approval, audit and undo are views of it.

The guard rails live here as well: limits that turn 'by itself' into 'ask', each a typed answer with its reason.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.choices import Choices, Mode
from shared.core.ids import ResourceId
from shared.core.steps import Step

SHARE_COUNTS_FROM = 5  # vaults in a subscription; below that a share says nothing (DESIGN 5)
OFTEN = 3  # remediations of one target within a day: somebody changes it back


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps."""

    steps: tuple[Step, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The hash of the ordered step ids: what an approval is given for. '' for an empty plan."""
        if not self.steps:
            return ""
        return hashlib.sha256(":".join(step.id for step in self.steps).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Write:
    """One remediation that was let through to happen by itself, as the ledger of its subscription keeps it."""

    time: datetime
    target: str


@dataclass(frozen=True, slots=True)
class Rail:
    """A guard rail that has tripped."""

    reason: str
    message: str


def rail_of_all(choices: Choices, now: datetime) -> Rail | None:
    """Check the rails that a person sets for everything at once."""
    if choices.kill_switch:
        return Rail("KillSwitch", "the kill switch is on (CMK_KILL_SWITCH): nothing is written by itself")
    for freeze in choices.freezes:
        if now in freeze:
            return Rail("ChangeFreeze", f"a change freeze is on until {freeze.ends:%Y-%m-%d %H:%M} UTC (CMK_FREEZE)")
    return None


def standing_rail(target: ResourceId, choices: Choices, now: datetime) -> Rail | None:
    """Check the rails that a person sets: they hold for what is decided and, again, for what is about to be written."""
    rail = rail_of_all(choices, now)
    if rail:
        return rail
    if target.subscription.lower() in choices.paused:
        return Rail("SubscriptionPaused", f"subscription {target.subscription} is paused (CMK_PAUSED)")
    return None


def counting_rail(
    target: ResourceId, ledger: Sequence[Write], vaults: int, choices: Choices, now: datetime
) -> Rail | None:
    """Check the rails that count. `ledger` holds the other writes of the subscription in the last day."""
    hour = sum(write.time > now - timedelta(hours=1) for write in ledger)
    if hour >= choices.writes_per_hour:
        return Rail(
            "WritesPerHour",
            f"{hour} writes in subscription {target.subscription} within an hour; the limit is "
            f"{choices.writes_per_hour} (CMK_WRITES_PER_HOUR)",
        )
    if vaults >= SHARE_COUNTS_FROM:
        changed = len({write.target for write in ledger if write.target != target.key}) + 1
        if changed * 100 > choices.share * vaults:
            return Rail(
                "ShareOfVaults",
                f"this would be the {changed}. of {vaults} vaults of subscription {target.subscription} changed within "
                f"a day; the limit is {choices.share} % (CMK_SHARE)",
            )
    return None


def in_auto_scope(target: ResourceId, choices: Choices) -> bool:
    """Whether the deployment lets things happen by themselves here. An empty scope is nowhere."""
    return any(target.is_below(scope) for scope in choices.auto_scope)


def may_write(control: str, choices: Choices) -> bool:
    """Whether the mode of a control allows any write at all, approved or not."""
    return choices.mode_of(control) not in {Mode.OFF, Mode.OBSERVE}
