"""From the text of a query to tokens, each with its place, because a refusal names it."""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
  | (?P<string>@"[^"]*"|@'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<span>\d+(?:\.\d+)?(?:days?|hours?|minutes?|seconds?|ms|d|h|m|s)\b)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>(?:project|mv)-[a-z]+\b|\$?[A-Za-z_][A-Za-z0-9_]*~?)
  | (?P<mark>==|=~|!=|!~|<=|>=|\.\.|![A-Za-z]+~?|[|=<>(),.;:{}\[\]+*/%-])
    """,
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
END = "<EOF>"


class Token(NamedTuple):
    """A piece of the text."""

    kind: str  # string | number | span | word | mark | end
    text: str
    line: int
    column: int


class Invalid(Exception):  # noqa: N818 - the query is, not this program
    """The text is no query that this part of the language knows."""

    def __init__(self, token: Token, expected: str) -> None:
        super().__init__(f"{token.text} at {token.line}:{token.column}, expected {expected}")
        self.token, self.expected = token, expected


class Disallowed(Exception):  # noqa: N818 - the query is too large for Resource Graph
    """A query of the language that Resource Graph does not run: too many joins, unions or expansions."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def tokens(text: str) -> list[Token]:
    """All tokens, with an end after the last."""
    found: list[Token] = []
    at, line, start = 0, 1, 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Invalid(Token("mark", text[at], line, at - start), "a token")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match.group(), line, at - start))
        breaks = match.group().count("\n")
        if breaks:
            line += breaks
            start = at + match.group().rindex("\n") + 1
        at = match.end()
    return [*found, Token("end", END, line, len(text) - start)]


def unquoted(literal: str) -> str:
    """The value of a string literal; @ takes backslashes as they are."""
    if literal.startswith("@"):
        return literal[2:-1]
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), literal[1:-1])
