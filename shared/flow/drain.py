"""What fell into a poison queue becomes a record that says so: a message that killed its worker must not vanish."""

import logging

from shared.core.errors import BadInput, Denied, RowChanged
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import State
from shared.flow import messages
from shared.flow.messages import APPLY, EVALUATE, NOTIFY
from shared.flow.say import say
from shared.flow.work import Work, fail

_log = logging.getLogger("cmkwarden.drain")

_KEPT = frozenset({EVALUATE, APPLY, NOTIFY})  # ids only; what lies on `wake` is an event, with claims in it
_LONGEST = 4000  # characters; no message of ours is longer


def drain(ports: Ports, queue: str, delivery: Delivery) -> None:
    """Record one poisoned message of a queue; a remediation that it was to apply has failed."""
    reason, text = "GaveUp", f"a message on {queue} failed five times: its function's log says why"
    body = delivery.body[:_LONGEST] if queue in _KEPT else ""
    ports.records.poison(Poisoned(queue, delivery.id, reason, text, body), ports.clock.now())
    say(_log, "poisoned", logging.ERROR, queue=queue, message=delivery.id)
    if queue == APPLY:
        _fail(ports, delivery, Denied(reason, text))


def _fail(ports: Ports, delivery: Delivery, error: Denied) -> None:
    try:
        message = messages.apply(delivery.body)
        stored = ports.records.get(message.remediation)
        if stored and stored.row.state in {State.QUEUED, State.APPLYING}:
            fail(Work(ports, stored), error)
    except (BadInput, RowChanged) as problem:
        say(_log, "ignored", logging.WARNING, queue=APPLY, message=delivery.id, reason=problem.reason)
