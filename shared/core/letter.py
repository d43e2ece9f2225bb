"""A blob of Event Grid's dead letters -> what each event concerned, and why nobody took it. Nothing else of it is kept.

Shapes: data/samples/events, ADAPTED_deadletter_blob; of CloudEvents the attributes are in lower case.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.core.errors import BadInput
from shared.core.wake import Wake, wake

LONGEST = 4_194_304  # characters; a blob holds one event, or a batch of them
_WORD = re.compile("[A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One event: what it would have woken, or why it cannot be understood; None for both where it concerns nothing of ours."""

    found: Wake | None
    problem: BadInput | None
    reason: str  # why Event Grid gave up, '' where it does not say
    outcome: str  # of the last try
    tries: int


def letters(text: str) -> Iterator[Letter]:
    """Yield the letters of one blob. Raises BadInput where it holds no list of events."""
    try:
        events = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        events = None
    if not isinstance(events, list):
        raise BadInput("BadDeadLetter", f"a dead letter is a list of events, in at most {LONGEST} characters of JSON")
    for event in events:
        said = {str(name).lower(): value for name, value in event.items()} if isinstance(event, dict) else {}
        tries = said.get("deliveryattempts")
        found, problem = _read(event)
        reason, outcome = _word(said.get("deadletterreason")), _word(said.get("lastdeliveryoutcome"))
        yield Letter(found, problem, reason, outcome, tries if isinstance(tries, int) else 0)


def _read(event: Any) -> tuple[Wake | None, BadInput | None]:
    try:
        return wake(json.dumps(event)), None
    except BadInput as error:
        return None, error


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""
