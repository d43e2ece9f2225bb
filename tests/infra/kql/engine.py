"""Runs a query over rows. Expressions, aggregates and plain operators are those of the simulator's Resource Graph.

What Log Analytics has besides is here: several `let`, `union isfuzzy=true`, `join kind=leftsemi|leftanti`, `parse-kv` and
`column_ifexists`. Anything else is refused (`Invalid`), never guessed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.arm.kql.expressions import Reader, Row, Value
from simulator.arm.kql.lexer import Invalid, Token, tokens, unquoted
from simulator.arm.kql.operators import OPERATORS
from tests.infra.kql.tables import TABLES

type Rows = Iterable[Row]
type Logs = Mapping[str, list[Row]]
type Step = Callable[[Rows, Logs], Rows]
type Known = dict[str, bool]  # column -> whether it may hold anything

PARSED = {"pair_delimiter": " ", "kv_delimiter": "=", "quote": '"', "escape": "\\"}
PAIR = re.compile(r' *([^ =]+)=(?:"((?:[^"\\]|\\.)*)"|([^ ]*))(?= |$)')


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Where rows come from, and what becomes of them."""

    source: Callable[[Logs], Rows]
    steps: tuple[Step, ...]
    columns: Known

    def run(self, logs: Logs) -> list[Row]:
        """Return the rows that come out."""
        rows = self.source(logs)
        for step in self.steps:
            rows = step(rows, logs)
        return list(rows)


def run(query: str, logs: Logs) -> list[Row]:
    """Return what a query finds. Raises Invalid for what is no query, or none that we understand."""
    return _Compiler(query).query().run(logs)


def columns(query: str) -> tuple[str, ...]:
    """Return the columns of what a query finds."""
    return tuple(_Compiler(query).query().columns)


class _Reader(Reader):
    """Reads `column_ifexists` as well."""

    def _called(self, token: Token) -> Value:
        if token.text != "column_ifexists":
            return super()._called(token)
        self.need("(")
        name = unquoted(self.step().text)
        self.need(",")
        otherwise = self.expression()
        self.need(")")
        self.is_dynamic, self.path = self.columns.get(name, False), ""
        return (lambda row: row.get(name)) if name in self.columns else otherwise


class _Compiler:
    def __init__(self, text: str) -> None:
        self._reader = _Reader(tokens(text))
        self._named: dict[str, Pipeline] = {}

    def query(self) -> Pipeline:
        while self._reader.takes("let"):
            name = self._reader.name()
            self._reader.need("=")
            if self._opens_rows():
                self._named[name] = self._pipeline()
            else:
                self._reader.columns = {}
                self._reader.constants[name] = self._reader.expression()({})
            self._reader.need(";")
        whole = self._pipeline()
        if self._reader.next.kind != "end":
            raise Invalid(self._reader.next, "the end")
        return whole

    def _opens_rows(self) -> bool:
        token = self._reader.next
        return token.text in {"union", *TABLES, *self._named}

    def _pipeline(self) -> Pipeline:
        source, columns = self._source()
        self._reader.columns = dict(columns)
        steps = list[Step]()
        while self._reader.takes("|"):
            steps.append(self._operator())
        return Pipeline(source, tuple(steps), dict(self._reader.columns))

    def _source(self) -> tuple[Callable[[Logs], Rows], Known]:
        token = self._reader.step()
        if token.text == "union":
            return self._union()
        if token.text in self._named:
            named = self._named[token.text]
            return named.run, named.columns
        if token.text in TABLES:
            columns = {name: kind == "dynamic" for name, kind in TABLES[token.text].items()}
            return (lambda logs: [{**dict.fromkeys(columns), **row} for row in logs.get(token.text, [])]), columns
        raise Invalid(token, "a table")

    def _union(self) -> tuple[Callable[[Logs], Rows], Known]:
        """Legs with the same columns; one whose table is not there yet has no rows."""
        for word in ("isfuzzy", "=", "true"):
            self._reader.need(word)
        legs = self._reader.listed(self._leg)
        if any(set(leg.columns) != set(legs[0].columns) for leg in legs):
            raise Invalid(self._reader.next, "legs with the same columns")
        return (lambda logs: [row for leg in legs for row in leg.run(logs)]), legs[0].columns

    def _leg(self) -> Pipeline:
        mine = self._reader.columns
        if self._reader.takes("("):
            leg = self._pipeline()
            self._reader.need(")")
        else:
            source, columns = self._source()
            leg = Pipeline(source, (), columns)
        self._reader.columns = mine
        return leg

    def _operator(self) -> Step:
        token = self._reader.step()
        if token.text == "join":
            return self._join()
        if token.text == "parse":
            return self._parse()
        if token.text not in OPERATORS:
            raise Invalid(token, "an operator")
        plain = OPERATORS[token.text](self._reader)
        return lambda rows, _logs: plain(rows)

    def _join(self) -> Step:
        """A row stays, or goes, where the other side has one with the same keys."""
        self._reader.need("kind")
        self._reader.need("=")
        token = self._reader.step()
        if token.text not in {"leftsemi", "leftanti"}:
            raise Invalid(token, "leftsemi or leftanti")
        leg = self._leg()
        self._reader.need("on")
        names = self._reader.listed(self._reader.name)
        if not set(names) <= set(leg.columns) & set(self._reader.columns):
            raise Invalid(token, "keys that both sides have")

        def joined(rows: Rows, logs: Logs) -> Rows:
            met = {tuple(row[name] for name in names) for row in leg.run(logs)}
            return (row for row in rows if (tuple(row[name] for name in names) in met) == (token.text == "leftsemi"))

        return joined

    def _parse(self) -> Step:
        """`parse-kv Column as (key: string, ...) with (...)`, with the delimiters that our own log lines have."""
        for word in ("-", "kv"):
            self._reader.need(word)
        source = self._reader.name()
        for word in ("as", "("):
            self._reader.need(word)
        keys = self._reader.listed(self._typed)
        for word in (")", "with", "("):
            self._reader.need(word)
        if dict(self._reader.listed(self._option)) != PARSED:
            raise Invalid(self._reader.next, f"the delimiters {PARSED}")
        self._reader.need(")")
        self._reader.columns |= dict.fromkeys(keys, False)
        return lambda rows, _logs: ({**row, **_pairs(str(row[source]), keys)} for row in rows)

    def _typed(self) -> str:
        name = self._reader.name()
        self._reader.need(":")
        self._reader.need("string")
        return name

    def _option(self) -> tuple[str, str]:
        name = self._reader.name()
        self._reader.need("=")
        return name, unquoted(self._reader.step().text)


def _pairs(text: str, keys: list[str]) -> dict[str, Any]:
    """Return the values of the keys; the first of a name counts, one that is not there is ''. Escapes stay as they are."""
    found = dict[str, str]()
    for match in PAIR.finditer(text):
        found.setdefault(match[1], match[2] if match[2] is not None else match[3])
    return {key: found.get(key, "") for key in keys}
