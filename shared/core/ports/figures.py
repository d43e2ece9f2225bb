"""The figures as the flow sees them: one set a day, what histories have told so far, and a claim on making them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the event path loads every port, and has no use for what figures are made of
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from shared.core.figures.figures import Figures, Point
    from shared.core.figures.reading import Reading
    from shared.core.figures.track import Track


class FigureBook(Protocol):
    """What is kept of figures."""

    def claim(self, now: datetime, lease: timedelta) -> str:
        """Take the making of figures; '' where somebody else has it and began within `lease`. Else what to give back."""
        ...

    def release(self, claim: str) -> None:
        """Give it back, unless somebody else has it by now."""
        ...

    def tracks(self, after: str, last: str) -> Mapping[str, Track]:
        """Return what is known of the rows with ids behind `after`, up to and with `last`, by id."""
        ...

    def follow(self, tracks: Mapping[str, Track]) -> None:
        """Keep these in place of what was known before. A kill in between leaves some as they were."""
        ...

    def keep(self, figures: Figures) -> None:
        """Keep the figures of a day in place of any earlier ones of it."""
        ...

    def latest(self) -> Figures | None:
        """Return the figures made last, or None."""
        ...

    def trend(self, first: str, last: str) -> Sequence[Point]:
        """Return a point for each day from `first` to `last` (as 2026-11-24) that has figures, the earliest first."""
        ...

    def note(self, reading: Reading) -> None:
        """Keep how often a vault was called in place of what was known of it."""
        ...

    def readings(self, subscription: str = "") -> Mapping[str, Reading]:
        """Return what is known of the vaults of a subscription, or of all, by id in lower case."""
        ...

    def drop(self, vaults: Sequence[str]) -> None:
        """Forget what is known of these vaults, by id in lower case."""
        ...

    def forget(self, before: str) -> int:
        """Remove the figures of days before this one; return how many."""
        ...
