"""Figures in memory, of the same shape as in storage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.figures.figures import Figures, Point
from shared.core.figures.reading import Reading
from shared.core.figures.track import Track


@dataclass
class MemoryFigures:
    """What is kept of figures. `before` is called before each write, and may raise: a kill, or storage that is busy."""

    days: dict[str, Figures] = field(default_factory=dict)
    known: dict[str, Track] = field(default_factory=dict)
    meters: dict[str, Reading] = field(default_factory=dict)
    held: tuple[str, datetime] | None = None
    claims: int = 0
    before: Callable[[], None] = lambda: None

    def claim(self, now: datetime, lease: timedelta) -> str:
        if self.held and self.held[1] > now - lease:
            return ""
        self.before()
        self.claims += 1
        self.held = (str(self.claims), now)
        return self.held[0]

    def release(self, claim: str) -> None:
        self.before()
        if self.held and self.held[0] == claim:
            self.held = None

    def tracks(self, after: str, last: str) -> Mapping[str, Track]:
        return {name: it for name, it in self.known.items() if after < name <= last}

    def follow(self, tracks: Mapping[str, Track]) -> None:
        self.before()
        self.known.update(tracks)

    def keep(self, figures: Figures) -> None:
        self.before()
        self.days[figures.day] = figures

    def latest(self) -> Figures | None:
        return self.days[max(self.days)] if self.days else None

    def trend(self, first: str, last: str) -> Sequence[Point]:
        return [self.days[day].point() for day in sorted(self.days) if first <= day <= last]

    def note(self, reading: Reading) -> None:
        self.before()
        self.meters[reading.vault] = reading

    def readings(self, subscription: str = "") -> Mapping[str, Reading]:
        start = f"/subscriptions/{subscription.lower()}/" if subscription else ""
        return {name: it for name, it in self.meters.items() if name.startswith(start)}

    def drop(self, vaults: Sequence[str]) -> None:
        for name in vaults:
            self.before()
            self.meters.pop(name, None)

    def forget(self, before: str) -> int:
        self.before()
        old = [day for day in self.days if day < before]
        for day in old:
            del self.days[day]
        return len(old)
