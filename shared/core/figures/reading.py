"""How often a vault was called in the days before one midnight, as Azure Monitor has counted: what operations cost goes by it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.core.figures import WINDOW

DAYS = WINDOW.days
_GOOD_FOR = timedelta(days=2)  # the next sweep may not have come yet, or not have come to this vault


@dataclass(frozen=True, slots=True)
class Reading:
    """One vault's (its id in lower case). `hits` is None where nobody can say, and `problem` says why.

    `until` is the midnight (UTC) at which the 30 days end: all of them are over, so the count does not change any more.
    """

    vault: str
    until: datetime
    hits: int | None
    problem: str = ""

    def is_good(self, now: datetime) -> bool:
        """Tell whether it is young enough to speak of now."""
        return self.until > now - _GOOD_FOR


def midnight(now: datetime) -> datetime:
    """Return the begin of this day, in UTC."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
