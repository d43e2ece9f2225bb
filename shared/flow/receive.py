"""An event in, a message out. Short on purpose: Event Grid waits, and sends the whole batch again if one fails.

What cannot be understood is recorded and accepted: refusing it would only make Event Grid send it again.
"""

import hashlib
import json
import logging

from shared.core.errors import BadInput
from shared.core.ports import Poisoned, Ports
from shared.core.wake import wake
from shared.flow.messages import Evaluate

_log = logging.getLogger("cmkwarden.receive")


def receive(ports: Ports, text: str) -> str | None:
    """Return the `evaluate` message for an event, or None where it concerns nothing of ours or makes no sense."""
    try:
        found = wake(text)
    except BadInput as error:
        # The digest makes a redelivery of the same event fall on the same record. The event itself is never kept.
        reference = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        ports.records.poison(Poisoned("event", reference, error.reason, error.message), ports.clock.now())
        _log.warning("refused reference=%s reason=%s", reference, error.reason)
        return None
    if found is None:
        _log.debug("ignored: not ours")
        return None
    if not in_estate(ports, found.target.subscription):
        _log.info("ignored target=%s: outside CMK_SUBSCRIPTIONS", found.target)
        return None
    _log.info("received target=%s cause=%s", found.target, found.cause.id)
    return json.dumps(Evaluate(found.target, found.cause).body())


def in_estate(ports: Ports, subscription: str) -> bool:
    """Whether a subscription is ours to look at. With no list, the reader's permissions are the boundary."""
    estate = ports.choices.subscriptions
    return not estate or subscription.lower() in estate
