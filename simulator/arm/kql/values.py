"""How Kusto compares and converts values: text without case, terms, nulls that are neither equal nor smaller.

A null in a comparison gives false, and true for `!=` against something (Kusto null semantics).
"""

import json
import re
from collections.abc import Callable
from typing import Any


def text(value: Any) -> str:
    """tostring(): null is the empty text, an object its JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def equal(left: Any, right: Any) -> bool:
    """`==`: values of one type as they are, of two types as text."""
    if left is None or right is None:
        return False
    if isinstance(left, bool) != isinstance(right, bool) or isinstance(left, str) != isinstance(right, str):
        return text(left) == text(right)
    return bool(left == right)


def unequal(left: Any, right: Any) -> bool:
    """`!=`: true for a null against a value, not for two nulls."""
    if left is None and right is None:
        return False
    return not equal(left, right)


def _folded(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(text(left).lower(), text(right).lower())


def _has(whole: str, term: str) -> bool:
    """Whether the term stands in it as a whole word."""
    return re.search(rf"(?<![a-z0-9]){re.escape(term)}(?![a-z0-9])", whole) is not None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if isinstance(left, str) != isinstance(right, str):
            left, right = text(left), text(right)
        return compare(left, right)

    return ordered


def _negated(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not compare(left, right)


_same = _folded(lambda left, right: left == right)
_contains = _folded(lambda left, right: right in left)
_term = _folded(_has)
_starts = _folded(str.startswith)
_ends = _folded(str.endswith)

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": unequal,
    "=~": _same,
    "!~": _negated(_same),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "contains": _contains,
    "!contains": _negated(_contains),
    "has": _term,
    "!has": _negated(_term),
    "startswith": _starts,
    "!startswith": _negated(_starts),
    "endswith": _ends,
    "!endswith": _negated(_ends),
}


def within(value: Any, others: list[Any], *, folded: bool) -> bool:
    """`in` and `in~`."""
    if folded:
        return text(value).lower() in {text(each).lower() for each in others}
    return any(equal(value, each) for each in others)


def order_key(value: Any) -> tuple[int, float, str]:
    """Sorts anything with anything: nulls first, then booleans and numbers, then text."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, (bool, int, float)):
        return (1, float(value), "")
    return (2, 0.0, text(value))
