"""An event in, a message out. Short on purpose: Event Grid waits, and sends the whole batch again if one fails.

What cannot be understood is recorded and accepted: refusing it would only make Event Grid send it again.
"""

import hashlib
import logging

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.ports import Poisoned, Ports
from shared.core.wake import Wake, users_of, wake
from shared.flow.messages import Evaluate, text
from shared.flow.say import say
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.receive")


def receive(ports: Ports, event: str) -> list[str]:
    """Return the `evaluate` messages for an event: none where it concerns nothing of ours or makes no sense.

    One for the target; where a vault tells of a key, one for each workspace that is remembered to use it as well. Raises
    Temporary where our own storage is not to be had then: Event Grid sends the event again.
    """
    with span("receive"):
        return _receive(ports, event)


def _receive(ports: Ports, event: str) -> list[str]:
    try:
        found = wake(event)
    except BadInput as error:
        # The digest makes a redelivery of the same event fall on the same record. The event itself is never kept.
        reference = hashlib.sha256(event.encode("utf-8", "replace")).hexdigest()[:16]
        ports.records.poison(Poisoned("event", reference, error.reason, error.message), ports.clock.now())
        say(_log, "refused", logging.WARNING, reference=reference, reason=error.reason)
        return []
    if found is None:
        return []
    if not in_estate(ports, found.target.subscription):
        say(_log, "ignored", target=found.target, reason="OutsideEstate", cause=found.cause.id)
        return []
    say(_log, "received", target=found.target, cause=found.cause.id)
    return [text(Evaluate(it, found.cause, via=found.via)) for it in (found.target, *_users(ports, found))]


def _users(ports: Ports, found: Wake) -> list[ResourceId]:
    """Return the workspaces that use the key that an event speaks of: whoever rotates it wakes nobody else."""
    if found.key is None:
        return []
    users = [ids.parse(it) for it in users_of(ports.records.known(found.target).memory, found.key)]
    ours = [it for it in users if in_estate(ports, it.subscription)]
    for user in ours:
        say(_log, "woke", target=user, vault=found.target, cause=found.cause.id)
    return ours


def in_estate(ports: Ports, subscription: str) -> bool:
    """Whether a subscription is ours to look at. With no list, the reader's permissions are the boundary."""
    estate = ports.choices.subscriptions
    return not estate or subscription.lower() in estate
