"""Charts as shapes: bars of what holds and what does not, the trend over days, a gauge with its goal. No script, no style."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.core.figures.figures import Point
from shared.core.figures.kpi import Value
from shared.core.ticket.escape import line

# The frame of the trend, in units of the drawing.
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 260, 44, 14, 14, 30
_BAR_WIDTH, _ROW, _LETTERS = 640, 46, 40
_VERDICTS = ("compliant", "unknown", "noncompliant")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: where it begins, how long it is, and the verdict that it stands for."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name and figure above it, its parts, from top to bottom of the drawing."""

    y: int
    name: str
    figure: str
    link: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A drawing of bars."""

    width: int
    height: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trend: pieces of it as points, broken where a day has no figure, and its lonely days as dots."""

    kind: str
    pieces: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """The drawing of the trend: lines, the height of each label of the scale, and of the goal where there is one."""

    lines: tuple[Line, ...]
    scale: tuple[tuple[int, float], ...]
    goal: float | None


def bars(values: Sequence[Value]) -> Bars:
    """Return a bar for each value, cut by the verdicts that its parts count."""
    made = tuple(_bar(value, n * _ROW) for n, value in enumerate(values))
    return Bars(_BAR_WIDTH, len(made) * _ROW, made)


def _bar(value: Value, y: int) -> Bar:
    total, x, parts = sum(value.parts.values()), 0.0, list[Part]()
    for kind in _VERDICTS:
        width = round(_BAR_WIDTH * value.parts.get(kind, 0) / total, 1) if total else 0.0
        if width:
            parts.append(Part(round(x, 1), width, kind))
        x += width
    figure = "unknown" if value.value is None else f"{value.value:.1f} %"
    return Bar(y, line(value.key, _LETTERS) or "no tag", figure, value.link, tuple(parts))


def trend(points: Sequence[Point], begin: date, end: date, goal: int | None) -> Trend:
    """Return the trend of compliance between two days, of the estate and of production."""
    days = max(1, (end - begin).days)
    estate = {(date.fromisoformat(it.day) - begin).days: it.estate.permille for it in points}
    production = {(date.fromisoformat(it.day) - begin).days: it.production.permille for it in points}
    lines = (_line("production", production, days), _line("estate", estate, days))
    return Trend(
        lines,
        tuple((percent, _y(10 * percent)) for percent in (100, 75, 50, 25, 0)),
        None if goal is None else _y(10 * goal),
    )


def _line(kind: str, values: Mapping[int, int | None], days: int) -> Line:
    pieces, dots = list[str](), list[tuple[float, float]]()
    for run in _runs(values):
        spots = [(_x(day, days), _y(permille)) for day, permille in run]
        if len(spots) > 1:
            pieces.append(" ".join(f"{x},{y}" for x, y in spots))
        dots.append(spots[-1])
    return Line(kind, tuple(pieces), tuple(dots))


def _runs(values: Mapping[int, int | None]) -> Iterable[list[tuple[int, int]]]:
    """Return the days that follow one another, each run by itself."""
    runs, before = list[list[tuple[int, int]]](), None
    for day, permille in sorted(values.items()):
        if permille is None:
            continue
        if before is None or day != before + 1:
            runs.append([])
        runs[-1].append((day, permille))
        before = day
    return runs


def _x(day: int, days: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * day / days, 1)


def _y(permille: int) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1000 - permille) / 1000, 1)
