"""The append-only history of a row: each entry holds the hash of the one before, so that a change shows.

A person who may write to the table can still rewrite the whole chain; what the chain proves is that nobody changed
or removed a part of it. Copy the newest hash elsewhere to prove more.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a remediation. `actor` is an object id, or the part of cmkwarden that acted."""

    n: int
    time: datetime
    event: str
    state: str
    actor: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    previous: str = START
    hash: str = ""


def link(entry: Entry) -> str:
    """Return the hash an entry must carry: over everything in it but the hash itself."""
    content = {**asdict(entry), "time": entry.time.isoformat(), "hash": ""}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def verify(history: Sequence[Entry], head: int, newest: str) -> str:
    """Return '' where the chain is whole and ends at `head` with the hash `newest`; else what is wrong with it."""
    previous = START
    for place, entry in enumerate(history, start=1):
        if entry.n != place:
            return f"entry {place} is missing"
        if entry.previous != previous:
            return f"entry {place} does not follow the one before it"
        if entry.hash != link(entry):
            return f"entry {place} was changed"
        previous = entry.hash
    if len(history) != head or previous != newest:
        return f"the row stands at entry {head}, the history ends at {len(history)}"
    return ""
