"""The figures of one day, as they are kept, and the points of their trend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.figures.census import Count, Group
from shared.core.figures.missed import Missed
from shared.core.figures.pace import ALL, Pace

KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was reckoned at one time, over `rows` remediations and `targets` judged targets.

    `left_out` counts the groups of a kind that were too many to keep. `missed` is None where no sweep has looked yet.
    """

    made: datetime
    since: datetime
    rows: int
    targets: int
    groups: tuple[Group, ...]
    paces: tuple[Pace, ...]
    missed: Missed | None
    rotation: Count = field(default_factory=Count)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def day(self) -> str:
        """The day in UTC, as 2026-11-24: figures are kept one a day, the latest of it."""
        return f"{self.made:%Y-%m-%d}"

    def count(self, by: str, key: str) -> Count:
        """Return the count of one group; an empty one where there is no such group."""
        return next((it.count for it in self.groups if (it.by, it.key) == (by, key)), Count())

    def pace(self, control: str = ALL) -> Pace:
        """Return the pace of one control, or of all."""
        return next((it for it in self.paces if it.control == control), Pace(control))

    def point(self) -> "Point":
        """Return what the trend shows of this day."""
        whole = self.pace()
        return Point(
            self.day, self.count("estate", "all"), self.count("estate", "production"), whole.open,
            whole.remedied.mean if whole.remedied else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """One day of the trend. `mean` is the mean time to remediate in seconds, None where nothing was remedied."""

    day: str
    estate: Count
    production: Count
    open: int
    mean: int | None
