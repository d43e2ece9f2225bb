"""Somebody asks for the way back. It is a remediation of its own, and takes an approval like any other.

policies   a plan from the before-images, which waits for approval; applied, it exempts the original first
roles      a ticket with the exact commands: the writer may not give back a broad role
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core import ids, undo
from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.errors import BadInput, Refused
from shared.core.plan import Plan
from shared.core.ports import Event, Ports, Stored
from shared.core.record import OPENED_BY, Exemption, Remediation, State, exempted, moved, recorded, remediation_id
from shared.core.render import undo_commands
from shared.core.wake import Cause
from shared.flow.approve import check_comment
from shared.flow.gather import gather
from shared.flow.messages import NOTIFY, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.undo")

LONGEST_EXEMPTION = timedelta(days=90)  # DESIGN 5
_BUSY = frozenset({State.QUEUED, State.APPLYING})
_ASKED = "an undo gives back what was taken away: it takes an approval, and exempts the finding until {until:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks for an undo, why, and until when the finding is exempted: the next event would narrow again."""

    person: str
    comment: str
    until: datetime


def undo_of(ports: Ports, stored: Stored, wish: Wish) -> Stored:
    """Open the undo of a remediation. Raises Refused where there is none or the state is not the one that was left."""
    now, row = ports.clock.now(), stored.row
    check_comment(wish.comment)
    if not now < wish.until <= now + LONGEST_EXEMPTION:
        raise BadInput("BadExpiry", f"`until` must be a time from now to {LONGEST_EXEMPTION.days} days from now")
    if row.undoes or row.state in _BUSY:
        raise Refused("NothingToUndo", "the remediation is itself an undo, or is still being worked on")
    undo.check(row)
    plan = (
        Plan()
        if undo.is_by_hand(row)
        else Plan(undo.steps(row, gather(ports, ids.parse(row.target), _memory(ports, row))))
    )
    if not plan.steps and not undo.is_by_hand(row):
        raise Refused("NothingToUndo", "everything is as it was before this remediation")
    return _open(ports, row, plan, wish)


def exempt(ports: Ports, work_row: Remediation) -> None:
    """Exempt the remediation that a row undoes, before the first write: an event must not narrow again what comes back."""
    stored = ports.records.get(work_row.undoes)
    wanted = work_row.exemption
    if stored is None or wanted is None:
        raise Refused("NothingToUndo", "what this would undo is not on record")
    if stored.row.exemption == wanted:
        return
    state = State.SUPPRESSED if stored.row.state is not State.APPLYING else stored.row.state
    now = ports.clock.now()
    said = exempted(replace(stored.row, exemption=wanted), now)
    decision = Decision(Kind.SUPPRESSED, "Exempted", said)
    row = moved(stored.row, state, now, exemption=wanted, decision=decision, approved=())
    ports.records.save(
        row,
        Event("exempted", wanted.owner, "Undone", {"reason": wanted.reason, "expires": wanted.expires.isoformat()}),
        stored,
    )


def _open(ports: Ports, row: Remediation, plan: Plan, wish: Wish) -> Stored:
    now, subject = ports.clock.now(), f"{undo.SUBJECT} {row.id}"
    row_id = remediation_id(row.control, row.target, subject)
    stored = ports.records.get(row_id)
    if stored and stored.row.state in _BUSY | {State.AWAITING_APPROVAL}:
        raise Refused("UndoIsOpen", f"remediation {row_id} is the undo of this one, and is {stored.row.state}")
    commands = undo_commands(row.plan.steps)
    evidence: Mapping[str, Any] = {"undoes": row.id, "comment": wish.comment.strip(), "proposed": commands}
    decision = (
        Decision(Kind.APPROVAL, "UndoIsAsked", _ASKED.format(until=wish.until))
        if plan.steps
        else Decision(
            Kind.TICKET,
            "UndoByHand",
            "the writer may not assign a broad role: an owner runs the commands in `proposed`",
        )
    )
    fresh = Remediation(
        id=row_id, control=row.control, target=row.target, subject=subject, state=OPENED_BY[decision.kind],
        verdict="NonCompliant", decision=decision,
        finding=Finding("UndoRequested", f"the undo of remediation {row.id} was asked for", evidence),
        plan=recorded(plan), cause=Cause("person", row.id, wish.person), opened=now, updated=now, undoes=row.id,
        requester=wish.person, exemption=Exemption(wish.person, wish.comment.strip(), wish.until),
    )  # fmt: skip
    if stored:
        fresh = replace(fresh, occurrence=stored.row.occurrence + 1)
    saved = ports.records.save(fresh, Event("asked", wish.person, decision.reason, dict(evidence)), stored)
    ports.queue.send(NOTIFY, Notify(row_id, fresh.state, fresh.occurrence).body())
    say(
        _log,
        "asked",
        remediation=row_id,
        target=row.target,
        state=fresh.state,
        reason=decision.reason,
        actor=wish.person,
    )
    return saved


def _memory(ports: Ports, row: Remediation) -> Any:
    return ports.records.known(ids.parse(row.target)).memory
