"""The operators that need one stream of rows: choosing, shaping, sorting."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from simulator.arm.kql.aggregates import named, summarize
from simulator.arm.kql.expressions import Reader, Row, Value
from simulator.arm.kql.lexer import Invalid
from simulator.arm.kql.values import order_key, text

Rows = Iterable[Row]
Plain = Callable[[Rows], Rows]
LARGEST_EXPANSION, USUAL_EXPANSION = 2000, 128  # rows that mv-expand makes of one (AZURE 6)


def _where(reader: Reader) -> Plain:
    condition = reader.expression()
    return lambda rows: (row for row in rows if condition(row))


def _chosen(reader: Reader) -> list[tuple[str, Value, bool]]:
    reader.unnamed = 0
    return reader.listed(lambda: (*named(reader), reader.is_dynamic))


def _project(reader: Reader) -> Plain:
    chosen = _chosen(reader)
    reader.columns = {name: dynamic for name, _, dynamic in chosen}
    return lambda rows: ({name: value(row) for name, value, _ in chosen} for row in rows)


def _extend(reader: Reader) -> Plain:
    """Later columns of one `extend` see the columns before the operator only, as in Kusto."""
    added = _chosen(reader)
    reader.columns |= {name: dynamic for name, _, dynamic in added}
    return lambda rows: ({**row, **{name: value(row) for name, value, _ in added}} for row in rows)


def _kept(keep: bool) -> Callable[[Reader], Plain]:
    def read(reader: Reader) -> Plain:
        names = set(reader.listed(lambda: _known(reader)))
        left = [name for name in reader.columns if (name in names) == keep]
        reader.columns = {name: reader.columns[name] for name in left}
        return lambda rows: ({name: row.get(name) for name in left} for row in rows)

    return read


def _known(reader: Reader) -> str:
    token = reader.next
    name = reader.name()
    if name not in reader.columns:
        raise Invalid(token, "the name of a column")
    return name


def _rename(reader: Reader) -> Plain:
    def pair() -> tuple[str, str]:
        new = reader.name()
        reader.need("=")
        return _known(reader), new

    names = dict(reader.listed(pair))
    reader.columns = {names.get(name, name): dynamic for name, dynamic in reader.columns.items()}
    return lambda rows: ({names.get(name, name): value for name, value in row.items()} for row in rows)


def _distinct(reader: Reader) -> Plain:
    if reader.takes("*"):
        names = list(reader.columns)
        chosen: list[tuple[str, Value, bool]] = [(name, _column(name), reader.columns[name]) for name in names]
    else:
        chosen = _chosen(reader)
    reader.columns = {name: dynamic for name, _, dynamic in chosen}

    def distinct(rows: Rows) -> Rows:
        made = [{name: value(row) for name, value, _ in chosen} for row in rows]
        return {text(list(row.values())): row for row in made}.values()

    return distinct


def _column(name: str) -> Value:
    return lambda row: row.get(name)


Ordering = tuple[Value, bool, bool]  # what by, whether it descends, whether nulls come first


def _ordering(reader: Reader) -> Ordering:
    """Kusto's default is descending, and nulls are the smallest."""
    value = reader.expression()
    descends = not reader.takes("asc")
    if descends:
        reader.takes("desc")
    first = not descends
    if reader.takes("nulls"):
        first = reader.takes("first")
        if not first:
            reader.need("last")
    return value, descends, first


def _sorted(rows: Rows, orderings: list[Ordering]) -> list[Row]:
    made = list(rows)
    for value, descends, first in reversed(orderings):
        known: list[Row] = []
        unknown: list[Row] = []
        for row in made:
            (unknown if value(row) is None else known).append(row)
        known.sort(key=lambda row, value=value: order_key(value(row)), reverse=descends)  # type: ignore[misc]
        made = unknown + known if first else known + unknown
    return made


def _order(reader: Reader) -> Plain:
    reader.need("by")
    orderings = reader.listed(lambda: _ordering(reader))
    return lambda rows: _sorted(rows, orderings)


def _take(reader: Reader) -> Plain:
    most = reader.whole()
    return lambda rows: islice(rows, most)


def _top(reader: Reader) -> Plain:
    most = reader.whole()
    reader.need("by")
    orderings = reader.listed(lambda: _ordering(reader))
    return lambda rows: _sorted(rows, orderings)[:most]


def _count(reader: Reader) -> Plain:
    reader.columns = {"Count": False}
    return lambda rows: [{"Count": sum(1 for _ in rows)}]


def _expand(reader: Reader) -> Plain:
    """A row for each member of a list or object. Null gives one row, an empty list none (nothing tells; see README)."""
    token = reader.next
    name, value = named(reader)
    cast = reader.is_dynamic
    if reader.takes("to"):
        reader.need("typeof")
        reader.need("(")
        cast = reader.name() == "dynamic"
        reader.need(")")
    most = reader.whole() if reader.takes("limit") else USUAL_EXPANSION
    if most > LARGEST_EXPANSION or reader.next.text == ",":
        raise Invalid(token, f"one column and a limit of at most {LARGEST_EXPANSION}")
    reader.columns[name] = cast

    def expand(rows: Rows) -> Rows:
        for row in rows:
            for member in islice(_members(value(row)), most):
                yield {**row, name: member if cast or member is None else text(member)}

    return expand


def _members(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [{key: each} for key, each in value.items()] if isinstance(value, dict) else [value]


OPERATORS: dict[str, Callable[[Reader], Plain]] = {
    "where": _where,
    "filter": _where,
    "project": _project,
    "project-away": _kept(keep=False),
    "project-keep": _kept(keep=True),
    "project-rename": _rename,
    "extend": _extend,
    "distinct": _distinct,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "top": _top,
    "count": _count,
    "summarize": summarize,
    "mv-expand": _expand,
    "mvexpand": _expand,
}
