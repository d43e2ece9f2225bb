"""Expressions: from tokens to a function of one row.

The reader knows which columns exist, so that a misspelt one is an error as in Azure and not a null, and whether the last
expression may be of any type, because grouping and joining by such a value is refused in Azure.
"""

import re
from collections.abc import Callable
from typing import Any

from simulator.arm.kql.functions import DYNAMIC, SCALARS
from simulator.arm.kql.lexer import Invalid, Token, unquoted
from simulator.arm.kql.literals import bracketed, dynamic
from simulator.arm.kql.moments import moment, span
from simulator.arm.kql.reader import Cursor
from simulator.arm.kql.values import OPERATORS, computed, text, within

Row = dict[str, Any]
Value = Callable[[Row], Any]
WORDS = {"true": True, "false": False, "null": None}
MEMBERS = {"in", "in~", "!in", "!in~"}
# Calls that keep the name of what they are called with, and how many arguments they have then.
CASTS = (
    "tostring",
    "tobool",
    "toboolean",
    "toint",
    "tolong",
    "todouble",
    "toreal",
    "todatetime",
    "totimespan",
    "toguid",
)
NAMED_AFTER = dict.fromkeys(CASTS, 1)
WORD_LISTS = {"has_any": any, "has_all": all}


class Reader(Cursor):
    """Reads expressions."""

    is_dynamic = False  # whether the expression just read may be of any type
    unnamed = 0  # columns of the operator being read that had no name
    path = ""  # the name that Kusto gives to the expression just read: `properties_sku_name`; '' when it has none

    def expression(self) -> Value:
        """`or` binds weakest."""
        left = self._conjunction()
        while self.takes("or"):
            left = self._sure(_either(left, self._conjunction()))
        return left

    def _sure(self, value: Value) -> Value:
        """An expression that has a type of its own."""
        self.is_dynamic, self.path = False, ""
        return value

    def _conjunction(self) -> Value:
        left = self._comparison()
        while self.takes("and"):
            left = self._sure(_both(left, self._comparison()))
        return left

    def _comparison(self) -> Value:
        left = self._sum()
        word = self.next.text.lower()
        if self.next.kind not in {"word", "mark"}:
            return left
        if word in OPERATORS:
            self.step()
            return self._sure(_compared(OPERATORS[word], left, self._sum()))
        if word in MEMBERS:
            self.step()
            return self._sure(_within(left, self._members(), folded="~" in word, negated="!" in word))
        if word in WORD_LISTS:
            self.step()
            return self._sure(_words(WORD_LISTS[word], left, self._members()))
        if word in {"between", "!between"}:
            self.step()
            return self._sure(self._between(left, negated=word.startswith("!")))
        if word == "matches":
            self.step()
            self.need("regex")
            return self._sure(self._matched(left))
        return left

    def _members(self) -> list[Value]:
        self.need("(")
        others = self.listed(self._sum)
        self.need(")")
        return others

    def _between(self, value: Value, *, negated: bool) -> Value:
        self.need("(")
        low = self._sum()
        self.need("..")
        high = self._sum()
        self.need(")")
        at_least, at_most = OPERATORS[">="], OPERATORS["<="]
        return lambda row: (at_least(value(row), low(row)) and at_most(value(row), high(row))) != negated

    def _matched(self, value: Value) -> Value:
        """RE2 in Azure; what Python's own syntax takes beyond it is not refused."""
        token = self.next
        pattern = self._sum()({})
        try:
            found = re.compile(text(pattern))
        except re.error:
            raise Invalid(token, "a regular expression") from None
        return lambda row: found.search(text(value(row))) is not None

    def _sum(self) -> Value:
        left = self._product()
        while self.next.text in {"+", "-"} and self.next.kind == "mark":
            left = self._sure(_computed(self.step().text, left, self._product()))
        return left

    def _product(self) -> Value:
        left = self._term()
        while self.next.text in {"*", "/", "%"} and self.next.kind == "mark":
            left = self._sure(_computed(self.step().text, left, self._term()))
        return left

    def _term(self) -> Value:
        value = self._primary()
        while True:
            if self.takes("."):
                name = self.name()
                value, self.is_dynamic, self.path = _member(value, name), True, f"{self.path}_{name}"
            elif self.takes("["):
                path, inner = self.path, self.next
                value = _element(value, self.expression())
                self.need("]")
                self.is_dynamic = True
                self.path = f"{path}_{unquoted(inner.text) if inner.kind == 'string' else inner.text}"
            else:
                return value

    def _primary(self) -> Value:
        token = self.step()
        self.is_dynamic, self.path = False, ""
        if token.kind == "string":
            return _constant(unquoted(token.text))
        if token.kind == "number":
            return _constant(float(token.text) if "." in token.text else int(token.text))
        if token.kind == "span":
            return _constant(span(token.text))
        if token.kind == "mark" and token.text == "-":
            return self._sure(_negative(self._term()))
        if token.kind == "mark" and token.text == "(":
            value = self.expression()
            self.need(")")
            return value
        if token.kind == "mark" and token.text == "[":
            return self._named(bracketed(self, token))
        if token.kind != "word":
            raise Invalid(token, "a value")
        if self.next.text == "(":
            return self._called(token)
        return self._named(token)

    def _named(self, token: Token) -> Value:
        if token.text in self.constants:
            return _constant(self.constants[token.text])
        if token.text in self.columns:
            self.is_dynamic, self.path = self.columns[token.text], token.text
            return _column(token.text)
        if token.text in WORDS:
            return _constant(WORDS[token.text])
        raise Invalid(token, "the name of a column")

    def _called(self, token: Token) -> Value:
        """A function, or a literal that looks like one: `datetime(...)`, `dynamic(...)`."""
        self.need("(")
        if token.text == "dynamic":
            return _constant(dynamic(self))
        if token.text == "datetime":
            return _constant(self._moment())
        arguments = [] if self.next.text == ")" and self.next.kind == "mark" else self.listed(self.expression)
        self.need(")")
        function, fewest, most = SCALARS.get(token.text, (None, 0, 0))
        if function is None or not fewest <= len(arguments) <= most:
            raise Invalid(token, "a function with its arguments")
        self.is_dynamic = token.text in DYNAMIC
        self.path = self.path if token.text in NAMED_AFTER and len(arguments) == NAMED_AFTER[token.text] else ""
        return _applied(function, arguments)

    def _moment(self) -> Any:
        """What stands in `datetime(...)`, quoted or not."""
        first, parts = self.next, []
        while not (self.next.kind == "end" or self.next.text == ")"):
            parts.append(self.step().text)
        self.need(")")
        found = moment("".join(parts).strip("\"'"))
        if found is None:
            raise Invalid(first, "a date and time")
        return found


def _constant(value: Any) -> Value:
    return lambda _row: value


def _negative(value: Value) -> Value:
    def negative(row: Row) -> Any:
        whole = value(row)
        return None if whole is None else -whole

    return negative


def _column(name: str) -> Value:
    return lambda row: row.get(name)


def _both(left: Value, right: Value) -> Value:
    return lambda row: bool(left(row)) and bool(right(row))


def _either(left: Value, right: Value) -> Value:
    return lambda row: bool(left(row)) or bool(right(row))


def _compared(operator: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    return lambda row: operator(left(row), right(row))


def _computed(sign: str, left: Value, right: Value) -> Value:
    return lambda row: computed(sign, left(row), right(row))


def _within(left: Value, others: list[Value], *, folded: bool, negated: bool) -> Value:
    return lambda row: within(left(row), [each(row) for each in others], folded=folded) != negated


def _words(how: Callable[[list[bool]], bool], left: Value, others: list[Value]) -> Value:
    has = OPERATORS["has"]
    return lambda row: how([has(left(row), each(row)) for each in others])


def _applied(function: Callable[..., Any], arguments: list[Value]) -> Value:
    return lambda row: function(*(each(row) for each in arguments))


def _member(value: Value, name: str) -> Value:
    """A property of an object; of anything else it is null."""

    def member(row: Row) -> Any:
        whole = value(row)
        return whole.get(name) if isinstance(whole, dict) else None

    return member


def _element(value: Value, index: Value) -> Value:
    """An element by number (from the end when negative) or by name."""

    def element(row: Row) -> Any:
        whole, where = value(row), index(row)
        if isinstance(whole, dict):
            return whole.get(str(where))
        if isinstance(whole, list) and isinstance(where, int) and -len(whole) <= where < len(whole):
            return whole[where]
        return None

    return element
