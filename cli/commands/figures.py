"""`kpis`: how well the estate stands, as a table, JSON or CSV."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.commands.reading import OutputForm
from cli.lists import when
from cli.output import Form
from cli.safe import plain
from cli.session import Session, connected

_FIELDS = frozenset({"made", "since", "rows", "targets", "kpis", "trend"})
_COLUMNS = ("figure", "by", "key", "value", "unit", "goal", "unknown", "lacking", "parts")
_TIMES = frozenset({"median", "p90", "longest", "oldest"})
By = Annotated[
    str, typer.Option("--by", metavar="KIND", help="Show groups, too: estate, layer, control, owner, cost-center, subscription, workspace, vault.")
]  # fmt: skip
From = Annotated[str, typer.Option("--from", metavar="DAY", help="The trend from this day on, as 2026-11-24.")]
To = Annotated[str, typer.Option("--to", metavar="DAY", help="The trend up to this day.")]


@connected
def kpis(session: Session, by: By = "", from_: From = "", to: To = "", form: OutputForm = Form.TABLE) -> None:
    """Show how well the estate stands: compliance, times, who put things right, what no event had told of.

    JSON has everything, with definitions and the trend. What nobody can know is unknown, with the reason; never 0.

    Example: cmkwarden kpis --by owner -o csv
    """
    query = {name: value for name, value in (("by", by), ("from", from_), ("to", to)) if value}
    found: Mapping[str, Any] = session.asked("/api/kpis", _FIELDS, **query).body
    if form is Form.JSON:
        session.output.json(found)
    elif form is Form.CSV:
        session.output.csv(_COLUMNS, [_whole(kpi, value) for kpi, value in _values(found, groups=True)])
    else:
        rows = [_row(kpi, value) for kpi, value in _values(found, groups=bool(by))]
        session.output.table(("FIGURE", "OF", "VALUE", "GOAL", "MADE OF"), rows)
        session.output.say(f"as of {when(found['made'])}; times and counts since {when(found['since'])}", "dim")


def _values(found: Mapping[str, Any], *, groups: bool) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for kpi in found["kpis"]:
        yield kpi, {**kpi, "by": "estate", "key": "all"}
        for group in kpi["groups"] if groups else ():
            yield kpi, group


def _row(kpi: Mapping[str, Any], value: Mapping[str, Any]) -> Sequence[str]:
    unit = kpi["currency"] or kpi["unit"]
    said = _text(value["value"], unit)
    told = f"{said}: {plain(value['unknown'])}" if value["value"] is None else said
    if value["lacking"]:
        told = f"at least {said}, without {plain(value['lacking'])}"
    goal = "" if kpi["goal"] is None or value["key"] != "all" else _text(kpi["goal"], unit)
    name = "no such tag" if not value["key"] else plain(value["key"])
    return plain(kpi["title"]), name, told, goal, _parts(value["parts"]) if value["value"] is not None else ""


def _whole(kpi: Mapping[str, Any], value: Mapping[str, Any]) -> Sequence[Any]:
    parts = " ".join(f"{name}={number}" for name, number in value["parts"].items())
    return (
        kpi["id"], value["by"], value["key"], value["value"], kpi["currency"] or kpi["unit"], kpi["goal"],
        value["unknown"], value["lacking"], parts,
    )  # fmt: skip


def _parts(parts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{plain(name)} {_text(number, 'seconds' if name in _TIMES else 'count')}" for name, number in parts.items()
    )


def _text(value: Any, unit: str) -> str:
    """Return a value as people read it; `unit` is a currency for money."""
    if value is None:
        return "unknown"
    if unit.isupper():
        return f"{value:.4f} {plain(unit)}"
    if unit == "percent":
        return f"{plain(value)} %"
    return str(timedelta(seconds=int(value))) if unit == "seconds" else plain(value).removesuffix(".0")
