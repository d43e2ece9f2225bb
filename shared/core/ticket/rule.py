"""What a row asks of its ticket. Pure: the same row leads to the same ticket, however often and in whatever order it is asked.

    the row                                        no ticket     an open one              a closed one
    needs a person                                 create        comment where it says    reopen
                                                                 something else now
    is on its way, or is left alone for now        -             the same                 kept up to date
    resolved: a read has shown it                  -             close, `Verified`        kept up to date
    resolved, and a person had wished for it       -             close, `Done`            kept up to date
    superseded: the control is silent about it     -             close, `NotApplicable`   kept up to date
    suppressed: a person said "not here"           -             close, `Exempted`        kept up to date

Needs a person: `awaiting_approval`, `failed`, `rejected`, `expired`, and `observed` with the decision ticket. What is
narrowed by itself has none unless it fails. A ticket knows the head of the row's history that it was written from, so
that a notice that comes late never writes old over new; a note's key is that head, so that none is posted twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.core.chain import Entry
from shared.core.decide import Kind
from shared.core.record import Remediation, State
from shared.core.ticket.content import Content

_FOR_PEOPLE = frozenset({State.AWAITING_APPROVAL, State.FAILED, State.REJECTED, State.EXPIRED})
_BY_PEOPLE = frozenset(
    {"approved", "rejected", "cancelled", "asked", "exempted", "lifted", "confirmed", "picked", "retried"}
)
_OURS = frozenset({"evaluate", "apply", "sweep"})
_LONGEST_NOTE = 4000  # characters


class Standing(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    CLOSED = "closed"


class Verb(StrEnum):
    """What is done to a ticket: the verbs of the port."""

    CREATE = "create"
    COMMENT = "comment"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of a ticket's own history: opened, commented, reopened or closed. The same key is the same note."""

    key: str
    time: datetime
    event: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """The ticket of one row, under the row's id. `version` is the head of the row's history that it was written from."""

    id: str
    standing: Standing
    reason: str  # why it is closed; '' while it is open
    version: int
    occurrence: int
    opened: datetime
    updated: datetime
    content: Content


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done: the ticket as it will be, and what is said of it; None where nobody need hear of it."""

    verb: Verb
    ticket: Ticket
    note: Note | None


def change(ticket: Ticket | None, row: Remediation, history: Sequence[Entry], content: Content) -> Change | None:
    """Return what a row asks of its ticket, None where it is in line. `history` is the row's, up to what the row says."""
    head = history[-1].n
    if ticket is None:
        if not needs_person(row):
            return None
        fresh = Ticket(row.id, Standing.OPEN, "", head, row.occurrence, row.updated, row.updated, content)
        return Change(Verb.CREATE, fresh, _note(row, history[-1:], "opened", content.reason, content.message))
    if head < ticket.version or (head == ticket.version and is_in_line(ticket, row, content)):
        return None
    fresh = replace(ticket, version=head, occurrence=row.occurrence, updated=row.updated, content=content)
    since = [it for it in history if it.n > ticket.version] or history[-1:]
    ended, is_open = closing(row), ticket.standing is Standing.OPEN
    if ended and is_open:
        closed = replace(fresh, standing=Standing.CLOSED, reason=ended)
        return Change(Verb.TRANSITION, closed, _note(row, since, "closed", ended, _ENDED[ended]))
    if not ended and needs_person(row) and not (is_open and row.occurrence == ticket.occurrence):
        reason = "Regression" if row.occurrence > ticket.occurrence else "StandsAgain"
        reopened = replace(fresh, standing=Standing.OPEN, reason="")
        return Change(Verb.TRANSITION, reopened, _note(row, since, "reopened", reason, content.message))
    news = "; ".join(_news(ticket.content, content, _acts(since))) if is_open and head > ticket.version else ""
    return Change(Verb.COMMENT, fresh, _note(row, since, "commented", since[-1].reason, news) if news else None)


def needs_person(row: Remediation) -> bool:
    """Whether somebody has to see to a row."""
    return row.state in _FOR_PEOPLE or (row.state is State.OBSERVED and row.decision.kind is Kind.TICKET)


def closing(row: Remediation) -> str:
    """Return why a row's ticket is closed, '' where it is not."""
    if row.state is State.RESOLVED:
        return "Done" if row.is_wished else "Verified"
    if row.state is State.SUPPRESSED:
        return "Exempted"
    # A plan that was given up, or a retry, is followed by another look: nothing has been shown yet.
    return "NotApplicable" if row.state is State.SUPERSEDED and row.verdict == "NotApplicable" else ""


def is_in_line(ticket: Ticket | None, row: Remediation, content: Content) -> bool:
    """Whether a ticket is what its row asks for. Compares what it says, so that a lost notice shows."""
    if ticket is None:
        return not needs_person(row)
    if ticket.content != content or ticket.occurrence != row.occurrence:
        return False
    if closing(row):
        return ticket.standing is Standing.CLOSED
    return ticket.standing is Standing.OPEN or not needs_person(row)


_ENDED = {
    "Verified": "a fresh read says that the control holds",
    "Done": "what a person asked for was done",
    "NotApplicable": "a fresh read says that the control does not speak of this any more",
    "Exempted": "a person said: not here, for a time",
}


def _note(row: Remediation, since: Sequence[Entry], event: str, reason: str, text: str) -> Note:
    """Return a note; what people have said since the last one is in it, whether or not a notice told of it then."""
    whole = text if event == "commented" else "; ".join([text, *_acts(since)])
    return Note(f"{since[-1].n:07}-{event}", row.updated, event, reason, whole[:_LONGEST_NOTE])


def _acts(since: Sequence[Entry]) -> list[str]:
    """Say what people did, and what was done since they did nothing."""
    found = []
    for it in since:
        comment = it.detail.get("comment")
        if it.event in _BY_PEOPLE and it.actor not in _OURS:
            found.append(f"{it.event} by {it.actor}" + (f": {comment}" if isinstance(comment, str) and comment else ""))
        elif it.event == "reminded":
            found.append("nobody has answered yet")
    return found


def _news(old: Content, new: Content, acts: Sequence[str]) -> list[str]:
    """Say what is another than before, for people, and what people did."""
    found = list[str]()
    if old.state is not new.state:
        found.append(f"{old.state} is now {new.state}")
    if (old.reason, old.message) != (new.reason, new.message):
        found.append(f"{new.reason}: {new.message}")
    before = {it.layer: it.verdict for it in old.layers}
    found += [f"{it.layer} is now {it.verdict}" for it in new.layers if before.get(it.layer) != it.verdict]
    if old.stands_in_the_way != new.stands_in_the_way and new.stands_in_the_way:
        found.append(f"in the way stands {new.stands_in_the_way}")
    if old.decision.reason != new.decision.reason:
        found.append(f"{new.decision.reason}: {new.decision.message}")
    if old.fingerprint != new.fingerprint:
        found.append(f"the plan is another one: {len(new.steps)} steps")
    done = [sum(step.done is not None for step in it.steps) for it in (old, new)]
    if done[0] != done[1]:
        found.append(f"{done[1]} of {len(new.steps)} steps are done")
    return [*found, *acts] or (["details have changed"] if _still(old) != _still(new) else [])


def _still(content: Content) -> Content:
    """Return it without when we last tried: what fails night after night is no news."""
    return replace(content, steps=tuple(replace(step, sent=None) for step in content.steps))
