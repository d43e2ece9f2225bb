"""The messages on our queues: what is in them, and strict reading of what comes out.

A message carries ids only, never claims or payloads: what is true is read again by whoever receives it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.wake import KEYS, VAULTS, WORKSPACES, Cause

EVALUATE = "evaluate"
APPLY = "apply"
NOTIFY = "notify"
SURVEY = "sweep"
LETTER = "dead letter"  # as the source of poison: an event that Event Grid could not deliver
REMINDER = "reminder"  # as the state of a notice: nothing has changed, and soon it is too late
_VIA = frozenset({WORKSPACES, VAULTS, KEYS})
_LATEST = 253_402_300_799  # the end of the year 9999, the last that a datetime knows
LOOKS_AT_NOTHING = 3  # how often we come back to a resource that is not there: ARM may lag behind its own events
LAST_ATTEMPT = 9  # the ninth temporary failure is the last (DESIGN 6)


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Look at a target. `attempt` counts the tries that ended in something temporary.

    `due` is a time, in seconds since 1970: what was looked at before it does not answer this message; 0 for none.
    `via`: what the event that woke us spoke of; '' where it was none.
    `whole`: look also at what costs more to read, as a sweep does. `woken` says that the vaults a workspace names were woken already. `waited` says that it came too soon after another look and was sent again for later (flow/coalesce.py).
    """

    target: ResourceId
    cause: Cause
    attempt: int = 1
    waited: bool = False
    woken: bool = False
    due: int = 0
    whole: bool = False
    via: str = ""

    def body(self) -> dict[str, Any]:
        """Return the wire form."""
        cause = {"kind": self.cause.kind, "id": self.cause.id, "actor": self.cause.actor}
        return {
            "id": str(self.target),
            "cause": cause,
            "attempt": self.attempt,
            "waited": self.waited,
            "woken": self.woken,
            "due": self.due,
            "whole": self.whole,
            "via": self.via,
        }


@dataclass(frozen=True, slots=True)
class Apply:
    """Carry out the plan of a row, as long as it still is the plan with this fingerprint.

    `claim` is the id of the message that was there first, where this one was sent because storage was busy.
    """

    remediation: str
    fingerprint: str
    claim: str = ""

    def body(self) -> dict[str, Any]:
        """Return the wire form."""
        return {"remediation": self.remediation, "fingerprint": self.fingerprint, "claim": self.claim}


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell people that a row has come to a state. `attempt` counts the tries of its ticket that ended in something temporary."""

    remediation: str
    state: str
    occurrence: int
    attempt: int = 1

    def body(self) -> dict[str, Any]:
        """Return the wire form."""
        words = {"remediation": self.remediation, "state": self.state}
        return {**words, "occurrence": self.occurrence, "attempt": self.attempt}


@dataclass(frozen=True, slots=True)
class Share:
    """Look over one subscription. `attempt` counts the tries in a row that ended in something temporary.

    `after` is how far the share had come when this was sent.
    """

    survey: str
    subscription: str
    attempt: int = 1
    after: str = ""

    def body(self) -> dict[str, Any]:
        """Return the wire form."""
        words = {"survey": self.survey, "subscription": self.subscription}
        return {**words, "attempt": self.attempt, "after": self.after}


def text(message: Evaluate | Apply | Notify | Share) -> str:
    """Return a message as it lies on a queue."""
    return json.dumps(message.body(), separators=(",", ":"))


def evaluate(body_text: str) -> Evaluate:
    """Read an `evaluate` message. Raises BadInput."""
    body = _parsed(body_text)
    cause = body.get("cause")
    if cause is None:
        cause = {}
    if not isinstance(cause, dict):
        raise BadInput("BadMessage", "cause must be an object")
    attempt, due = body.get("attempt", 1), body.get("due", 0)
    if isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 1:
        raise BadInput("BadMessage", "attempt must be a whole number from 1")
    if isinstance(due, bool) or not isinstance(due, int) or not 0 <= due <= _LATEST:
        raise BadInput("BadMessage", "due must be a time in whole seconds")
    words = (_word(cause, "kind", "unknown"), _word(cause, "id", ""), _word(cause, "actor", ""))
    flags = {name: body.get(name) is True for name in ("waited", "woken", "whole")}
    via = _word(body, "via", "")
    return Evaluate(ids.parse(body.get("id")), Cause(*words), attempt, **flags, due=due, via=via if via in _VIA else "")


def apply(body_text: str) -> Apply:
    """Read an `apply` message. Raises BadInput."""
    body = _parsed(body_text)
    return Apply(_row(body), _word(body, "fingerprint"), _word(body, "claim", ""))


def notify(body_text: str) -> Notify:
    """Read a `notify` message. Raises BadInput."""
    body = _parsed(body_text)
    occurrence, attempt = body.get("occurrence", 1), body.get("attempt", 1)
    for number in (occurrence, attempt):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise BadInput("BadMessage", "occurrence and attempt must be whole numbers from 1")
    return Notify(_row(body), _word(body, "state"), occurrence, attempt)


def share(body_text: str) -> Share:
    """Read a message about a share of a survey. Raises BadInput."""
    body = _parsed(body_text)
    survey, subscription, attempt = _word(body, "survey"), _word(body, "subscription").lower(), body.get("attempt", 1)
    if not (survey.isascii() and survey.isdigit()) or not ids.GUID.fullmatch(subscription):
        raise BadInput("BadMessage", "survey must be digits, subscription a GUID")
    if isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 1:
        raise BadInput("BadMessage", "attempt must be a whole number from 1")
    return Share(survey, subscription, attempt, _word(body, "after", ""))


def _row(body: Mapping[str, Any]) -> str:
    row = _word(body, "remediation")
    if not (row.isascii() and row.isalnum()):
        raise BadInput("BadMessage", "remediation must be letters and digits")
    return row


def _parsed(body_text: str) -> Mapping[str, Any]:
    try:
        body = json.loads(body_text)
    except (ValueError, RecursionError) as error:
        raise BadInput("BadMessage", f"the message is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadInput("BadMessage", f"a message must be an object, not {type(body).__name__}")
    return body


def _word(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > ids.LONGEST_ID:
        raise BadInput("BadMessage", f"{name} must be a string of at most {ids.LONGEST_ID} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value):  # half a pair: no storage takes it
        raise BadInput("BadMessage", f"{name} must be text")
    return value
