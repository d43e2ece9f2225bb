"""Literals of more than one token: `['a name']` and `dynamic({...})`."""

from typing import Any

from simulator.arm.kql.lexer import Invalid, Token, unquoted
from simulator.arm.kql.reader import Cursor

WORDS = {"true": True, "false": False, "null": None}


def bracketed(reader: Cursor, opening: Token) -> Token:
    """A quoted name, the bracket already taken."""
    inner = reader.step()
    if inner.kind != "string":
        raise Invalid(opening, "a value")
    reader.need("]")
    return Token("word", unquoted(inner.text), inner.line, inner.column)


def dynamic(reader: Cursor) -> Any:
    """What stands in `dynamic(...)`, the parenthesis already taken."""
    value = _json(reader)
    reader.need(")")
    return value


def _json(reader: Cursor) -> Any:
    token = reader.step()
    if token.kind == "string":
        return unquoted(token.text)
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.kind == "word" and token.text in WORDS:
        return WORDS[token.text]
    if token.text == "-":
        return -_json(reader)
    if token.text == "[":
        return _array(reader)
    if token.text == "{":
        return _object(reader)
    raise Invalid(token, "a JSON value")


def _array(reader: Cursor) -> list[Any]:
    if reader.takes("]"):
        return []
    found = reader.listed(lambda: _json(reader))
    reader.need("]")
    return found


def _object(reader: Cursor) -> dict[str, Any]:
    if reader.takes("}"):
        return {}

    def pair() -> tuple[str, Any]:
        token = reader.step()
        if token.kind != "string":
            raise Invalid(token, "a name in quotes")
        reader.need(":")
        return unquoted(token.text), _json(reader)

    found = dict(reader.listed(pair))
    reader.need("}")
    return found
