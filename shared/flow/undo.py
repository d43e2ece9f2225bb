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
from shared.core.difference import on_record
from shared.core.errors import BadInput, Refused, Temporary
from shared.core.plan import Plan
from shared.core.ports import Event, Ports, Stored
from shared.core.record import (
    BUSY,
    OPENED_BY,
    Exemption,
    RecordedPlan,
    Remediation,
    State,
    carried_out,
    exempted,
    key,
    moved,
    recorded,
    remediation_id,
)
from shared.core.wake import Cause
from shared.flow.approve import check_comment
from shared.flow.gather import deepen, gather
from shared.flow.look import obstacles
from shared.flow.messages import EVALUATE, NOTIFY, Evaluate, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.undo")

LONGEST_EXEMPTION = timedelta(days=90)  # DESIGN 5
_ASKED = "an undo gives back what was taken away: it takes an approval, and exempts the finding until {until:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks for an undo or an exemption, why, until when the finding is exempted, and from which address.

    An undo exempts as well: the next event would narrow again.
    """

    person: str
    comment: str
    until: datetime
    origin: str = ""


def check_wish(wish: Wish, now: datetime) -> None:
    """Raise BadInput where a wish does not say why, or wants more than 90 days."""
    check_comment(wish.comment)
    if not now < wish.until <= now + LONGEST_EXEMPTION:
        raise BadInput("BadExpiry", f"`until` must be a time from now to {LONGEST_EXEMPTION.days} days from now")


def undo_of(ports: Ports, stored: Stored, wish: Wish) -> Stored:
    """Open the undo of a remediation. Raises Refused where there is none or the state is not the one that was left."""
    row = stored.row
    check_wish(wish, ports.clock.now())
    if row.is_wished or row.state in BUSY:
        raise Refused("NothingToUndo", "the remediation is itself an undo or an exemption, or is still being worked on")
    undo.check(row)
    return _open(ports, row, _planned(ports, row), wish)


def _planned(ports: Ports, row: Remediation) -> Plan:
    """Return what would restore the policies; nothing where only an owner can. Raises Refused where it would break somebody."""
    if undo.is_by_hand(row):
        return Plan()
    target = ids.parse(row.target)
    memory = ports.records.known(target).memory
    snapshot = deepen(ports, gather(ports, target, memory), memory)
    plan = Plan(undo.steps(row, snapshot))
    if not plan.steps:
        raise Refused("NothingToUndo", "everything is as it was before this remediation")
    held = obstacles(ports, snapshot, memory, plan.steps)
    if held:
        raise Refused(held.reason, held.message)
    return plan


def exempt(ports: Ports, wish: Remediation) -> None:
    """Exempt the remediation that a row undoes or exempts. Raises Temporary while that one is being worked on, RowChanged."""
    stored, wanted = ports.records.get(wish.undoes or wish.exempts), wish.exemption
    if stored is None or wanted is None or stored.row.exemption == wanted:
        return
    row, now = stored.row, ports.clock.now()
    if row.state in BUSY:
        raise Temporary("OriginalIsBusy", f"remediation {row.id} is {row.state}: what it does must end first")
    decision = Decision(Kind.SUPPRESSED, "Exempted", exempted(replace(row, exemption=wanted), row.finding, now))
    # What comes back is not our remedy any more; what was carried out stays known.
    changed = moved(
        row, State.SUPPRESSED, now, exemption=wanted, decision=decision, approved=(), executor={},
        carried=carried_out(row),
    )  # fmt: skip
    approvers = [it.person for it in wish.approvals]
    detail = {"reason": wanted.reason, "expires": wanted.expires.isoformat(), "wish": wish.id, "approved": approvers}
    ports.records.save(
        changed, Event("exempted", wanted.owner, "Undone" if wish.undoes else "Exempted", detail), stored
    )
    ports.queue.send(NOTIFY, Notify(row.id, changed.state, changed.occurrence).body())


def lift(ports: Ports, undoing: Remediation, actor: str = "apply", reason: str = "UndoFailed") -> None:
    """End the exemption again, unless something was given back: what it was given for did not happen."""
    if any(step.done for step in undoing.plan.steps):
        return
    stored = ports.records.get(undoing.undoes)
    if stored and stored.row.exemption == undoing.exemption:
        row = moved(stored.row, stored.row.state, ports.clock.now(), exemption=None)
        ports.records.save(row, Event("lifted", actor, reason, {}), stored)
        ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), Cause("retry", undoing.id)).body())


def _open(ports: Ports, row: Remediation, plan: Plan, wish: Wish) -> Stored:
    now, subject = ports.clock.now(), f"{undo.SUBJECT} {row.id}"
    row_id = remediation_id(row.control, row.target, subject)
    stored = ports.records.get(row_id)
    if stored and stored.row.state in BUSY | {State.AWAITING_APPROVAL}:
        raise Refused("UndoIsOpen", f"remediation {row_id} is the undo of this one, and is {stored.row.state}")
    evidence: Mapping[str, Any] = {"undoes": row.id, "comment": wish.comment.strip(), "proposed": undo.commands(row)}
    decision = Decision(Kind.APPROVAL, "UndoIsAsked", _ASKED.format(until=wish.until))
    # What only an owner can do is approved by the name of the commands: until then nothing is exempted.
    planned = recorded(plan) if plan.steps else RecordedPlan(key(row.id, *undo.commands(row)))
    fresh = Remediation(
        id=row_id, control=row.control, target=row.target, subject=subject, state=OPENED_BY[decision.kind],
        verdict="NonCompliant", decision=decision,
        finding=Finding("UndoRequested", f"the undo of remediation {row.id} was asked for", evidence),
        plan=planned, cause=Cause("person", row.id, wish.person), opened=now, updated=now, undoes=row.id,
        requester=wish.person, exemption=Exemption(wish.person, wish.comment.strip(), wish.until, undo.covers(row)),
    )  # fmt: skip
    return ask(ports, fresh, wish.origin, stored)


def ask(ports: Ports, row: Remediation, origin: str, before: Stored | None) -> Stored:
    """Open the row of what its requester wishes, in place of an earlier one that has ended, and tell people."""
    fresh = replace(row, occurrence=before.row.occurrence + 1) if before else row
    detail = {**row.finding.evidence, **on_record(row.plan), "from": origin}
    saved = ports.records.save(fresh, Event("asked", row.requester, row.decision.reason, detail), before)
    ports.queue.send(NOTIFY, Notify(row.id, fresh.state, fresh.occurrence).body())
    say(
        _log, "asked", remediation=row.id, target=row.target, state=fresh.state, reason=row.decision.reason,
        actor=row.requester,
    )  # fmt: skip
    return saved
