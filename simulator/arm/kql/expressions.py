"""Expressions: from tokens to a function of one row.

The reader knows which columns exist, so that a misspelt one is an error as in Azure and not a null.
"""

from collections.abc import Callable
from typing import Any

from simulator.arm.kql.functions import SCALARS
from simulator.arm.kql.lexer import Invalid, Token, unquoted
from simulator.arm.kql.values import OPERATORS, within

Row = dict[str, Any]
Value = Callable[[Row], Any]
WORDS = {"true": True, "false": False, "null": None}


class Reader:
    """A place in the list of tokens, with what may follow."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self.columns: list[str] = []

    @property
    def next(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def step(self) -> Token:
        """Take it."""
        token = self.next
        self._at += token.kind != "end"
        return token

    def back(self) -> None:
        """Give the last token back."""
        self._at -= 1

    def last_name(self) -> str:
        """The name just read, which Kusto gives to a column without one; '' when it was no name."""
        token = self._tokens[self._at - 1]
        return token.text if token.kind == "word" else ""

    def takes(self, *texts: str) -> bool:
        """Take it if it is one of these."""
        if self.next.kind in {"word", "mark"} and self.next.text.lower() in texts:
            self.step()
            return True
        return False

    def need(self, wanted: str) -> Token:
        """Take it; it has to be this."""
        token = self.next
        if not self.takes(wanted):
            raise Invalid(token, wanted)
        return token

    def name(self) -> str:
        """Take a name."""
        token = self.step()
        if token.kind != "word" or token.text.endswith("~"):
            raise Invalid(token, "a name")
        return token.text

    def listed[T](self, read: Callable[[], T]) -> list[T]:
        """One or more, with commas between."""
        found = [read()]
        while self.takes(","):
            found.append(read())
        return found

    def expression(self) -> Value:
        """`or` binds weakest."""
        left = self._conjunction()
        while self.takes("or"):
            left = _either(left, self._conjunction())
        return left

    def _conjunction(self) -> Value:
        left = self._comparison()
        while self.takes("and"):
            left = _both(left, self._comparison())
        return left

    def _comparison(self) -> Value:
        left = self._term()
        word = self.next.text.lower()
        if self.next.kind == "string":
            return left
        if word in OPERATORS:
            self.step()
            return _compared(OPERATORS[word], left, self._term())
        if word in {"in", "in~", "!in", "!in~"}:
            self.step()
            self.need("(")
            others = self.listed(self._term)
            self.need(")")
            return _within(left, others, folded="~" in word, negated="!" in word)
        return left

    def _term(self) -> Value:
        value = self._primary()
        while True:
            if self.takes("."):
                value = _member(value, self.name())
            elif self.takes("["):
                value = _element(value, self.expression())
                self.need("]")
            else:
                return value

    def _primary(self) -> Value:
        token = self.step()
        if token.kind == "string":
            return _constant(unquoted(token.text))
        if token.kind == "number":
            return _constant(float(token.text) if "." in token.text else int(token.text))
        if token.text == "-" and self.next.kind == "number":
            return _constant(-int(float(self.step().text)))
        if token.text == "(":
            value = self.expression()
            self.need(")")
            return value
        if token.kind != "word":
            raise Invalid(token, "a value")
        if self.next.text == "(":
            return self._function(token)
        if token.text in WORDS:
            return _constant(WORDS[token.text])
        if token.text not in self.columns:
            raise Invalid(token, "the name of a column")
        return _column(token.text)

    def _function(self, token: Token) -> Value:
        self.need("(")
        arguments = [] if self.next.text == ")" else self.listed(self.expression)
        self.need(")")
        function, fewest, most = SCALARS.get(token.text, (None, 0, 0))
        if function is None or not fewest <= len(arguments) <= most:
            raise Invalid(token, "a function with its arguments")
        return _applied(function, arguments)


def _constant(value: Any) -> Value:
    return lambda _row: value


def _column(name: str) -> Value:
    return lambda row: row.get(name)


def _both(left: Value, right: Value) -> Value:
    return lambda row: bool(left(row)) and bool(right(row))


def _either(left: Value, right: Value) -> Value:
    return lambda row: bool(left(row)) or bool(right(row))


def _compared(operator: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    return lambda row: operator(left(row), right(row))


def _within(left: Value, others: list[Value], *, folded: bool, negated: bool) -> Value:
    return lambda row: within(left(row), [each(row) for each in others], folded=folded) != negated


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
