"""The pipeline of a query: `let`, a table, then operators, each from rows to rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from simulator.arm.kql.expressions import Reader, Row
from simulator.arm.kql.joins import Counted, Leg, join, union
from simulator.arm.kql.lexer import Invalid, Token, tokens
from simulator.arm.kql.operators import OPERATORS, Plain
from simulator.arm.kql.values import shown

Rows = Iterable[Row]
Lookup = Callable[[str], Rows]  # a table's rows
Step = Callable[[Rows, Lookup], Rows]
STREAMS = {"join": join, "union": union}
EXPANSIONS = {"mv-expand", "mvexpand"}


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: which table it reads, what it makes of the rows, and the columns that come out."""

    table: str
    steps: tuple[Step, ...]
    columns: tuple[str, ...]

    def run(self, rows: Rows | Lookup) -> list[Row]:
        """All resulting rows. Given rows are those of the one table; a query that joins needs a lookup."""
        return [{name: shown(value) for name, value in row.items()} for row in self.raw(rows)]

    def raw(self, rows: Rows | Lookup) -> list[Row]:
        """The same, with times as values still."""
        lookup: Lookup = rows if callable(rows) else (lambda _table: rows)
        stream: Rows = lookup(self.table)
        for step in self.steps:
            stream = step(stream, lookup)
        return list(stream)


def compile_query(source: str, tables: Mapping[str, tuple[str, ...]]) -> Query:
    """Compile a text. The first table is read when the text names none (recorded: the query `project id`)."""
    return _Compiler(tokens(source), tables).query()


@dataclass(frozen=True, slots=True)
class _Named:
    """A pipeline that `let` has named."""

    query: Query
    columns: dict[str, bool]


class _Compiler:
    def __init__(self, found: list[Token], tables: Mapping[str, tuple[str, ...]]) -> None:
        self._reader = Reader(found)
        self._tables = tables
        self._named: dict[str, _Named] = {}
        self._counted = Counted()

    def query(self) -> Query:
        """The whole text."""
        reader = self._reader
        while reader.takes("let"):
            self._let()
        query = self._pipeline("", opens=True)
        reader.takes(";")
        if reader.next.kind != "end":
            raise Invalid(reader.next, "|")
        return query

    def _let(self) -> None:
        reader = self._reader
        name = reader.name()
        reader.need("=")
        if reader.next.kind == "word" and reader.next.text.lower() in {*self._tables, *self._named}:
            query = self._pipeline(";", opens=False)
            self._named[name.lower()] = _Named(query, dict(reader.columns))
        else:
            reader.columns = {}
            reader.constants[name] = reader.expression()({})
        reader.need(";")

    def _pipeline(self, closing: str, *, opens: bool) -> Query:
        """A table and its operators, up to the end or a closing mark that is left in place."""
        table, steps = self._source(opens)
        while not self._is_over(closing):
            steps.append(self._operator())
            if not self._is_over(closing):
                self._reader.need("|")
                if self._reader.next.kind == "end":
                    raise Invalid(self._reader.next, "an operator")
        return Query(table, tuple(steps), tuple(self._reader.columns))

    def _is_over(self, closing: str) -> bool:
        token = self._reader.next
        return token.kind == "end" or (token.kind == "mark" and token.text in {closing, ";"})

    def _source(self, opens: bool) -> tuple[str, list[Step]]:
        """Where the rows come from; only the outermost pipeline may leave it out."""
        reader, first = self._reader, self._reader.next
        name = first.text.lower() if first.kind == "word" else ""
        if name in self._named:
            reader.step()
            named = self._named[name]
            reader.columns = dict(named.columns)
            self._bar()
            return named.query.table, list(named.query.steps)
        if name in self._tables:
            reader.step()
            reader.know(self._tables[name])
            self._bar()
            return name, []
        if not opens or not (name in OPERATORS or name in STREAMS):
            raise Invalid(first, "a table or an operator")
        table = next(iter(self._tables))
        reader.know(self._tables[table])
        return table, []

    def _bar(self) -> None:
        """After a table comes a bar with something behind it, or the end of the pipeline."""
        token = self._reader.next
        if token.kind == "end" or token.text in {";", ")", "on", ","}:
            return
        self._reader.need("|")
        if self._reader.next.kind == "end":
            raise Invalid(self._reader.next, "an operator")

    def _operator(self) -> Step:
        reader, token = self._reader, self._reader.step()
        name = token.text.lower()
        if name in STREAMS:
            self._counted.another(name)
            return STREAMS[name](reader, lambda: self._leg(name))
        operator = OPERATORS.get(name)
        if operator is None:
            raise Invalid(token, "an operator")
        if name in EXPANSIONS:
            self._counted.another("mv-expand")
        return _plain(operator(reader))

    def _leg(self, operator: str) -> Leg:
        """The right side of a join or a union: a table, or a pipeline in parentheses."""
        reader, mine = self._reader, self._reader.columns
        if reader.takes("("):
            query = self._pipeline(")", opens=False)
            reader.need(")")
        else:
            table, steps = self._bare()
            query = Query(table, tuple(steps), tuple(reader.columns))
        columns, reader.columns = reader.columns, mine
        if operator == "join":
            self._counted.right(query.table)
        return Leg(query.table, columns, query.raw)

    def _bare(self) -> tuple[str, list[Step]]:
        """A table without parentheses: what follows belongs to the operator around it."""
        token = self._reader.step()
        name = token.text.lower()
        if name in self._named:
            self._reader.columns = dict(self._named[name].columns)
            return self._named[name].query.table, list(self._named[name].query.steps)
        if name not in self._tables:
            raise Invalid(token, "a table")
        self._reader.know(self._tables[name])
        return name, []


def _plain(operator: Plain) -> Step:
    return lambda rows, _lookup: operator(rows)
