"""The pipeline of a query: a table, then operators, each from rows to rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from simulator.arm.kql.expressions import Reader, Row, Value
from simulator.arm.kql.functions import AGGREGATES
from simulator.arm.kql.lexer import Invalid, tokens
from simulator.arm.kql.values import order_key, text

Rows = Iterable[Row]
Step = Callable[[Rows], Rows]


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: which table it reads, what it makes of the rows, and the columns that come out."""

    table: str
    steps: tuple[Step, ...]
    columns: tuple[str, ...]

    def run(self, rows: Rows) -> list[Row]:
        """All resulting rows."""
        for step in self.steps:
            rows = step(rows)
        return list(rows)


def compile_query(source: str, tables: Mapping[str, tuple[str, ...]]) -> Query:
    """Compile a text. The first table is read when the text names none (recorded: the query `project id`)."""
    reader = Reader(tokens(source))
    table, first = next(iter(tables)), reader.next
    if first.kind == "word" and first.text.lower() in tables:
        table = reader.step().text.lower()
        _bar(reader)
    elif first.text.lower() not in OPERATORS:
        raise Invalid(first, "a table or an operator")
    reader.columns = list(tables[table])
    steps: list[Step] = []
    while reader.next.kind != "end":
        token = reader.step()
        operator = OPERATORS.get(token.text.lower())
        if operator is None:
            raise Invalid(token, "an operator")
        steps.append(operator(reader))
        _bar(reader)
    return Query(table, tuple(steps), tuple(reader.columns))


def _bar(reader: Reader) -> None:
    """Between operators stands a bar, and after a bar something."""
    if reader.next.kind == "end":
        return
    reader.need("|")
    if reader.next.kind == "end":
        raise Invalid(reader.next, "an operator")


def _where(reader: Reader) -> Step:
    condition = reader.expression()
    return lambda rows: (row for row in rows if condition(row))


def _named(reader: Reader) -> tuple[str, Value]:
    """`name = expression`, or an expression that has a name of its own."""
    token = reader.step()
    if token.kind == "word" and reader.takes("="):
        return token.text, reader.expression()
    reader.back()
    value = reader.expression()
    return reader.last_name() or "Column1", value


def _project(reader: Reader) -> Step:
    chosen = reader.listed(lambda: _named(reader))
    reader.columns = [name for name, _ in chosen]
    return lambda rows: ({name: value(row) for name, value in chosen} for row in rows)


def _extend(reader: Reader) -> Step:
    """Later columns of one `extend` see the columns before the operator only, as in Kusto."""
    added = reader.listed(lambda: _named(reader))
    reader.columns += [name for name, _ in added if name not in reader.columns]
    return lambda rows: ({**row, **{name: value(row) for name, value in added}} for row in rows)


def _project_away(reader: Reader) -> Step:
    gone = set(reader.listed(reader.name))
    reader.columns = [name for name in reader.columns if name not in gone]
    return lambda rows: ({name: value for name, value in row.items() if name not in gone} for row in rows)


def _project_keep(reader: Reader) -> Step:
    kept = set(reader.listed(reader.name))
    reader.columns = [name for name in reader.columns if name in kept]
    return lambda rows: ({name: value for name, value in row.items() if name in kept} for row in rows)


def _distinct(reader: Reader) -> Step:
    chosen = reader.listed(lambda: _named(reader))
    reader.columns = [name for name, _ in chosen]

    def distinct(rows: Rows) -> Rows:
        made = [{name: value(row) for name, value in chosen} for row in rows]
        return {text(list(row.values())): row for row in made}.values()

    return distinct


def _ordering(reader: Reader) -> tuple[Value, bool]:
    """An expression and whether it descends; Kusto's default is descending."""
    value = reader.expression()
    descends = not reader.takes("asc")
    if descends:
        reader.takes("desc")
    if reader.takes("nulls") and not reader.takes("first", "last"):
        raise Invalid(reader.next, "first or last")
    return value, descends


def _sorted(rows: Rows, orderings: list[tuple[Value, bool]]) -> list[Row]:
    made = list(rows)
    for value, descends in reversed(orderings):
        made.sort(key=lambda row, value=value: order_key(value(row)), reverse=descends)  # type: ignore[misc]
    return made


def _order(reader: Reader) -> Step:
    reader.need("by")
    orderings = reader.listed(lambda: _ordering(reader))
    return lambda rows: _sorted(rows, orderings)


def _number(reader: Reader) -> int:
    token = reader.step()
    if token.kind != "number" or not token.text.isdigit():
        raise Invalid(token, "a whole number")
    return int(token.text)


def _take(reader: Reader) -> Step:
    most = _number(reader)
    return lambda rows: islice(rows, most)


def _top(reader: Reader) -> Step:
    most = _number(reader)
    reader.need("by")
    orderings = reader.listed(lambda: _ordering(reader))
    return lambda rows: _sorted(rows, orderings)[:most]


def _count(reader: Reader) -> Step:
    reader.columns = ["Count"]
    return lambda rows: [{"Count": sum(1 for _ in rows)}]


Aggregate = tuple[str, Callable[[list[Any]], Any], Value]


def _aggregate(reader: Reader) -> Aggregate:
    token = reader.step()
    name = ""
    if token.kind == "word" and reader.takes("="):
        name, token = token.text, reader.step()
    fold, needs = AGGREGATES.get(token.text, (None, False))
    if fold is None:
        raise Invalid(token, "an aggregate")
    reader.need("(")
    value: Value = reader.expression() if needs else (lambda _row: 1)
    column = (reader.last_name() or "") if needs else ""
    reader.need(")")
    return name or f"{token.text}_{column}", fold, value


def _summarize(reader: Reader) -> Step:
    aggregates = [] if reader.next.text.lower() == "by" else reader.listed(lambda: _aggregate(reader))
    keys = reader.listed(lambda: _named(reader)) if reader.takes("by") else []
    reader.columns = [name for name, _ in keys] + [name for name, _, _ in aggregates]

    def summarize(rows: Rows) -> Rows:
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(text([value(row) for _, value in keys]), []).append(row)
        if not groups and not keys:
            groups = {"": []}
        for members in groups.values():
            made = {name: value(members[0]) for name, value in keys} if keys else {}
            yield {
                **made,
                **{name: fold([value(row) for row in members]) for name, fold, value in aggregates},
            }

    return summarize


OPERATORS: dict[str, Callable[[Reader], Step]] = {
    "where": _where,
    "project": _project,
    "project-away": _project_away,
    "project-keep": _project_keep,
    "extend": _extend,
    "distinct": _distinct,
    "order": _order,
    "sort": _order,
    "take": _take,
    "limit": _take,
    "top": _top,
    "count": _count,
    "summarize": _summarize,
}
