"""How rows are listed: three shelves, each in an order of its own, and what a list shows of a row.

shelf     holds                      in the order of
waiting   awaiting approval          whose answer is due first
open      every other open finding   what changed last
closed    resolved, superseded       what changed last
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.core.decide import Kind
from shared.core.record import CLOSED, Remediation, State

_LONGEST = 400  # characters of a message
_FAR = 10**11  # seconds since 1970: later than any time there is, so that what is taken from it counts down


class Shelf(StrEnum):
    """Where a row lies, in the order in which a list goes through them."""

    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list shows of a row. `asked` is when people were asked, None where they are not.

    `steps` counts the plan's, `done` those that were carried out, `yes` the approvals that its plan has so far.
    """

    id: str
    control: str
    target: str
    subject: str
    state: State
    verdict: str
    kind: Kind
    decided: str
    reason: str
    message: str
    owner: str
    requester: str
    fingerprint: str
    steps: int
    irreversible: bool
    done: int
    yes: int
    asked: datetime | None
    reminded: datetime | None
    opened: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list shall hold: what is empty matches all. `text` stands anywhere in what is shown, whatever the case."""

    shelves: tuple[Shelf, ...] = ()
    states: tuple[State, ...] = ()
    control: str = ""
    target: str = ""
    text: str = ""

    def reach(self) -> tuple[Shelf, ...]:
        """Return the shelves on which it can be found: all of them where nothing says."""
        return tuple({shelf_of(state) for state in self.states}) if self.states else self.shelves

    def takes(self, summary: "Summary") -> bool:
        """Tell whether a row belongs to the list."""
        return (
            (not self.states or summary.state in self.states)
            and (not self.shelves or shelf_of(summary.state) in self.shelves)
            and (not self.control or summary.control == self.control)
            and (not self.target or summary.target.lower() == self.target.lower())
            and (not self.text or matches(summary, self.text))
        )


def shelf_of(state: State) -> Shelf:
    """Return where a row in this state lies."""
    if state is State.AWAITING_APPROVAL:
        return Shelf.WAITING
    return Shelf.CLOSED if state in CLOSED else Shelf.OPEN


def place(row: Remediation) -> str:
    """Return where a row stands in the one long list, as text that sorts like it: shelf, order there, id."""
    shelf = shelf_of(row.state)
    moment = int((_asked(row) or row.updated).timestamp())
    return f"{tuple(Shelf).index(shelf)}-{moment if shelf is Shelf.WAITING else _FAR - moment:012}-{row.id}"


def bounds(shelves: tuple[Shelf, ...]) -> tuple[str, str]:
    """Return the texts between which the places of these neighbouring shelves lie. None given: all."""
    order = tuple(Shelf)
    found = sorted(order.index(it) for it in shelves or order)
    return f"{found[0]}-", f"{found[-1]}."


def summary(row: Remediation) -> Summary:
    """Return what a list shows of a row."""
    return Summary(
        id=row.id, control=row.control, target=row.target, subject=row.subject, state=row.state, verdict=row.verdict,
        kind=row.decision.kind, decided=row.decision.reason, reason=row.finding.reason,
        message=row.finding.message[:_LONGEST], owner=row.decision.owner, requester=row.requester,
        fingerprint=row.plan.fingerprint, steps=len(row.plan.steps),
        irreversible=any(step.irreversible and not step.done for step in row.plan.steps),
        done=sum(step.done is not None for step in row.plan.steps), asked=_asked(row), reminded=row.reminded,
        yes=sum(it.fingerprint == row.plan.fingerprint for it in row.approvals), opened=row.opened, updated=row.updated,
    )  # fmt: skip


def matches(summary: Summary, text: str) -> bool:
    """Tell whether a text stands somewhere in what a list shows, whatever the case."""
    wanted = text.strip().lower()
    shown = (summary.id, summary.target, summary.subject, summary.reason, summary.message, summary.owner)
    return any(wanted in word.lower() for word in shown)


def _asked(row: Remediation) -> datetime | None:
    return (row.asked or row.opened) if row.state is State.AWAITING_APPROVAL else None
