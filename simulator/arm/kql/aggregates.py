"""`summarize`: the aggregates and the operator."""

from collections.abc import Callable, Iterable
from typing import Any

from simulator.arm.kql.expressions import Reader, Row, Value
from simulator.arm.kql.lexer import Invalid
from simulator.arm.kql.values import order_key, text

Rows = Iterable[Row]
Columns = dict[str, bool]  # name -> whether it may hold anything
Fold = Callable[[list[Row]], Row]  # from the rows of a group to the columns that come of it


def _distinct(values: list[Any]) -> list[Any]:
    return list({text(each): each for each in values if each is not None}.values())


def _numbers(values: list[Any]) -> list[float]:
    return [each for each in values if isinstance(each, (int, float)) and not isinstance(each, bool)]


def _average(values: list[Any]) -> float | None:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else None


def _known(values: list[Any]) -> list[Any]:
    return [each for each in values if each is not None]


def _any(values: list[Any]) -> Any:
    return next((each for each in values if each not in (None, "")), None)


# name -> from the values of a group to one
PLAIN: dict[str, Callable[[list[Any]], Any]] = {
    "countif": lambda values: sum(1 for each in values if each),
    "dcount": lambda values: len(_distinct(values)),
    "sum": lambda values: sum(_numbers(values)),
    "avg": _average,
    "min": lambda values: min(_known(values), key=order_key, default=None),
    "max": lambda values: max(_known(values), key=order_key, default=None),
    "make_list": _known,
    "makelist": _known,
    "make_set": _distinct,
    "makeset": _distinct,
    "take_any": _any,
    "any": _any,
}
# the same with a condition: sumif(value, condition)
CHOSEN = {"sumif": "sum", "avgif": "avg", "dcountif": "dcount", "make_set_if": "make_set", "make_list_if": "make_list"}


def summarize(reader: Reader) -> Callable[[Rows], Rows]:
    """Read the operator."""
    reader.unnamed = 0
    folds = [] if reader.next.text.lower() == "by" else reader.listed(lambda: _aggregate(reader))
    keys = reader.listed(lambda: _key(reader)) if reader.takes("by") else []
    reader.columns = dict.fromkeys((name for name, _ in keys), False)
    for columns, _ in folds:
        reader.columns |= columns

    def run(rows: Rows) -> Rows:
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(text([value(row) for _, value in keys]), []).append(row)
        if not groups and not keys:
            groups = {"": []}
        for members in groups.values():
            made = {name: value(members[0]) for name, value in keys} if keys else {}
            for _, fold in folds:
                made |= fold(members)
            yield made

    return run


def _key(reader: Reader) -> tuple[str, Value]:
    token = reader.next
    name, value = named(reader)
    if reader.is_dynamic:
        raise Invalid(token, "a key with a type: use tostring() or another cast")
    return name, value


def named(reader: Reader) -> tuple[str, Value]:
    """`name = expression`, or an expression that has a name of its own."""
    token = reader.step()
    if token.kind == "word" and reader.takes("="):
        return token.text, reader.expression()
    reader.back()
    value = reader.expression()
    if reader.path:
        return reader.path, value
    reader.unnamed += 1
    return f"Column{reader.unnamed}", value


def _aggregate(reader: Reader) -> tuple[Columns, Fold]:
    token, name = reader.step(), ""
    if token.kind == "word" and reader.takes("="):
        name, token = token.text, reader.step()
    kind = token.text
    reader.need("(")
    if kind == "count":
        reader.need(")")
        column = name or "count_"
        return {column: False}, lambda rows: {column: len(rows)}
    if kind in {"arg_max", "arg_min"}:
        return _extreme(reader, kind, name)
    if kind not in PLAIN and kind not in CHOSEN:
        raise Invalid(token, "an aggregate")
    value = reader.expression()
    dynamic = kind.startswith("make") or (reader.is_dynamic and kind in {"min", "max", "any", "take_any"})
    column = name or f"{ {'make_set': 'set', 'make_list': 'list'}.get(kind, kind) }_{reader.path}"
    only: Value = lambda _row: True  # noqa: E731 - stands in for a condition
    if kind in CHOSEN:
        reader.need(",")
        kind, only = CHOSEN[kind], reader.expression()
    elif kind.startswith("make_") and reader.takes(","):
        reader.whole()  # the most that the list may hold; ours are short
    reader.need(")")
    fold = PLAIN[kind]
    return {column: dynamic}, lambda rows: {column: fold([value(row) for row in rows if only(row)])}


def _extreme(reader: Reader, kind: str, name: str) -> tuple[Columns, Fold]:
    """`arg_max(by, *)`: the row in which something is largest."""
    by = reader.expression()
    first = name or reader.path or f"{kind.removeprefix('arg_')}_"
    columns, kept = {first: reader.is_dynamic}, list[tuple[str, Value]]()
    while reader.takes(","):
        if reader.takes("*"):
            kept += [(each, _column(each)) for each in reader.columns]
            columns |= reader.columns
        else:
            kept.append(named(reader))
            columns[kept[-1][0]] = reader.is_dynamic
    reader.need(")")
    best = max if kind == "arg_max" else min

    def fold(rows: list[Row]) -> Row:
        known = [row for row in rows if by(row) is not None]
        if not known:
            return {first: None, **{each: None for each, _ in kept}}
        row = best(known, key=lambda row: order_key(by(row)))
        return {first: None} | {each: value(row) for each, value in kept} | {first: by(row)}

    return columns, fold


def _column(name: str) -> Value:
    return lambda row: row.get(name)
