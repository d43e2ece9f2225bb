"""Say what was done, before and after, and bring the row's ticket in line. Operators' alerts are set on the log line.

A tripped guard rail, a failure, a tug of war and a control that pages are alarms: silence must not be a way to switch us off (DESIGN 5).
"""

import json
import logging
from dataclasses import replace

from shared.core.decide import ALARMS
from shared.core.errors import BadInput, Temporary
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import Remediation, State
from shared.flow import messages
from shared.flow.messages import LAST_ATTEMPT, NOTIFY, REMINDER, Notify
from shared.flow.say import say
from shared.flow.ticket import align
from shared.flow.work import advised

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
    if stored is None:
        return
    row = stored.row
    if message.attempt == 1 and _is_so(row, message):
        _say(row, message, pages=_pages(ports, row))
    try:
        align(ports, stored)
    except Temporary as error:
        _come_back(ports, message, error)
    except BadInput as error:  # it fits no ticket
        say(_log, "gave_up", logging.WARNING, remediation=row.id, target=row.target, reason=error.reason)
        ports.records.poison(Poisoned(NOTIFY, row.id, error.reason, error.message), ports.clock.now())


def _say(row: Remediation, message: Notify, *, pages: bool) -> None:
    steps = "; ".join(f"{step.kind} {json.dumps(step.before)} -> {json.dumps(step.after)}" for step in row.plan.steps)
    say(
        _log, "notice", logging.ERROR if pages or _is_alarm(row, message) else logging.WARNING, remediation=row.id, control=row.control,
        target=row.target, state=message.state, now=row.state, finding=row.finding.reason, decision=row.decision.reason,
        message=row.decision.message, steps=steps or "none", cause=row.cause.id,
    )  # fmt: skip


def _is_so(row: Remediation, message: Notify) -> bool:
    """Whether it came to what is told: a reminder or an end that was not saved is told another night."""
    if message.state == REMINDER:
        return row.state is State.AWAITING_APPROVAL and row.reminded is not None
    return message.state != State.EXPIRED or row.state is State.EXPIRED


def _come_back(ports: Ports, message: Notify, error: Temporary) -> None:
    """Try the ticket again, later; after the last failure it is poison. The sweep compares rows and tickets anyway."""
    say(_log, "again", remediation=message.remediation, reason=error.reason, attempt=message.attempt)
    if message.attempt < LAST_ATTEMPT:
        delay = advised(ports, message.attempt, error.delay)
        ports.queue.send(NOTIFY, replace(message, attempt=message.attempt + 1).body(), delay)
        return
    say(_log, "gave_up", logging.WARNING, remediation=message.remediation, reason=error.reason)
    body = messages.text(replace(message, attempt=1))
    poisoned = Poisoned(NOTIFY, message.remediation, error.reason, error.message, body)
    ports.records.poison(poisoned, ports.clock.now())


def _pages(ports: Ports, row: Remediation) -> bool:
    """Whether the control wants somebody at once, and it still is not met."""
    controls = {it.control.id for it in ports.remediators if it.control.pages}
    return (
        row.control in controls and row.is_open and row.state is not State.SUPPRESSED and row.verdict == "NonCompliant"
    )


def _is_alarm(row: Remediation, message: Notify) -> bool:
    """Whether somebody should look at once. A late notice tells what was, too: a failure is not unsaid by a retry."""
    return message.state == State.FAILED or (row.is_open and row.decision.reason in ALARMS)
