"""Heal what got stuck, whatever the reason: it sends. Only questions that nobody answers it ends itself.

    the row is                               because                                    what is sent
    queued, applying, without a sign of life its message was lost, its worker died      `apply`
    failed                                   the night is a new chance (DESIGN 3)       `evaluate`, as a retry
    awaiting approval for long               nobody answers: flow/expire.py             `notify`, and as the next
    any other that is open                   a freeze has ended, a pause was lifted,    `evaluate`
                                             a right was given: nobody sends an event
    an undo that waits for its owner         the roles may be back                      `apply`
    superseded while not compliant           the look that should follow was lost       `evaluate`
    any, and its ticket says something else  its notice was lost                        `notify`
    none: an evaluation or a notice is       what killed its workers may be gone        the message, once
    poison, or an event is a dead letter
    none, and its target is not as it was    an event was lost (flow/survey.py)         `evaluate`

A second message is harmless: a fresh claim is left alone, evaluations of one target coalesce.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from shared.core import ids
from shared.core.errors import BadInput, RowChanged, Temporary
from shared.core.ports import Event, PoisonRecord, Ports
from shared.core.record import BUSY, Remediation, State, moved
from shared.core.wake import Cause
from shared.flow.expire import expire
from shared.flow.letters import collect
from shared.flow.messages import APPLY, EVALUATE, LETTER, NOTIFY, Apply, Evaluate
from shared.flow.redrive import redrive
from shared.flow.retry import retry
from shared.flow.say import say
from shared.flow.survey import begin
from shared.flow.ticket import mend
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.sweep")

_PAGE = 200
_DAY = timedelta(days=1)
_LOOKED_AT = tuple(state for state in State if state is not State.RESOLVED)


def sweep(ports: Ports) -> int:
    """Send what gets open rows going again. Returns how many rows."""
    with span("sweep"):
        collect(ports)
        tickets = _mended(ports)  # before the rows: what is healed below changes rows, and sends notices of its own
        healed, looked_at = 0, set[str]()
        for row in _rows(ports):
            try:
                healed += _heal(ports, row, looked_at)
            except Temporary as error:  # one row must not cost the others their chance
                say(_log, "missed", logging.WARNING, target=row.target, remediation=row.id, reason=error.reason)
        healed += sum(_redriven(ports, record) for record in _poison(ports))
        say(_log, "swept", rows=healed, tickets=tickets)
        ports.answers.forget(ports.clock.now() - _DAY)
        _survey(ports)
        return healed


def _survey(ports: Ports) -> None:
    """Have the whole estate looked over for what no event told of."""
    try:
        begin(ports)
    except Temporary as error:  # tomorrow is another night, and `POST /api/sweeps` another chance
        say(_log, "missed", logging.WARNING, reason=error.reason)


def _poison(ports: Ports) -> Iterator[PoisonRecord]:
    cursor = ""
    while True:
        page = ports.records.poison_page(cursor=cursor, limit=_PAGE)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


def _redriven(ports: Ports, record: PoisonRecord) -> bool:
    """Send poison once more, unless somebody has. A write needs none of this: its row has failed, and is tried above."""
    if record.redriven or not record.what.body or record.what.source not in {EVALUATE, LETTER, NOTIFY}:
        return False
    try:
        redrive(ports, record, Cause("sweep", record.id))
    except (BadInput, Temporary) as error:
        say(_log, "missed", logging.WARNING, poison=record.id, reason=error.reason)
        return False
    return True


def _mended(ports: Ports) -> int:
    """Have every ticket brought in line that is not: its notice was lost."""
    try:
        return mend(ports, _rows(ports))
    except Temporary as error:  # the rows must not lose their chance
        say(_log, "missed", logging.WARNING, reason=error.reason)
        return 0


def _heal(ports: Ports, row: Remediation, looked_at: set[str]) -> bool:
    if row.state in BUSY:
        return _revive(ports, row)
    expire(ports, row)
    if row.is_wished:
        return bool(row.undoes) and row.state is State.OBSERVED and _ask_again(ports, row)
    if row.state is State.FAILED:
        return _reopen(ports, row)
    if row.target.lower() in looked_at or (row.state is State.SUPERSEDED and row.verdict != "NonCompliant"):
        return False
    looked_at.add(row.target.lower())
    ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), Cause("sweep", row.id)).body())
    return True


def _rows(ports: Ports) -> Iterator[Remediation]:
    cursor = ""
    while True:
        page = ports.records.walk(states=_LOOKED_AT, cursor=cursor, limit=_PAGE)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


def _revive(ports: Ports, row: Remediation) -> bool:
    if row.updated >= ports.clock.now() - ports.choices.claim:
        return False
    ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body())
    say(_log, "healed", logging.WARNING, remediation=row.id, state=row.state, since=row.updated.isoformat())
    return True


def _ask_again(ports: Ports, row: Remediation) -> bool:
    """An undo that waits for its owner: look whether the roles are back."""
    stored = ports.records.get(row.id)
    if stored is None or stored.row.state is not State.OBSERVED:
        return False
    try:
        queued = moved(stored.row, State.QUEUED, ports.clock.now())
        ports.records.save(queued, Event("asked again", "sweep", "Sweep", {}), stored)
    except RowChanged:
        return False
    ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body())
    return True


def _reopen(ports: Ports, row: Remediation) -> bool:
    stored = ports.records.get(row.id)
    if stored is None or stored.row.state is not State.FAILED:
        return False
    try:
        retry(ports, stored, Cause("sweep", row.id))
    except RowChanged:  # somebody is at it: nothing to heal
        return False
    return True
