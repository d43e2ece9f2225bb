"""Somebody says: take this out of the poison and try it again.

What was to be evaluated or told is sent anew; what was to be applied is judged anew, since a plan is never replayed.
"""

import logging
from dataclasses import replace

from shared.core.errors import Refused
from shared.core.ports import PoisonRecord, Ports
from shared.core.wake import Cause
from shared.flow import messages
from shared.flow.messages import APPLY, EVALUATE, LETTER, NOTIFY, SURVEY, Evaluate
from shared.flow.retry import retry
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.redrive")


def redrive(ports: Ports, record: PoisonRecord, cause: Cause) -> PoisonRecord:
    """Try poison again. `cause` says who asks: a person, or the sweep.

    Raises Refused where nothing was kept that could be sent or its remediation has moved on, BadInput where what
    was kept is no message of ours, RowChanged where the remediation has changed meanwhile.
    """
    body, source = record.what.body, record.what.source
    if not body:
        raise Refused(
            "NothingKept",
            "events carry claims, and what made no sense may hold anything: neither is ever kept. "
            "The next event for the resource wakes us again",
        )
    # The send comes first: a note without a message would say that something was tried which was not.
    if source in {EVALUATE, LETTER}:
        ports.queue.send(EVALUATE, Evaluate(messages.evaluate(body).target, cause).body())
    elif source == NOTIFY:
        ports.queue.send(NOTIFY, messages.notify(body).body())
    elif source == SURVEY:
        ports.queue.send(SURVEY, replace(messages.share(body), attempt=1).body())
    elif source == APPLY:
        _again(ports, messages.apply(body).remediation, cause)
    say(_log, "redriven", poison=record.id, source=source, cause=cause.kind)
    return ports.records.redriven(record, cause.actor or cause.kind, ports.clock.now())


def _again(ports: Ports, remediation: str, cause: Cause) -> None:
    stored = ports.records.get(remediation)
    if stored is None:
        raise Refused("NoSuchRemediation", "the remediation that this message was to apply does not exist")
    retry(ports, stored, cause)
