"""Many messages for one target, few looks at it. Storage stamps both messages and gathers, in whole seconds.

    the last gather of the target began     the message
    well after the message was sent         is answered: that gather has seen all that it could tell us
    before, and a look is scheduled         is answered by the scheduled look, if it was sent before that is due
    less than CMK_GAP before                comes back when the gap is over, and a look is scheduled with that
    about when it was sent                  comes back a little later: nobody can tell which came first
    earlier, or never                       begins a gather: of many at once, one begins

A person does not wait for the gap, nor does a message that has waited or failed before. A message that is delivered
again is always worked on: whoever had it before may have died between saving a row and sending what follows.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.core.ports import Delivery, Known, Ports
from shared.flow.messages import EVALUATE, Evaluate
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.evaluate")

# Two stamps closer than this cannot be ordered: they know whole seconds, and queues and tables have clocks of their own.
MARGIN = timedelta(seconds=2)
_AT_ONCE = frozenset({"person", "retry"})  # causes


def begun(ports: Ports, delivery: Delivery, message: Evaluate) -> Known | None:
    """Begin a gather and return what is known, or return None where the message needs none now."""
    while True:
        known = ports.records.known(message.target)
        if _is_answered(known, delivery, message):
            say(_log, "coalesced", target=message.target, message=delivery.id, cause=message.cause.id)
            return None
        wait = _wait(ports, known, delivery, message)
        if known.gather and wait > timedelta(0):
            due = ports.queue.send(EVALUATE, replace(message, waited=True).body(), wait)
            # Noted after it was sent: a kill in between doubles a message, the other way round would lose one.
            ports.records.schedule(message.target, due, known.gather)
            return None
        if ports.records.begin(message.target, delivery.id, known.gather):
            return known


def _is_answered(known: Known, delivery: Delivery, message: Evaluate) -> bool:
    """Whether a gather that began, or one that is scheduled, sees all that this message could tell."""
    if known.gather is None or delivery.is_again:
        return False
    began, sent = _second(known.gather.began), _second(max(delivery.sent, datetime.fromtimestamp(message.due, UTC)))
    if began > sent + MARGIN:
        return True
    is_scheduled = known.due is not None and _second(known.due) > sent
    return is_scheduled and not _is_urgent(message)


def _wait(ports: Ports, known: Known, delivery: Delivery, message: Evaluate) -> timedelta:
    """Return how long the message must wait before it may begin a gather."""
    gather = known.gather
    if gather is None or delivery.is_again:
        return timedelta(0)
    gap = timedelta(0) if _is_urgent(message) else gather.began + ports.choices.gap - ports.clock.now()
    about_then = _second(gather.began) >= _second(delivery.sent) and not message.waited
    return max(min(gap, ports.choices.gap), MARGIN if about_then else timedelta(0))


def _is_urgent(message: Evaluate) -> bool:
    return message.waited or message.attempt > 1 or message.cause.kind in _AT_ONCE


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
