"""How values are spread: count, mean, median, 90th percentile and the largest, in whole seconds."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A spread of at least one value. All but `count` are in seconds."""

    count: int
    mean: int
    median: int
    p90: int
    longest: int


def spread(values: Iterable[int]) -> Spread | None:
    """Return the spread of these values; None where there are none: no time was taken, which is not a time of 0."""
    ordered = sorted(values)
    if not ordered:
        return None
    count = len(ordered)
    mean = sum(ordered) // count
    return Spread(count, mean, _nearest(ordered, 50), _nearest(ordered, 90), ordered[-1])


def _nearest(ordered: list[int], percent: int) -> int:
    """Return the smallest value with at least so many percent of all at or below it (nearest rank)."""
    return ordered[-(-percent * len(ordered) // 100) - 1]
