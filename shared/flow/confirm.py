"""A person says that they have done what only a person can: the compute of a workspace was restarted."""

import logging
from dataclasses import replace
from datetime import datetime

from shared.core import ids
from shared.core.control import Memory
from shared.core.decide import AWAITS_CONFIRMATION
from shared.core.errors import Refused
from shared.core.ports import Event, Ports, Stored
from shared.core.record import PlannedStep, State, moved
from shared.core.wake import Cause
from shared.flow.approve import check_comment
from shared.flow.follow import look_soon
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.confirm")


def confirm(ports: Ports, stored: Stored, person: str, comment: str, origin: str = "") -> Stored:
    """Note it, and have the target judged anew. Raises Refused, BadInput or RowChanged."""
    row, now = stored.row, ports.clock.now()
    if row.state is not State.AWAITING_APPROVAL or row.decision.reason != AWAITS_CONFIRMATION:
        raise Refused("NothingToConfirm", "the remediation does not wait for anything that a person has to do")
    check_comment(comment)
    look_soon(ports, row, Cause("person", row.id, person))
    steps = tuple(_done(step, now) for step in row.plan.steps)
    changed = moved(row, row.state, now, plan=replace(row.plan, steps=steps))
    detail = {"comment": comment.strip(), "from": origin}
    # The record first: a confirmation that is not on it must not count. One that is, and does not count, is made again.
    saved = ports.records.save(changed, Event("confirmed", person, "Confirmed", detail), stored)
    ports.records.remember(ids.parse(row.target), _restarted)
    say(_log, "confirmed", remediation=row.id, target=row.target, actor=person)
    return saved


def _restarted(memory: Memory) -> Memory:
    return replace(memory, restart=None)


def _done(step: PlannedStep, now: datetime) -> PlannedStep:
    return replace(step, sent=now, done=now) if step.by_hand else step
