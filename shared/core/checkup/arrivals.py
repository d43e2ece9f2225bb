"""Whether events still come: when one of each kind came last, beside what the sweep of the night has missed. Pure.

In a quiet estate no event is no fault. So silence alone is a warning, and a fault where something was written meanwhile.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from shared.core.checkup import Check, Result
from shared.core.wake import KEYS, VAULTS, WORKSPACES

NAME, AREA = "last-events", "events"
QUIET = timedelta(days=7)
_WRITES = {WORKSPACES: "a workspace", VAULTS: "a vault", KEYS: "a key"}


def judged(last: Mapping[str, datetime], missed: int, now: datetime, *, has_vaults: bool) -> Iterator[Check]:
    """Say which kinds of event have never come, or for long not. `missed`: what the last survey found that no event told of.

    Events of keys come only where a vault holds some: without one their silence says nothing.
    """
    wanted = (WORKSPACES, VAULTS, KEYS) if has_vaults or KEYS in last else (WORKSPACES, VAULTS)
    silent = [it for it in wanted if it not in last or now - last[it] > QUIET]
    for kind in silent:
        since = f"since {last[kind].isoformat(timespec='seconds')}" if kind in last else "ever"
        is_missed = bool(missed) and kind != KEYS
        beside = f", and the last sweep found {missed} targets that none had told of" if is_missed else ""
        yield Check(
            NAME, AREA, Result.FAIL if is_missed else Result.WARN,
            f"no event about {kind} has come {since}{beside}",
            f"write {_WRITES[kind]} and ask again; if none comes, look at the event subscriptions and at their delivery in Azure Monitor",
        )  # fmt: skip
    heard = ", ".join(f"{it} {last[it].isoformat(timespec='seconds')}" for it in wanted if it in last)
    if not silent:
        yield Check(NAME, AREA, Result.PASS, f"the last events: {heard}")
