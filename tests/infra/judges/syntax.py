"""Reads template expressions: from `[concat('a', variables('b').c)]` to a tree of calls, members and literals.

The language: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.infra.judges.complaint import Fault

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\.\?|\[\?|[()\[\],.])|(?P<end>$))"
)


@dataclass(frozen=True)
class Literal:
    """A text in single quotes, or a whole number."""

    value: str | int


@dataclass(frozen=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Member:
    """What lies under a key: `a.b`, `a['b']`, `a[0]`; `a.?b` may be missing."""

    of: "Node"
    key: "Node"
    optional: bool


Node = Literal | Call | Member


def is_expression(text: str) -> bool:
    """Say whether Azure evaluates a text; `[[` escapes the bracket of one that it must leave alone."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def parse(text: str) -> Node:
    """Return the tree of an expression in its brackets. Raises Fault where the text is none."""
    reader = _Reader(list(_tokens(text[1:-1])))
    node = reader.expression()
    reader.expect("")
    return node


def calls(node: Node) -> Iterator[Call]:
    """Yield every call in a tree, outer ones first."""
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from calls(argument)
    elif isinstance(node, Member):
        yield from calls(node.of)
        yield from calls(node.key)


def shown(node: Node) -> str:
    """Return the text of a tree, as it would be written in a template without the outer brackets."""
    if isinstance(node, Literal):
        return str(node.value) if isinstance(node.value, int) else "'" + node.value.replace("'", "''") + "'"
    if isinstance(node, Call):
        return f"{node.name}({', '.join(map(shown, node.arguments))})"
    return f"{shown(node.of)}[{shown(node.key)}]"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise Fault(f"cannot read the expression from {text[at:]!r}")
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()
        if found.lastgroup == "end":
            return
    yield "end", ""


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += token[0] != "end"
        return token

    def _peek(self) -> str:
        kind, text = self._tokens[self._at]
        return text if kind == "mark" else ""

    def expect(self, mark: str) -> None:
        kind, text = self._next()
        if text != mark or kind not in {"mark", "end"}:
            raise Fault(f"unbalanced expression: {mark or 'its end'} expected, not {text or 'its end'}")

    def expression(self) -> Node:
        node = self._primary()
        while self._peek() in {".", ".?", "[", "[?"}:
            node = self._member(node)
        return node

    def _primary(self) -> Node:
        kind, text = self._next()
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(text))
        if kind == "name":
            return Call(text, self._arguments())
        raise Fault(f"unbalanced expression: a value expected, not {text or 'its end'}")

    def _arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        found: list[Node] = []
        while self._peek() != ")":
            if found:
                self.expect(",")
            found.append(self.expression())
        self.expect(")")
        return tuple(found)

    def _member(self, node: Node) -> Node:
        _, mark = self._next()
        optional = mark.endswith("?")
        if mark.startswith("["):
            key = self.expression()
            self.expect("]")
            return Member(node, key, optional)
        kind, name = self._next()
        if kind != "name":
            raise Fault(f"unbalanced expression: a property's name expected, not {name or 'its end'}")
        return Member(node, Literal(name), optional)
