"""The overview: every figure as a tile with its goal, charts of the same, a table under each, and what each figure means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput
from shared.core.figures.kpi import Kpi, Unit, Value, kpis, money
from shared.core.ports import Ports
from shared.web.console import charts
from shared.web.console.pages import page
from shared.web.kpis import reckoned

_MOST = 12  # groups of a kind that are shown; the API has all of them
_GOAL_OF = {Unit.SECONDS: "at most", Unit.PERCENT: "at least"}
_TITLES = {
    "control": "By control", "layer": "By layer of the workspaces", "owner": "By owner", "cost-center": "By cost centre",
    "subscription": "By subscription",
}  # fmt: skip
_LAYERS = {"managedServices": "managed services", "managedDisk": "managed disks", "dbfsRoot": "DBFS root"}
_PARTS = {
    "noncompliant": "not compliant", "unknown": "unknown", "count": "ended", "median": "median", "p90": "9 of 10 within",
    "longest": "longest", "young": "young enough", "old": "too old", "oldest": "oldest",
}  # fmt: skip
_TIMES = frozenset({"median", "p90", "longest", "oldest"})
_SPENT = {"workspace": "Key cost by workspace", "vault": "Key cost by vault", "cost-center": "Key cost by cost centre"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure as it is read from afar. `gauge` and `mark` are in percent of the gauge's length; None: there is none.

    `meets`: whether the goal is met; None where there is none, or nobody knows.
    """

    id: str
    title: str
    shown: str
    unknown: str
    link: str
    parts: tuple[tuple[str, str], ...]
    lacking: str
    goal: str
    meets: bool | None
    gauge: float | None
    mark: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The endpoint."""

    ports: Ports

    def show(self, request: Request) -> Response:
        """Show how well the estate stands."""
        unknown = set(request.query_params) - {"from", "to"}
        if unknown:
            raise BadInput("UnknownParameter", f"{min(unknown)[:40]!r} is no filter of this page")
        first, last = (request.query_params.get(name) or None for name in ("from", "to"))
        found = reckoned(self.ports, first, last)
        every = kpis(found.figures, self.ports.choices.goals)
        compliance, left_out, cost = every[0], found.figures.left_out, found.figures.cost
        return page(
            request, "overview.html", made=found.figures, tiles=[_tile(it) for it in _with_production(every)],
            every=every, points=found.points[::-1], begin=found.first.isoformat(), end=found.last.isoformat(), frame=charts,
            trend=charts.trend(found.points, found.first, found.last, compliance.goal),
            sections=[_section(compliance, by, left_out.get(by, 0)) for by in _TITLES],
            times=[(it, _tables(it)) for it in every if it.unit is Unit.SECONDS], ways=_named(every, "automatic"),
            counts=[_named(every, name) for name in ("open", "reopened")], text=text, worth=money,
            spent=[_spent(_named(every, "cost"), by, cost.left_out.get(by, 0)) for by in _SPENT] if cost else [],
        )  # fmt: skip


def _with_production(every: Sequence[Kpi]) -> Iterator[Kpi]:
    """Yield every figure, and behind the first the same of production alone."""
    whole, *others = every
    found = [it for it in whole.groups if (it.by, it.key) == ("estate", "production")]
    why = "no target is tagged as production, as CMK_PRODUCTION says it"
    value = found[0] if found else Value("estate", "production", None, why)
    yield from (whole, replace(whole, title="Compliance in production", whole=value), *others)


def _named(every: Sequence[Kpi], name: str) -> Kpi:
    return next(it for it in every if it.id == name)


def _section(it: Kpi, by: str, left_out: int) -> dict[str, Any]:
    found = [replace(group, key=_LAYERS.get(group.key, group.key)) for group in it.groups if group.by == by]
    shown = found[:_MOST]
    return {
        "by": by, "title": _TITLES[by], "values": shown, "more": len(found) - len(shown) + left_out,
        "bars": charts.bars(shown),
    }  # fmt: skip


def _spent(it: Kpi, by: str, left_out: int) -> dict[str, Any]:
    found = [replace(group, key=group.key.rpartition("/")[2]) for group in it.groups if group.by == by]
    shown = [(value, told(it, value)) for value in found[:_MOST]]
    return {"by": by, "title": _SPENT[by], "values": shown, "more": len(found) - len(shown) + left_out}


def _tables(it: Kpi) -> Sequence[Value]:
    return [it.whole, *it.groups]


def _tile(it: Kpi) -> Tile:
    value, goal = it.whole.value, it.goal
    gauge = mark = None
    if it.unit is Unit.PERCENT and value is not None:
        gauge, mark = value, None if goal is None else float(goal)
    elif it.unit is Unit.SECONDS and value is not None and goal:
        most = max(value, 2 * goal)
        gauge, mark = round(100 * value / most, 1), round(100 * goal / most, 1)
    meets = None if goal is None or value is None else value >= goal if it.unit is Unit.PERCENT else value <= goal
    return Tile(
        it.id, it.title, told(it, it.whole), it.whole.unknown, it.whole.link,
        tuple(
            (_PARTS.get(name, name), text(number, Unit.SECONDS if name in _TIMES else Unit.COUNT))
            for name, number in it.whole.parts.items()
        ), it.whole.lacking,
        "" if goal is None else f"{_GOAL_OF[it.unit]} {text(goal, it.unit)}", meets, gauge, mark,
    )  # fmt: skip


def told(it: Kpi, value: Value) -> str:
    """Return a value of a figure as people read it, with its currency, and with what keeps it from being the whole."""
    said = " ".join(filter(None, (text(value.value, it.unit), it.currency if value.value is not None else "")))
    return f"at least {said}" if value.lacking else said


def text(value: float | None, unit: Unit) -> str:
    """Return a value as people read it: the two largest units of a time, a tenth of a percent, four digits of money."""
    match unit:
        case _ if value is None:
            return "unknown"
        case Unit.PERCENT:
            return f"{value:.1f} %".replace(".0 %", " %")
        case Unit.COUNT:
            return f"{int(value):,}"
        case Unit.MONEY:
            return f"{value:,.4f}"
        case Unit.SECONDS:
            return _time(timedelta(seconds=int(value)))


def _time(it: timedelta) -> str:
    hours, minutes, seconds = it.seconds // 3600, it.seconds % 3600 // 60, it.seconds % 60
    words = [(it.days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    begin = next((n for n, (number, _) in enumerate(words) if number), len(words) - 1)
    return " ".join(
        f"{number} {unit}" for number, unit in words[begin : begin + 2] if number or unit == words[begin][1]
    )
