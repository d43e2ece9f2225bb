"""Somebody says: try again. The row is judged anew from the start, as if an event had come.

What persons have agreed to and what failed on its way goes on from where it stands, as long as their yes holds: each
step is planned anew from what is there, and only steps that were agreed to are taken (DESIGN 1.5).
"""

from datetime import datetime

from shared.core.decide import Kind
from shared.core.errors import Refused
from shared.core.ports import Event, Ports, Stored
from shared.core.record import STUCK_UNTIL_CHANGED, Remediation, State, moved
from shared.core.wake import Cause
from shared.flow.follow import apply_soon, look_soon


def retry(ports: Ports, stored: Stored, cause: Cause, origin: str = "") -> Stored:
    """Open a failed, rejected or expired row for a fresh evaluation, or have a ticket looked at anew.

    `cause` says who asks: a person, who says that what stood in the way is gone, or the sweep. Raises Refused where the row is in no such state, RowChanged where it has changed meanwhile.
    """
    row = stored.row
    is_ticket = row.state is State.OBSERVED and row.decision.kind is Kind.TICKET and not row.is_wished
    if row.state not in STUCK_UNTIL_CHANGED and not is_ticket:
        raise Refused(
            "NothingToRetry",
            f"the remediation is {row.state}; only failed, rejected and expired ones, and tickets, can be retried",
        )
    if row.state is State.FAILED and _is_agreed(row, ports.clock.now()):
        return _go_on(ports, stored, cause, origin)
    look_soon(ports, row, cause)
    if is_ticket:  # it stands until the look says otherwise
        again = moved(row, row.state, ports.clock.now(), cause=cause)
    else:
        state = (
            State.AWAITING_APPROVAL if row.is_wished else State.SUPERSEDED
        )  # a person opens a wish again, no look does
        again = moved(row, state, ports.clock.now(), attempt=0, cause=cause, approvals=())
    return ports.records.save(again, _event(row, cause, "Retry", origin), stored)


def _is_agreed(row: Remediation, now: datetime) -> bool:
    """Whether a yes to its plan still holds. A wish is asked for anew: what an undo exempts was lifted when it failed."""
    return not row.is_wished and bool(row.approvals and row.approved) and all(it.expires > now for it in row.approvals)


def _go_on(ports: Ports, stored: Stored, cause: Cause, origin: str) -> Stored:
    row = stored.row
    apply_soon(ports, row)
    queued = moved(row, State.QUEUED, ports.clock.now(), attempt=0, cause=cause)
    return ports.records.save(queued, _event(row, cause, "GoesOn", origin), stored)


def _event(row: Remediation, cause: Cause, reason: str, origin: str) -> Event:
    detail = {"state": row.state, **({"from": origin} if origin else {})}
    return Event("retried", cause.actor or cause.kind, reason, detail)
