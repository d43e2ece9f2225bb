"""What fell into a poison queue becomes a record that says so: a message that killed its worker must not vanish."""

import logging
from collections.abc import Callable, Mapping

from shared.core.errors import BadInput, Refused, RowChanged
from shared.core.ports import Delivery, Poisoned, Ports
from shared.core.record import BUSY, State
from shared.flow import messages
from shared.flow.messages import APPLY, EVALUATE, NOTIFY, SURVEY, Apply, Evaluate, Notify, Share
from shared.flow.say import say
from shared.flow.work import Work, fail

_log = logging.getLogger("cmkwarden.drain")

# Only what is a message of ours is kept, in our words: whatever else lies on a queue may hold claims.
_READ: Mapping[str, Callable[[str], Evaluate | Apply | Notify | Share]] = {
    EVALUATE: messages.evaluate,
    APPLY: messages.apply,
    NOTIFY: messages.notify,
    SURVEY: messages.share,
}


def drain(ports: Ports, queue: str, delivery: Delivery) -> None:
    """Record one poisoned message of a queue; a remediation that it was to apply has failed."""
    reason, text = "GaveUp", f"a message on {queue} failed five times: its function's log says why"
    message = _read(queue, delivery)
    body = messages.text(message) if message else ""
    ports.records.poison(Poisoned(queue, delivery.id, reason, text, body), ports.clock.now())
    say(_log, "poisoned", logging.ERROR, queue=queue, message=delivery.id)
    if isinstance(message, Apply):
        _fail(ports, message, Refused(reason, text))


def _read(queue: str, delivery: Delivery) -> Evaluate | Apply | Notify | Share | None:
    try:
        return _READ[queue](delivery.body) if queue in _READ else None
    except BadInput:
        return None


def _fail(ports: Ports, message: Apply, error: Refused) -> None:
    """Fail the row; where a step was done and only the next message is missing, send that instead."""
    stored = ports.records.get(message.remediation)
    if stored is None or stored.row.plan.fingerprint != message.fingerprint:
        return  # an old message: the row has another plan by now
    if stored.row.state is State.QUEUED and stored.row.claim:
        ports.queue.send(APPLY, message.body())
        return
    try:
        if stored.row.state in BUSY:
            fail(Work(ports, stored), error)
    except RowChanged as problem:
        say(_log, "ignored", logging.WARNING, remediation=message.remediation, reason=problem.reason)
