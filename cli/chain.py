"""The chain of a history, computed again from its entries alone: nothing here is the app's code, so that it is a second opinion.

An entry's hash is the SHA-256, in hex, of its JSON with `hash` empty, keys sorted, no spaces, everything beyond ASCII escaped,
and `time` in ISO 8601 with an offset (`+00:00`, microseconds where there are any). `previous` is the hash of the one before,
64 zeros for the first. The ETag of the record begins with 32 letters of the newest hash.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

START = "0" * 64
FIELDS = frozenset({"n", "time", "event", "state", "actor", "reason", "detail", "previous", "hash"})


def link(entry: Mapping[str, Any]) -> str:
    """Return the hash that an entry must carry. Raises ValueError for what is no entry."""
    if set(entry) != FIELDS:
        raise ValueError(f"an entry has {', '.join(sorted(FIELDS))}")
    moment = datetime.fromisoformat(str(entry["time"]))
    content = {**entry, "time": moment.isoformat(), "hash": ""}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def broken(history: Sequence[Mapping[str, Any]], etag: str = "") -> str:
    """Return what is wrong with a chain; '' where it is whole and, where an ETag is given, ends at the record's version."""
    previous = START
    for place, entry in enumerate(history, start=1):
        try:
            wanted = link(entry)
        except (ValueError, TypeError) as error:
            return f"entry {place} cannot be read: {error}"
        if entry["n"] != place:
            return f"entry {place} is missing"
        if entry["previous"] != previous:
            return f"entry {place} does not follow the one before it"
        if entry["hash"] != wanted:
            return f"entry {place} was changed"
        previous = wanted
    newest = etag.strip().removeprefix("W/").strip('"')
    if not history:
        return "there is no history"
    if newest and not (len(newest) >= 32 and previous.startswith(newest)):
        return f"the record stands at another entry than the last of its {len(history)}"
    return ""


def parted(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> str:
    """Return where a history that was kept and the one of now part; '' where the one of now goes on from it."""
    for place, (kept, entry) in enumerate(zip(before, now, strict=False), start=1):
        if kept != entry:
            return f"entry {place} is not the one that was kept"
    return "" if len(before) <= len(now) else f"entries {len(now) + 1} to {len(before)} were kept and are gone"
