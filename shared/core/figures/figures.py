"""The figures of one day, as they are kept, and the points of their trend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from shared.core.figures.age import Age
from shared.core.figures.census import Count, Group
from shared.core.figures.cost import Cost
from shared.core.figures.missed import Missed
from shared.core.figures.pace import ALL, Pace

KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was reckoned at one time, over `rows` remediations and `targets` judged targets.

    `left_out` counts the groups of a kind that were too many to keep. `missed` is None where no sweep has looked yet, `age`
    where they were made before keys were counted, `cost` where no prices were set.
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
    age: Age | None = None
    cost: Cost | None = None

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
        whole, spent = self.pace(), self.cost.whole if self.cost else None
        return Point(
            self.day, self.count("estate", "all"), self.count("estate", "production"), whole.open,
            whole.remedied.mean if whole.remedied else None, self.age.permille if self.age else None,
            # A sum of a part may rise because more is known: it is no point of a trend.
            spent.amount if spent and not spent.unknown else None, self.cost.currency if self.cost else "",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """One day of the trend. `mean` is the mean time to remediate in seconds, None where nothing was remedied.

    `young` is the share of keys that are young enough, in a thousandth; `cost` that of all keys, None where any is unknown.
    """

    day: str
    estate: Count
    production: Count
    open: int
    mean: int | None
    young: int | None = None
    cost: Decimal | None = None
    currency: str = ""
