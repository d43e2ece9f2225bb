"""A question to people: how long it stands, when they are reminded of it, and how many must say yes.

The clock starts when the question is put and not when the row was saved last. Nobody's question ends without a
reminder before: where that came late, the end comes later. What only a limit holds back asks nobody: it goes on by
itself when the limit allows it, and so does not end.
"""

from datetime import datetime
from typing import Protocol

from shared.core.choices import Choices
from shared.core.decide import AWAITS_CONFIRMATION, RAILS
from shared.core.record import Remediation, State


class Asked(Protocol):
    """What is known of a question: a row, or what a list shows of it."""

    @property
    def asked(self) -> datetime | None: ...  # noqa: D102
    @property
    def opened(self) -> datetime: ...  # noqa: D102
    @property
    def reminded(self) -> datetime | None: ...  # noqa: D102


def ends(row: Asked, choices: Choices) -> datetime:
    """Return until when a question stands."""
    since = row.asked or row.opened
    return max(since + choices.ask, row.reminded + choices.remind if row.reminded else since)


def stands(row: Remediation) -> bool:
    """Whether people are asked for a yes, and only that can make it go on.

    A rail makes way by itself, but nobody looks at a wish then. What a person still has to do by hand is not asked for.
    """
    is_held = row.decision.reason in RAILS and not row.is_wished
    return row.state is State.AWAITING_APPROVAL and not is_held and row.decision.reason != AWAITS_CONFIRMATION


def needs_reminder(row: Remediation, choices: Choices, now: datetime) -> bool:
    """Whether it is time to remind people, for the first and only time."""
    return stands(row) and not row.reminded and bool(choices.remind) and ends(row, choices) - choices.remind <= now


def is_over(row: Remediation, choices: Choices, now: datetime) -> bool:
    """Whether nobody has answered in time."""
    was_reminded = bool(row.reminded) or not choices.remind
    return stands(row) and was_reminded and ends(row, choices) <= now


def takes_two(row: Remediation, choices: Choices) -> bool:
    """Whether the deployment wants a second person for this plan: a step of it cannot be undone."""
    return choices.two_approvers and any(step.irreversible for step in row.plan.steps)
