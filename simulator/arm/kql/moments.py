"""Times in queries: moments, spans and what is computed from them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.arm.kql.values import text

UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])[a-z]*")
CLOCK = re.compile(r"(-?)(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?")
PARTS = {"day": 86_400.0, "hour": 3600.0, "minute": 60.0, "second": 1.0}
EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def span(literal: str) -> timedelta:
    """`1d`, `2.5h`, `10ms` as the language writes them."""
    match = SPAN.fullmatch(literal)
    assert match is not None
    return timedelta(seconds=float(match[1]) * UNITS[match[2]])


def moment(value: Any) -> datetime | None:
    """todatetime(): null for what is none; without a zone it is UTC."""
    if isinstance(value, datetime):
        return value
    try:
        # Python keeps six digits of the fraction, Azure writes seven (clock.stamp).
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text(value).strip()))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lasting(value: Any) -> timedelta | None:
    """totimespan()."""
    if isinstance(value, timedelta):
        return value
    if SPAN.fullmatch(text(value)):
        return span(text(value))
    match = CLOCK.fullmatch(text(value))
    if match is None:
        return None
    seconds = int(match[2] or 0) * 86_400 + int(match[3]) * 3600 + int(match[4]) * 60 + int(match[5] or 0)
    return timedelta(seconds=-seconds if match[1] else seconds)


def binned(value: datetime, size: Any) -> datetime | None:
    """A moment rounded down to a multiple of a span."""
    if not isinstance(size, timedelta) or not size:
        return None
    return EPOCH + ((value - EPOCH) // size) * size


def _now(offset: Any = None) -> datetime:
    return datetime.now(UTC) + (offset if isinstance(offset, timedelta) else timedelta())


def _ago(back: Any) -> datetime | None:
    return datetime.now(UTC) - back if isinstance(back, timedelta) else None


def _difference(unit: Any, later: Any, earlier: Any) -> int | None:
    """datetime_diff(): how many boundaries of the unit lie between the two."""
    size = PARTS.get(text(unit).lower())
    if size is None or not isinstance(later, datetime) or not isinstance(earlier, datetime):
        return None
    step = timedelta(seconds=size)
    return (later - EPOCH) // step - (earlier - EPOCH) // step


def _added(unit: Any, count: Any, value: Any) -> datetime | None:
    size = PARTS.get(text(unit).lower())
    if size is None or not isinstance(value, datetime):
        return None
    return value + timedelta(seconds=size * float(count))


def _start_of_day(value: Any) -> datetime | None:
    return binned(value, timedelta(days=1)) if isinstance(value, datetime) else None


FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "todatetime": (moment, 1, 1),
    "totimespan": (lasting, 1, 1),
    "now": (_now, 0, 1),
    "ago": (_ago, 1, 1),
    "datetime_diff": (_difference, 3, 3),
    "datetime_add": (_added, 3, 3),
    "startofday": (_start_of_day, 1, 1),
}
