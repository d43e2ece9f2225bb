"""A message in, a judged and decided row out: steps 4 to 9 of the life of an event (DESIGN 2).

    message -- coalesce -- gather -- judge, plan, decide -- save the row -- send `apply` / `notify`
                  |            |
                  |            '-- temporary: the same message again, later, attempt + 1; where only some controls rest on
                  |                what could not be read, the others are judged and recorded now
                  '-- a gather that began after the message was sent has seen all that it could tell us

The row is saved first and the message sent second: a kill in between leaves a row that the sweep heals.
"""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from shared.core import ids
from shared.core.control import Compliant, Control, Finding, Memory, Unknown
from shared.core.decide import Decision
from shared.core.difference import on_record
from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.facts import Absent
from shared.core.ids import ResourceId
from shared.core.plan import Plan, Rail, counting_rail
from shared.core.ports import Delivery, Event, Known, Poisoned, Ports
from shared.core.record import Remediation, State, remediation_id
from shared.core.settle import UNREADABLE, Look, settle
from shared.flow import messages
from shared.flow.coalesce import begun
from shared.flow.gather import check_settled, complete, deepen, gather
from shared.flow.late import Late, holds_back, put_off, worst
from shared.flow.learn import know_subjects, learn, wake_users
from shared.flow.look import Ledger, Seen, look
from shared.flow.messages import APPLY, EVALUATE, LAST_ATTEMPT, LOOKS_AT_NOTHING, NOTIFY, Apply, Evaluate, Notify
from shared.flow.note import note
from shared.flow.receive import in_estate
from shared.flow.say import say
from shared.flow.trace import span
from shared.flow.work import LONGEST_WAIT, advised, come_back, later

_log = logging.getLogger("cmkwarden.evaluate")

_SOON = 2.0  # seconds
_BEHIND = timedelta(seconds=1)  # queues count whole seconds: a look that comes a moment too soon sees nothing new
# The states that people are told of; what happens by itself is told when it is done.
_TOLD = frozenset({State.OBSERVED, State.AWAITING_APPROVAL, State.RESOLVED, State.SUPERSEDED, State.SUPPRESSED})


def evaluate(ports: Ports, delivery: Delivery) -> None:
    """Work on one message. Raises nothing but bugs: what can go wrong ends in a record or in another message."""
    try:
        message = _understood(ports, delivery)
    except BadInput as error:
        ports.records.poison(Poisoned(EVALUATE, delivery.id, error.reason, error.message), ports.clock.now())
        say(_log, "refused", logging.WARNING, message=delivery.id, reason=error.reason)
        return
    _note_arrival(ports, delivery, message)
    with span("evaluate", target=str(message.target), cause=message.cause.id, attempt=message.attempt):
        _work_on(ports, delivery, message)


def _note_arrival(ports: Ports, delivery: Delivery, message: Evaluate) -> None:
    """Note for the doctor that events come. Here, and not where they are taken: Event Grid waits there."""
    if message.via and message.attempt == 1 and not (message.waited or delivery.is_again):
        with suppress(RemediationError):  # a sign of life less; what was asked for goes on
            ports.pulse.arrived(message.via, ports.clock.now())


def _work_on(ports: Ports, delivery: Delivery, message: Evaluate) -> None:
    known = None
    try:
        known = begun(ports, delivery, message)
        if known is None:
            return
        _evaluate(ports, message, known, delivery)
    except Temporary as error:
        # A workspace is changed for minutes, and each change sends events: they must not count up to nine together.
        is_at_work = error.reason == "StillProvisioning" and message.target.kind == ids.WORKSPACE
        counted = message if is_at_work else _counted(ports, message, known)
        _come_back(ports, counted, error, error.delay)
    except Conflict as error:
        _come_back(ports, message, error, _SOON)
    except (Denied, BadInput) as error:  # trying again would meet the same
        _given_up(ports, message, error)


def _understood(ports: Ports, delivery: Delivery) -> Evaluate:
    message = messages.evaluate(delivery.body)
    if not in_estate(ports, message.target.subscription):
        raise BadInput("OutsideEstate", f"{message.target} lies outside CMK_SUBSCRIPTIONS")
    return message


def _evaluate(ports: Ports, message: Evaluate, known: Known, delivery: Delivery) -> None:
    late: Late = {}
    snapshot, memory = gather(ports, message.target, known.memory, late=late), known.memory
    check_settled(snapshot)
    if message.whole or message.cause.kind == "sweep":
        deeper = put_off(late, "access", lambda: deepen(ports, complete(ports, snapshot, memory), memory))
        snapshot = deeper or snapshot
    looked = list(look(ports, snapshot, memory, message.cause, _entering(ports), late))
    know_subjects(ports, message.target, memory, [seen.look for seen in looked])
    for seen in looked:
        _record(ports, seen, again=delivery.is_again, due=message.due)
    learn(ports, snapshot, message, known.memory)
    if late:
        counted = replace(_counted(ports, message, known), woken=True)
        if counted.attempt < LAST_ATTEMPT:
            _come_back(ports, counted, it := worst(late.values()), it.delay)
            return
        looked += _given_up(ports, counted, worst(late.values()), late)
    elif isinstance(snapshot.vault or snapshot.workspace, Absent) and message.attempt < LOOKS_AT_NOTHING:
        again = replace(message, attempt=message.attempt + 1, waited=False)
        ports.queue.send(EVALUATE, again.body(), later(ports, message.attempt))
    if message.cause.kind == "sweep":
        wake_users(ports, snapshot, message)
    note(ports, snapshot, memory, [seen.look for seen in looked])
    _look_again(ports, message, memory, looked)
    if known.failures and not late:
        ports.records.failed(message.target, 0)


def _look_again(ports: Ports, message: Evaluate, memory: Memory, looked: list[Seen]) -> None:
    """Where what is so may end although nothing happens, have the target looked at then: one message for each such time.

    What is further off than a message can wait, and a message that is lost, the nightly sweep makes good.
    """
    verdicts = (seen.look.verdict for seen in looked)
    due = min((it.until for it in verdicts if isinstance(it, Compliant) and it.until), default=None)
    if due is None or due == memory.again or due > ports.clock.now() + LONGEST_WAIT:
        return
    again = Evaluate(message.target, message.cause, waited=True, due=int(due.timestamp()))
    ports.queue.send(EVALUATE, again.body(), due + _BEHIND - ports.clock.now())
    # Noted after it was sent: a kill in between doubles a message, the other way round would lose one.
    ports.records.remember(message.target, lambda before: replace(before, again=due))


def _entering(ports: Ports) -> Ledger:
    """Return a ledger that enters the write before it counts: of two that race for the last place, one is refused."""

    def enter(target: ResourceId, reference: str) -> Rail | None:
        now = ports.clock.now()
        before = ports.records.let_through(target, reference, now)
        rail = counting_rail(target, before, ports.inventory.vaults_in(target.subscription), ports.choices, now)
        if rail:
            ports.records.withdraw(target, reference)
        return rail

    return enter


def _record(ports: Ports, seen: Seen, *, again: bool, due: int = 0) -> None:
    """Save what the look makes of the row, then send what follows from it.

    `again` says that this message was delivered before and a kill came between: the row may have been saved then and
    its message not, so what follows is sent once more. A doubled message is harmless, a lost one is not.
    """
    row = settle(seen.stored.row if seen.stored else None, seen.look, ports.clock.now())
    if row is None:
        return
    if seen.stored and row is seen.stored.row:
        if again:
            _follow(ports, row)
        elif due and due in _dues(row.decision, seen.look.decision):  # it came back for this row, and it is later still
            come_back(ports, row, seen.look.decision)
        return
    _save(ports, row, seen)
    say(
        _log, "recorded", remediation=row.id, target=row.target, state=row.state, reason=row.finding.reason,
        decision=row.decision.reason, cause=row.cause.id,
    )  # fmt: skip
    _follow(ports, row)


def _follow(ports: Ports, row: Remediation) -> None:
    if row.state is State.QUEUED:
        ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body())
    if row.state in _TOLD:
        ports.queue.send(NOTIFY, Notify(row.id, row.state, row.occurrence).body())
    come_back(ports, row, row.decision)


def _dues(*decisions: Decision) -> set[int]:
    """Return when decisions are due. A vault's rows may wait for different times: each message is for one of them."""
    return {int(it.due.timestamp()) for it in decisions if it.due}


def _save(ports: Ports, row: Remediation, seen: Seen) -> None:
    finding = seen.look.verdict.finding
    detail = {
        "verdict": type(seen.look.verdict).__name__,
        "finding": finding.reason,
        "cause": {"kind": row.cause.kind, "id": row.cause.id, "actor": row.cause.actor},
        "occurrence": row.occurrence,
        **on_record(row.plan),
    }
    reason = row.decision.reason if row.is_open else finding.reason
    ports.records.save(row, Event("evaluated", "evaluate", reason, detail), seen.stored)


def _counted(ports: Ports, message: Evaluate, known: Known | None) -> Evaluate:
    """Count a failure on the target as well: events that keep coming must not start the count again for ever."""
    if known is None:  # not even what is known of it could be read
        return message
    failures = max(message.attempt, known.failures + 1)
    with suppress(Temporary):  # it may be our own storage that is busy: the message counts as well
        ports.records.failed(message.target, failures % LAST_ATTEMPT)
    return replace(message, attempt=failures)


def _come_back(ports: Ports, message: Evaluate, error: RemediationError, said: float | None) -> None:
    """Send the message again, later. After the last failure what we could not read is Unknown, not forgotten."""
    if message.attempt < LAST_ATTEMPT:
        delay = advised(ports, message.attempt, said)
        say(
            _log, "again", target=message.target, reason=error.reason, attempt=message.attempt,
            delay=delay.total_seconds(), cause=message.cause.id,
        )  # fmt: skip
        ports.queue.send(EVALUATE, replace(message, attempt=message.attempt + 1, waited=False).body(), delay)
        return
    _given_up(ports, message, error)


def _given_up(ports: Ports, message: Evaluate, error: RemediationError, late: Late | None = None) -> list[Seen]:
    """Put on record which controls could not be judged, for a person to see to: all, or those that rest on what is late."""
    say(_log, "gave_up", logging.WARNING, target=message.target, reason=error.reason, cause=message.cause.id)
    # By target: what is given up night after night is one record.
    poisoned = Poisoned(EVALUATE, message.target.key, error.reason, error.message, messages.text(message))
    ports.records.poison(poisoned, ports.clock.now())
    judged = [it.control for it in ports.remediators if message.target.kind in it.control.targets]
    return [
        _unjudged(ports, message, control, why)
        for control in judged
        if ports.choices.is_on(control.id) and (why := holds_back(late, control) if late else error)
    ]


def _unjudged(ports: Ports, message: Evaluate, control: Control, error: RemediationError) -> Seen:
    row_id = remediation_id(control.id, message.target.key, "")
    verdict = Unknown(Finding(error.reason, f"given up at try {message.attempt}: {error.message}"))
    sight = Look(row_id, control.id, str(message.target), verdict, Plan(), UNREADABLE, message.cause)
    seen = Seen(sight, ports.records.get(row_id))
    _record(ports, seen, again=False)
    return seen
