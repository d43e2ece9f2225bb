"""Following a record until it rests: a line on standard error for each change, and whether it ended well."""

import time
from collections.abc import Mapping
from typing import Any

from cli.safe import plain
from cli.session import Session

_GOING = frozenset({"queued", "applying"})
_EVERY = 1.0  # seconds between two looks
_ENDED_WELL = frozenset({"resolved", "suppressed"})


def followed(session: Session, row_id: str) -> Mapping[str, Any]:
    """Return the record when it is neither queued nor being applied any more. Ctrl-C ends the waiting, not the work."""
    session.output.say("waiting (Ctrl-C stops the waiting, not the work) …", "dim")
    seen = ""
    while True:
        record: Mapping[str, Any] = session.app.get(f"/api/remediations/{row_id}").body
        done = sum(bool(step["done"]) for step in record["plan"]["steps"])
        told = f"{plain(record['state'])}, {done} of {len(record['plan']['steps'])} steps done"
        if told != seen:
            session.output.say(told)
            seen = told
        if record["state"] not in _GOING:
            return record
        time.sleep(_EVERY)


def ended_well(record: Mapping[str, Any]) -> bool:
    """Tell whether a record that rests is as it should be."""
    return record["state"] in _ENDED_WELL
