"""What fell into a poison queue becomes a record that says so: a message that killed its worker must not vanish."""

import logging

from shared.core.errors import BadInput, Refused, RowChanged
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import State
from shared.flow import messages
from shared.flow.messages import APPLY
from shared.flow.work import Work, fail

_log = logging.getLogger("cmkwarden.drain")


def drain(ports: Ports, queue: str, delivery: Delivery) -> None:
    """Record one poisoned message of a queue; a remediation that it was to apply has failed."""
    reason, text = "GaveUp", f"a message on {queue} failed five times: its function's log says why"
    ports.records.poison(Poisoned(queue, delivery.id, reason, text), ports.clock.now())
    _log.error("poisoned queue=%s message=%s", queue, delivery.id)
    if queue == APPLY:
        _fail(ports, delivery, Refused(reason, text))


def _fail(ports: Ports, delivery: Delivery, error: Refused) -> None:
    try:
        message = messages.apply(delivery.body)
        stored = ports.records.get(message.remediation)
        if stored and stored.row.state in {State.QUEUED, State.APPLYING}:
            fail(Work(ports, stored), error)
    except (BadInput, RowChanged):
        _log.warning("no row to fail message=%s", delivery.id)
