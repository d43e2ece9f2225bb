"""Events that Event Grid could not deliver: each becomes a record of poison, which the sweep then tries again.

The container is Azure's and holds raw events for seven days; what is kept here are ids and Event Grid's own words.
"""

import logging
from collections.abc import Iterator

from shared.core.errors import BadInput, RemediationError
from shared.core.letter import Letter, letters
from shared.core.ports import Poisoned, Ports
from shared.core.record import key
from shared.flow.messages import LETTER, Evaluate, text
from shared.flow.receive import in_estate
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.letters")

_MOST = 2000  # blobs a night; more than that is no accident, and the survey finds what they told of


def collect(ports: Ports) -> None:
    """Put every dead letter on record that is not. Where the container cannot be read the rest of the night goes on."""
    try:
        for number, name in enumerate(ports.letters.names()):
            if number == _MOST:
                say(_log, "missed", logging.WARNING, reason="TooManyDeadLetters")
                return
            _collect_one(ports, name)
    except RemediationError as error:
        say(_log, "missed", logging.WARNING, reason=error.reason)


def _collect_one(ports: Ports, name: str) -> None:
    if ports.records.poisoned(key(LETTER, name)):
        return
    now = ports.clock.now()
    # The last one first: its own name stands for the whole blob, and comes when all the others are on record.
    for poisoned in reversed(list(_poisoned(ports, name))):
        ports.records.poison(poisoned, now)
        say(_log, "dead_letter", logging.WARNING, reference=poisoned.reference, reason=poisoned.reason)


def _poisoned(ports: Ports, name: str) -> Iterator[Poisoned]:
    """Yield what is put on record of one blob."""
    try:
        found = list(letters(ports.letters.text(name)))
    except BadInput as error:
        yield Poisoned(LETTER, name, error.reason, error.message)
        return
    ours = [it for it in found if it.problem or (it.found and in_estate(ports, it.found.target.subscription))]
    for number, letter in enumerate(ours):
        yield _of(letter, f"{name}#{number}" if number else name)


def _of(letter: Letter, reference: str) -> Poisoned:
    reason = letter.reason or "DeadLetter"
    said = f"Event Grid gave up after {letter.tries} tries, the last one ended in {letter.outcome or 'nothing that it names'}"
    if letter.found is None:
        problem = f"; what it told of cannot be read: {letter.problem.message}" if letter.problem else ""
        return Poisoned(LETTER, reference, reason, said + problem)
    message = f"{said}: {letter.found.target}"
    return Poisoned(LETTER, reference, reason, message, text(Evaluate(letter.found.target, letter.found.cause)))
