"""Say what was done, before and after. One log line a message: operators' alerts are set on it.

A tripped guard rail, a failure and a tug of war are alarms: silence must not be a way to switch us off (DESIGN 5).
"""

import json
import logging

from shared.core.decide import ALARMS
from shared.core.errors import BadInput
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import Remediation, State
from shared.flow import messages
from shared.flow.messages import NOTIFY, REMINDER, Notify
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.notify")


def notify(ports: Ports, delivery: Delivery) -> None:
    """Work on one message."""
    try:
        message = messages.notify(delivery.body)
    except BadInput as error:
        say(_log, "refused", logging.WARNING, message=delivery.id, reason=error.reason)
        ports.records.poison(Poisoned(NOTIFY, delivery.id, error.reason, error.message), ports.clock.now())
        return
    stored = ports.records.get(message.remediation)
    if stored is None or not _is_so(stored.row, message):
        return
    row = stored.row
    steps = "; ".join(f"{step.kind} {json.dumps(step.before)} -> {json.dumps(step.after)}" for step in row.plan.steps)
    say(
        _log, "notice", logging.ERROR if _is_alarm(row, message) else logging.WARNING, remediation=row.id, control=row.control,
        target=row.target, state=message.state, now=row.state, finding=row.finding.reason, decision=row.decision.reason,
        message=row.decision.message, steps=steps or "none", cause=row.cause.id,
    )  # fmt: skip


def _is_so(row: Remediation, message: Notify) -> bool:
    """Whether it came to what is told: a reminder or an end that was not saved is told another night."""
    if message.state == REMINDER:
        return row.state is State.AWAITING_APPROVAL and row.reminded is not None
    return message.state != State.EXPIRED or row.state is State.EXPIRED


def _is_alarm(row: Remediation, message: Notify) -> bool:
    """Whether somebody should look at once. A late notice tells what was, too: a failure is not unsaid by a retry."""
    return message.state == State.FAILED or (row.is_open and row.decision.reason in ALARMS)
