"""Signs of life: when events of each kind came last, and which part of the app runs as what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from shared.core.part import Part


class Pulse(Protocol):
    """The last sign of each kind; none is history. Noting one costs little: it lies on the way of every event."""

    def arrived(self, via: str, now: datetime) -> None:
        """Note that an event of a kind came; of those within a minute the first alone."""
        ...

    def arrivals(self) -> Mapping[str, datetime]:
        """Return when an event of each kind came last, as far as any ever did."""
        ...

    def beat(self, part: Part) -> None:
        """Note that a part runs, in place of what it said before."""
        ...

    def part(self, name: str) -> Part | None:
        """Return what a part said of itself last, or None where it never did."""
        ...
