"""How many changes the sweep has found of which no event had told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.core.survey import Survey

LOOKS = 200  # surveys that are gone through, the latest: more than a month of nights has


@dataclass(frozen=True, slots=True)
class Missed:
    """What the surveys of the window found among `listed` targets. `unread`: shares that could not be read: so at least."""

    looks: int
    listed: int
    found: int
    unread: int


def missed(latest: Sequence[Survey], since: datetime) -> Missed | None:
    """Return what the surveys that are over have found since a time; None where there was none.

    `latest` is the newest first, at most `LOOKS`. The very first look over an estate finds everything there is: no event
    was lost, there was nobody to tell. It is not counted.
    """
    seen = latest if len(latest) >= LOOKS else latest[:-1]
    counted = [it for it in seen if it.is_over and it.began >= since]
    if not counted:
        return None
    listed = sum(share.listed for it in counted for share in it.shares)
    return Missed(len(counted), listed, sum(it.found for it in counted), sum(len(it.unread) for it in counted))
