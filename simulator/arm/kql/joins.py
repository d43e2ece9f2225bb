"""`join` and `union`: what two streams of rows become. The second comes from a table of its own.

Kinds and limits are those of Resource Graph (AZURE 6; its page on the query language): innerunique, which is the usual
one, inner, leftouter, fullouter; at most three of each, and no table twice on the right.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.arm.kql.expressions import Reader, Row
from simulator.arm.kql.lexer import Disallowed, Invalid
from simulator.arm.kql.values import text

Rows = Iterable[Row]
KINDS = ("innerunique", "inner", "leftouter", "fullouter")
MOST = 3
TOO_MANY = "DisallowedMaxNumberOfRemoteTables"


@dataclass(frozen=True, slots=True)
class Leg:
    """The right side, already compiled: its table, the columns that come out, and how to run it."""

    table: str
    columns: dict[str, bool]
    run: Callable[[Callable[[str], Rows]], list[Row]]


class Counted:
    """How many joins, unions and expansions one query holds, and which tables stood on the right."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._right: set[str] = set()

    def another(self, operator: str) -> None:
        """One more of these; Disallowed past the limit."""
        self._seen[operator] = self._seen.get(operator, 0) + 1
        if self._seen[operator] > MOST:
            raise Disallowed(TOO_MANY, f"The query holds more than {MOST} '{operator}' operators.")

    def right(self, table: str) -> None:
        """A table on the right of a join: once only."""
        if table in self._right:
            raise Disallowed(TOO_MANY, f"The table '{table}' is on the right side of more than one join.")
        self._right.add(table)


def join(reader: Reader, leg: Callable[[], Leg]) -> Callable[[Rows, Callable[[str], Rows]], Rows]:
    """Read the operator; `leg` reads what is in the parentheses."""
    token, kind = reader.next, "innerunique"
    if reader.takes("kind"):
        reader.need("=")
        kind = reader.name()
    if kind not in KINDS:
        raise Invalid(token, f"one of {', '.join(KINDS)}")
    left_columns = reader.columns
    right = leg()
    reader.need("on")
    keys = reader.listed(lambda: _pair(reader, left_columns, right.columns))
    renamed = {name: _free(name, left_columns) for name in right.columns}
    reader.columns = {**left_columns, **{renamed[name]: dynamic for name, dynamic in right.columns.items()}}
    left_names, right_names = [one for one, _ in keys], [other for _, other in keys]
    empty_left, empty_right = dict.fromkeys(left_columns), dict.fromkeys(renamed.values())

    def run(rows: Rows, tables: Callable[[str], Rows]) -> Rows:
        others: dict[str, list[Row]] = {}
        for row in right.run(tables):
            others.setdefault(_key(row, right_names), []).append({renamed[name]: row.get(name) for name in renamed})
        met: set[str] = set()
        for row in _unique(rows, left_names) if kind == "innerunique" else rows:
            key = _key(row, left_names)
            met.add(key)
            for other in others.get(key, [] if kind.startswith("inner") else [empty_right]):
                yield {**row, **other}
        if kind == "fullouter":
            for key, alone in others.items():
                yield from ({**empty_left, **other} for other in alone if key not in met)

    return run


def union(reader: Reader, leg: Callable[[], Leg]) -> Callable[[Rows, Callable[[str], Rows]], Rows]:
    """Read the operator: one table, `kind=` and `withsource=` before it."""
    kind, source = "outer", ""
    while reader.next.text in {"kind", "withsource"}:
        what = reader.name()
        reader.need("=")
        if what == "kind":
            kind = reader.name()
        else:
            source = reader.name()
    token = reader.next
    if kind not in {"inner", "outer"} or source:
        raise Invalid(token, "kind=inner or kind=outer, and no withsource")
    mine, other = reader.columns, leg()
    if reader.next.text == ",":
        raise Invalid(reader.next, "one table only")
    both = {**mine, **other.columns}
    if kind == "inner":
        both = {name: dynamic for name, dynamic in both.items() if name in mine and name in other.columns}
    reader.columns = both

    def run(rows: Rows, tables: Callable[[str], Rows]) -> Rows:
        for row in rows:
            yield {name: row.get(name) for name in both}
        for row in other.run(tables):
            yield {name: row.get(name) for name in both}

    return run


def _pair(reader: Reader, left: dict[str, bool], right: dict[str, bool]) -> tuple[str, str]:
    """`name`, or `$left.a == $right.b` in either order. A key that may be of any type is refused, as in Azure."""
    token = reader.next
    first = _side(reader)
    if first[0] == "":
        names = (first[1], first[1])
    else:
        reader.need("==")
        second = _side(reader)
        sides = dict((first, second))
        if sides.keys() != {"$left", "$right"}:
            raise Invalid(token, "$left and $right")
        names = (sides["$left"], sides["$right"])
    if names[0] not in left or names[1] not in right:
        raise Invalid(token, "columns of both sides")
    if left[names[0]] or right[names[1]]:
        raise Invalid(token, "keys with a type: use tostring() on both sides")
    return names


def _side(reader: Reader) -> tuple[str, str]:
    name = reader.name()
    if name not in {"$left", "$right"}:
        return "", name
    reader.need(".")
    return name, reader.name()


def _free(name: str, taken: dict[str, bool]) -> str:
    """The right side's column under a name that is free: `id1` beside `id`."""
    if name not in taken:
        return name
    return next(f"{name}{n}" for n in range(1, 1000) if f"{name}{n}" not in taken)


def _key(row: Row, names: list[str]) -> str:
    return text([row.get(name) for name in names])


def _unique(rows: Rows, names: list[str]) -> Rows:
    """One row for each key, as innerunique keeps of the left side."""
    return {_key(row, names): row for row in reversed(list(rows))}.values()
