"""The expressions of Azure Policy, `[concat('a', parameters('b'))]`: parsed and worked out.

Only the functions that our definitions and the built-ins about Databricks, Key Vault and diagnostics use; any other name
raises Unknown, so that nothing is judged by a rule that was not understood.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

_TOKENS = re.compile(r"\s*(?:'((?:[^']|'')*)'|(-?\d+)|([A-Za-z][A-Za-z0-9_]*)|([()\[\],.]))")
_LITERALS = {"true": True, "false": False, "null": None}


class UnknownWordError(Exception):
    """The rule uses something that this engine does not know, so it says nothing rather than something wrong."""


def is_expression(value: object) -> bool:
    """Whether a text is worked out: it stands in brackets, and the first is not doubled."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def work_out(text: str, own: Mapping[str, Callable[..., Any]]) -> Any:
    """Return the value of an expression. `own`: functions that ask the evaluation, by name in lower case."""
    tokens = _tokens(text[1:-1])
    value, rest = _value(tokens, own)
    if rest:
        raise UnknownWordError(f"{text}: what is {rest[0]}?")
    return value


type _Token = tuple[str, Any]


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKENS.match(text, at)
        if match is None:
            raise UnknownWordError(f"cannot read {text[at:]!r}")
        word, number, name, sign = match.groups()
        if word is not None:
            found.append(("value", word.replace("''", "'")))
        elif number is not None:
            found.append(("value", int(number)))
        else:
            found.append(("name", name) if name else ("sign", sign))
        at = match.end()
    return found


def _value(tokens: list[_Token], own: Mapping[str, Callable[..., Any]]) -> tuple[Any, list[_Token]]:
    (kind, it), *rest = tokens
    if kind == "name" and it.lower() in _LITERALS and rest[:1] != [("sign", "(")]:
        value: Any = _LITERALS[it.lower()]
    elif kind == "name":
        value, rest = _call(it, rest, own)
    elif kind == "value":
        value = it
    else:
        raise UnknownWordError(f"a value was expected, not {it}")
    return _inside(value, rest, own)


def _inside(value: Any, rest: list[_Token], own: Mapping[str, Callable[..., Any]]) -> tuple[Any, list[_Token]]:
    """Follow `.name` and `[index]`."""
    while rest and rest[0] in {("sign", "."), ("sign", "[")}:
        if rest[0] == ("sign", "."):
            value, rest = value[rest[1][1]], rest[2:]
        else:
            index, rest = _value(rest[1:], own)
            value, rest = value[index], rest[1:]
    return value, rest


def _call(name: str, rest: list[_Token], own: Mapping[str, Callable[..., Any]]) -> tuple[Any, list[_Token]]:
    if rest[:1] != [("sign", "(")]:
        raise UnknownWordError(f"{name} is no function")
    lazy = name.lower() == "if"  # Azure works out only the branch that is taken
    arguments: list[Any] = []
    rest = rest[1:]
    while rest[0] != ("sign", ")"):
        if lazy and arguments and len(arguments) == (2 if arguments[0] else 1):
            taken, after = _skipped(rest)
        else:
            taken, after = _value(rest, own)
        arguments.append(taken)
        rest = after[1:] if after[0] == ("sign", ",") else after
    found = own.get(name.lower()) or FUNCTIONS.get(name.lower())
    if found is None:
        raise UnknownWordError(f"the function {name} is not known")
    return found(*arguments), rest[1:]


def _skipped(tokens: list[_Token]) -> tuple[None, list[_Token]]:
    depth = 0
    for at, token in enumerate(tokens):
        if depth == 0 and token in {("sign", ","), ("sign", ")")}:
            return None, tokens[at:]
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token[1], 0) if token[0] == "sign" else 0
    raise UnknownWordError("an argument has no end")


def moment(text: str) -> datetime:
    """Return the time that a text names. Raises ValueError where it names none."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _add_days(text: str, days: int) -> str:
    return (moment(text) + timedelta(days=days)).isoformat()


def _in_range(outer: str, inner: str) -> bool:
    a, b = ip_network(outer, strict=False), ip_network(inner, strict=False)
    begins, ends = int(a.network_address), int(a.broadcast_address)
    return a.version == b.version and begins <= int(b.network_address) and int(b.broadcast_address) <= ends


def _concat(*parts: Any) -> Any:
    return [it for part in parts for it in part] if isinstance(parts[0], list) else "".join(map(str, parts))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "adddays": _add_days,
    "concat": _concat,
    "empty": lambda it: not it,
    "equals": lambda a, b: a == b,
    "first": lambda it: it[0] if it else "",
    "greaterorequals": lambda a, b: a >= b,
    "if": lambda which, yes, no: yes if which else no,
    "iprangecontains": _in_range,
    "length": len,
    "padleft": lambda it, width, fill=" ": str(it).rjust(width, fill),
    "split": lambda text, by: text.split(by),
    "string": str,
    "trim": str.strip,
}
