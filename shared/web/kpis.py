"""The figures over the API: every one with its definition, its groups and its way down to what is behind it, and the trend."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput, Temporary
from shared.core.figures.figures import Figures, Point
from shared.core.figures.kpi import BY, Kpi, Unit, Value, kpis, money
from shared.core.ports import Ports
from shared.flow.figures import shown
from shared.web.answers import answer, said
from shared.web.openapi import Operation, Parameter

TREND = timedelta(days=90)  # where nobody says from when on
_DAY = {"type": "string", "format": "date"}
PARAMETERS = (
    Parameter("from", "the first day of the trend, as 2026-11-24 in UTC; 90 days ago where it is not given", _DAY),
    Parameter("to", "its last day; today where it is not given", _DAY),
    Parameter("by", "only the groups of this kind", {"type": "string", "enum": list(BY)}),
    Parameter("If-None-Match", "the ETag of the figures that you have: 304 if they are still the same", place="header"),
)


class KpiOut(msgspec.Struct):
    """One figure. `value` is in `unit`, null where nobody can know it; `unknown` says why. `goal` is in `unit`, too.

    Where `lacking` says what is not in it, it is at least the value. `currency` is that of money.
    """

    id: str
    title: str
    definition: str
    source: str
    unit: Unit
    goal: int | None
    value: float | None
    unknown: str
    parts: Mapping[str, int]
    link: str
    lacking: str
    currency: str
    groups: tuple[Value, ...]


class PointOut(msgspec.Struct):
    """One day of the trend: rates in percent, the mean time to remediate in seconds; null where nobody can know it.

    `cost` is null, too, where it is known of a part only: it would rise because more is known.
    """

    day: str
    compliance: float | None
    production: float | None
    open: int
    remediation: int | None
    age: float | None
    cost: float | None
    currency: str


class KpisOut(msgspec.Struct):
    """The figures as they were made last, at most an hour ago where storage could be had.

    `left_out` counts groups that were too many to keep, `costs_left_out` those of the cost.
    """

    made: datetime
    since: datetime
    rows: int
    targets: int
    left_out: Mapping[str, int]
    costs_left_out: Mapping[str, int]
    kpis: tuple[KpiOut, ...]
    trend: tuple[PointOut, ...]


@dataclass(frozen=True, slots=True)
class KpiApi:
    """The endpoint."""

    ports: Ports

    def kpis(self, request: Request) -> Response:
        """Show how well the estate stands: compliance, times, who put things right, what was missed; and the trend."""
        asked_for = dict(request.query_params)
        unknown = set(asked_for) - {it.name for it in PARAMETERS if it.place == "query"}
        if unknown:
            raise BadInput("UnknownParameter", f"{min(unknown)!r} is no parameter; there are from, to and by")
        by = asked_for.get("by")
        if by is not None and by not in BY:
            raise BadInput("BadGrouping", f"by must be one of {', '.join(BY)}")
        found = reckoned(self.ports, asked_for.get("from"), asked_for.get("to"))
        made = answer(_out(found.figures, found.points, self.ports.choices.goals, by))
        tag = f'"{hashlib.sha256(bytes(made.body)).hexdigest()[:32]}"'
        if tag in {it.strip() for it in request.headers.get("if-none-match", "").split(",")}:
            return said(304, b"", "application/json", {"ETag": tag})
        made.headers["ETag"] = tag
        return made


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The figures, and their trend between two days."""

    figures: Figures
    first: date
    last: date
    points: Sequence[Point]


def reckoned(ports: Ports, first: str | None, last: str | None) -> Reckoned:
    """Return what is to be shown. Raises BadInput for what is no day, Temporary where there are no figures yet."""
    end = ports.clock.now().date() if last is None else _day(last)
    begin = end - min(TREND, end - date.min) if first is None else _day(first)
    found = shown(ports)
    if found is None:
        raise Temporary("NoFiguresYet", "the figures are being made for the first time: ask again in a minute")
    return Reckoned(found, begin, end, ports.figures.trend(begin.isoformat(), end.isoformat()))


def operations(ports: Ports) -> Sequence[Operation]:
    """Return its row of the route table."""
    return (Operation("GET", "/api/kpis", KpiApi(ports).kpis, KpisOut, PARAMETERS, is_versioned=True),)


def _day(text: str) -> date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput("BadDay", "from and to must be days as 2026-11-24")


def _out(it: Figures, points: Sequence[Point], goals: Mapping[str, int], by: str | None) -> KpisOut:
    every = tuple(_kpi(kpi, by) for kpi in kpis(it, goals))
    costs = it.cost.left_out if it.cost else {}
    return KpisOut(it.made, it.since, it.rows, it.targets, it.left_out, costs, every, tuple(map(_point, points)))


def _kpi(it: Kpi, by: str | None) -> KpiOut:
    whole = it.whole
    return KpiOut(
        it.id, it.title, it.definition, it.source, it.unit, it.goal, whole.value, whole.unknown, whole.parts, whole.link,
        whole.lacking, it.currency, tuple(group for group in it.groups if by in {None, group.by}),
    )  # fmt: skip


def _point(it: Point) -> PointOut:
    estate, production = it.estate.permille, it.production.permille
    return PointOut(
        it.day,
        None if estate is None else estate / 10,
        None if production is None else production / 10,
        it.open,
        it.mean,
        None if it.young is None else it.young / 10,
        money(it.cost),
        it.currency,
    )
