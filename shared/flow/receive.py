"""An event in, a message out. Short on purpose: Event Grid waits, and sends the whole batch again if one fails.

What cannot be understood is recorded and accepted: refusing it would only make Event Grid send it again.
"""

import hashlib
import logging

from shared.core.errors import BadInput
from shared.core.ports import Poisoned, Ports
from shared.core.wake import wake
from shared.flow.messages import Evaluate, text
from shared.flow.say import say
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.receive")


def receive(ports: Ports, event: str) -> str | None:
    """Return the `evaluate` message for an event, or None where it concerns nothing of ours or makes no sense."""
    with span("receive"):
        return _receive(ports, event)


def _receive(ports: Ports, event: str) -> str | None:
    try:
        found = wake(event)
    except BadInput as error:
        # The digest makes a redelivery of the same event fall on the same record. The event itself is never kept.
        reference = hashlib.sha256(event.encode("utf-8", "replace")).hexdigest()[:16]
        ports.records.poison(Poisoned("event", reference, error.reason, error.message), ports.clock.now())
        say(_log, "refused", logging.WARNING, reference=reference, reason=error.reason)
        return None
    if found is None:
        return None
    if not in_estate(ports, found.target.subscription):
        say(_log, "ignored", target=found.target, reason="OutsideEstate", cause=found.cause.id)
        return None
    say(_log, "received", target=found.target, cause=found.cause.id)
    return text(Evaluate(found.target, found.cause))


def in_estate(ports: Ports, subscription: str) -> bool:
    """Whether a subscription is ours to look at. With no list, the reader's permissions are the boundary."""
    estate = ports.choices.subscriptions
    return not estate or subscription.lower() in estate
