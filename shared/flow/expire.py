"""A question that nobody answers ends as `expired`; some time before people are reminded. Done by the sweep.

The message goes first, for a minute later, and the row second. A kill in between sends it again the next night, and
the first one finds the row as it was and says nothing: each is told once, and none is lost.
"""

import logging
from datetime import timedelta

from shared.core import ids
from shared.core.errors import RowChanged
from shared.core.plan import standing_rail
from shared.core.ports import Event, Ports
from shared.core.question import ends, is_over, needs_reminder
from shared.core.record import Remediation, State, moved
from shared.flow.messages import NOTIFY, REMINDER, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.sweep")

_SAVED_BY_THEN = timedelta(minutes=1)


def expire(ports: Ports, row: Remediation) -> None:
    """Remind people of a question, or end it. While they may not say yes neither is fair, and neither happens."""
    choices, now = ports.choices, ports.clock.now()
    if not row.exempts and standing_rail(ids.parse(row.target), choices, now):
        return
    if is_over(row, choices, now):
        _save(ports, row.id, State.EXPIRED)
    elif needs_reminder(row, choices, now):
        _save(ports, row.id, State.AWAITING_APPROVAL)


def _save(ports: Ports, row_id: str, state: State) -> None:
    stored, now = ports.records.get(row_id), ports.clock.now()
    if stored is None or not _is_still(ports, stored.row, state):
        return
    is_end = state is State.EXPIRED
    changed = moved(stored.row, state, now, **({"approvals": ()} if is_end else {"reminded": now}))
    verb, reason = ("expired", "NobodyAnswered") if is_end else ("reminded", "Reminder")
    ports.queue.send(NOTIFY, Notify(row_id, state if is_end else REMINDER, changed.occurrence).body(), _SAVED_BY_THEN)
    since = (changed.asked or changed.opened).isoformat()
    detail = {"asked": since, "ends": ends(changed, ports.choices).isoformat()}
    try:
        ports.records.save(changed, Event(verb, "sweep", reason, detail), stored)
    except RowChanged:  # somebody has answered just now
        return
    say(_log, verb, remediation=row_id, target=changed.target, state=state, reason=reason, since=since)


def _is_still(ports: Ports, row: Remediation, state: State) -> bool:
    is_due = is_over if state is State.EXPIRED else needs_reminder
    return is_due(row, ports.choices, ports.clock.now())
