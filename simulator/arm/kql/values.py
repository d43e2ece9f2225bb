"""How Kusto compares and converts values: text without case, terms, nulls that are neither equal nor smaller.

A null in a comparison gives false, and true for `!=` against something (Kusto null semantics). Moments are `datetime`,
spans `timedelta`; comparing one with text is refused, as in Kusto, rather than guessed.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.arm.kql.lexer import Invalid, Token

TIMES = (datetime, timedelta)


def text(value: Any) -> str:
    """tostring(): null is the empty text, an object its JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=text)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond:06d}0Z"
    return _span(value) if isinstance(value, timedelta) else str(value)


def _span(value: timedelta) -> str:
    """A span as Kusto writes it: [-][d.]hh:mm:ss[.fffffff]."""
    sign, whole = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(whole.seconds, 3600)
    days = f"{whole.days}." if whole.days else ""
    fraction = f".{whole.microseconds:06d}0" if whole.microseconds else ""
    return f"{sign}{days}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}"


def shown(value: Any) -> Any:
    """A value as JSON carries it."""
    return text(value) if isinstance(value, TIMES) else value


def _comparable(left: Any, right: Any) -> None:
    if isinstance(left, TIMES) != isinstance(right, TIMES):
        raise Invalid(Token("word", text(left), 1, 0), "values of one type; use todatetime()")


def equal(left: Any, right: Any) -> bool:
    """`==`: values of one type as they are, of two types as text."""
    if left is None or right is None:
        return False
    _comparable(left, right)
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


def _cased(compare: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: compare(text(left), text(right))


def _has(whole: str, term: str) -> bool:
    """Whether the term stands in it as a whole word."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(term)}(?![A-Za-z0-9])", whole) is not None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        _comparable(left, right)
        if isinstance(left, str) != isinstance(right, str):
            left, right = text(left), text(right)
        return compare(left, right)

    return ordered


def _negated(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not compare(left, right)


def _within_text(whole: str, part: str) -> bool:
    return part in whole


_same = _folded(lambda left, right: left == right)
_contains = _folded(_within_text)
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
    "contains_cs": _cased(_within_text),
    "has": _term,
    "!has": _negated(_term),
    "has_cs": _cased(_has),
    "startswith": _starts,
    "!startswith": _negated(_starts),
    "startswith_cs": _cased(str.startswith),
    "endswith": _ends,
    "!endswith": _negated(_ends),
    "endswith_cs": _cased(str.endswith),
}


def within(value: Any, others: list[Any], *, folded: bool) -> bool:
    """`in` and `in~`; a list among the others stands for its members."""
    flat = [member for each in others for member in (each if isinstance(each, list) else [each])]
    if folded:
        return text(value).lower() in {text(each).lower() for each in flat}
    return any(equal(value, each) for each in flat)


def order_key(value: Any) -> tuple[int, float, str]:
    """Sorts anything with anything: nulls first, then booleans and numbers, then times, then text."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, (bool, int, float)):
        return (1, float(value), "")
    if isinstance(value, datetime):
        return (2, value.timestamp(), "")
    if isinstance(value, timedelta):
        return (2, value.total_seconds(), "")
    return (3, 0.0, text(value))


def computed(sign: str, left: Any, right: Any) -> Any:
    """Arithmetic; null where a side is null or no number, whole numbers stay whole."""
    if isinstance(left, TIMES) or isinstance(right, TIMES):
        return _with_times(sign, left, right)
    if not _number(left) or not _number(right):
        return None
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right == 0:
        return None
    whole = isinstance(left, int) and isinstance(right, int)
    if sign == "/":
        return int(left / right) if whole else left / right
    return left % right


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _with_times(sign: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        return left / right
    except TypeError:
        raise Invalid(Token("mark", sign, 1, 0), "values that go together") from None
