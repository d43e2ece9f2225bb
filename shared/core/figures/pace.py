"""How fast findings are put right and questions are answered, by whom, and how often they come back, by control."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.figures.spread import Spread, spread
from shared.core.figures.track import Track

ALL = ""  # as a control: all of them together
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """One control's figures, or those of all. What has no value in the window is None: nobody can know it.

    `open` counts findings that stand, `ended` those put right by who did it, `reopened` those found again. `answered` is
    the spread of waiting for a yes or a no, `expired` counts questions that nobody answered, `waiting` those that stand
    now, the oldest asked at `oldest`.
    """

    control: str
    open: int = 0
    remedied: Spread | None = None
    ended: Mapping[str, int] = field(default_factory=dict)
    reopened: int = 0
    answered: Spread | None = None
    expired: int = 0
    waiting: int = 0
    oldest: datetime | None = None


@dataclass
class Watch:
    """Counts while rows are gone through, one at a time. What ended or came back before `since` is not counted."""

    since: datetime
    rows: int = 0
    _open: Counter[str] = field(default_factory=Counter)
    _took: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _ended: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _reopened: Counter[str] = field(default_factory=Counter)
    _answered: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _expired: Counter[str] = field(default_factory=Counter)
    _waiting: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    _controls: set[str] = field(default_factory=set)

    def add(self, control: str, track: Track) -> None:
        """Count one row."""
        self.rows += 1
        for name in (ALL, control):
            self._controls.add(name)
            self._count(name, track)

    def _count(self, name: str, track: Track) -> None:
        for episode in track.episodes:
            if episode.ended >= self.since:
                self._took[name].append((episode.ended - episode.began) // _SECOND)
                self._ended[name][episode.way.value] += 1
            self._reopened[name] += episode.is_again and episode.began >= self.since
        if track.began:
            self._open[name] += 1
            self._reopened[name] += track.is_again and track.began >= self.since
        for question in track.questions:
            if question.ended >= self.since and question.end == "expired":
                self._expired[name] += 1
            elif question.ended >= self.since:
                self._answered[name].append((question.ended - question.asked) // _SECOND)
        if track.asked:
            self._waiting[name].append(track.asked)

    def paces(self) -> tuple[Pace, ...]:
        """Return the figures, those of all first."""
        return tuple(
            Pace(
                control=name, open=self._open[name], remedied=spread(self._took[name]), ended=dict(self._ended[name]),
                reopened=self._reopened[name], answered=spread(self._answered[name]), expired=self._expired[name],
                waiting=len(self._waiting[name]), oldest=min(self._waiting[name], default=None),
            )
            for name in sorted(self._controls | {ALL})
        )  # fmt: skip
