"""Somebody says: try again. The row is judged anew from the start, as if an event had come."""

from datetime import timedelta

from shared.core import ids
from shared.core.errors import Refused
from shared.core.ports import Event, Ports, Stored
from shared.core.record import STUCK_UNTIL_CHANGED, State, moved
from shared.core.wake import Cause
from shared.flow.messages import EVALUATE, Evaluate

_SAVED_BY_THEN = timedelta(seconds=3)


def retry(ports: Ports, stored: Stored, cause: Cause) -> Stored:
    """Open a failed, rejected or expired row for a fresh evaluation. `cause` says who asks: a person, or the sweep.

    Raises Refused where the row is in no such state, RowChanged where it has changed meanwhile.
    """
    row = stored.row
    if row.state not in STUCK_UNTIL_CHANGED:
        raise Refused(
            "NothingToRetry",
            f"the remediation is {row.state}; only failed, rejected and expired ones can be retried",
        )
    # The message first, for a moment later: a person's click has no message of its own that would be delivered again.
    # If the row is not saved after all, the look finds it as it was and changes nothing.
    ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), cause).body(), _SAVED_BY_THEN)
    state = State.AWAITING_APPROVAL if row.undoes else State.SUPERSEDED  # no look opens an undo again: a person does
    again = moved(row, state, ports.clock.now(), attempt=0, cause=cause, approvals=())
    return ports.records.save(again, Event("retried", cause.actor or cause.kind, "Retry", {"from": row.state}), stored)
