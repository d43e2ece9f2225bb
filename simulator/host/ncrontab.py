"""Schedules of timers: six fields, seconds first, as Azure Functions reads them; or a constant interval.

Unlike cron, day-of-month AND day-of-week must both match. UTC only. Pure: whoever asks brings the time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FULL_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
FULL_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold."""

    name: str
    low: int
    high: int
    names: dict[str, int]


def _names(first: int, *lists: tuple[str, ...]) -> dict[str, int]:
    return {name: number for names in lists for number, name in enumerate(names, first)}


FIELDS = (
    Field("second", 0, 59, {}),
    Field("minute", 0, 59, {}),
    Field("hour", 0, 23, {}),
    Field("day", 1, 31, {}),
    Field("month", 1, 12, _names(1, MONTHS, FULL_MONTHS)),
    Field("day of week", 0, 6, _names(0, DAYS, FULL_DAYS)),
)
LONGEST = 41 * 366  # days: 29 February comes to each day of the week within forty years


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants at which a timer fires."""

    fields: tuple[frozenset[int], ...] = ()
    every: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read an expression; raise ValueError when the host would refuse it."""
        span = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):([0-5]?\d):([0-5]?\d)", text.strip())
        if span is not None:
            days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
            every = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            if not every or hours > 23:
                raise ValueError(f"'{text}' is not a valid interval")
            return cls(every=every)
        parts = text.split()
        if len(parts) == 5:  # the host takes cron's five fields too and puts second 0 before them
            parts.insert(0, "0")
        if len(parts) != 6:
            raise ValueError(f"'{text}' has {len(parts)} fields; a schedule has six, seconds first")
        fields = tuple(_field(part, field) for part, field in zip(parts, FIELDS, strict=True))
        schedule = cls(fields)
        if schedule._none_ever():
            raise ValueError(f"'{text}' never occurs")
        return schedule

    def after(self, moment: datetime) -> datetime:
        """Tell the first occurrence after a moment."""
        if self.every is not None:
            return moment + self.every
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        seconds, minutes, hours, days, months, weekdays = self.fields
        day = start.replace(hour=0, minute=0, second=0)
        for _ in range(LONGEST):
            if day.month in months and day.day in days and day.isoweekday() % 7 in weekdays:
                floor = (start.hour, start.minute, start.second) if day.date() == start.date() else (0, 0, 0)
                clock = _first(floor, hours, minutes, seconds)
                if clock is not None:
                    return day.replace(hour=clock[0], minute=clock[1], second=clock[2])
            day += timedelta(days=1)
        raise ValueError("no occurrence within forty years")

    def _none_ever(self) -> bool:
        _, _, _, days, months, _ = self.fields
        lengths = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        return min(days) > max(lengths[month - 1] for month in months)


def _first(
    floor: tuple[int, int, int], hours: frozenset[int], minutes: frozenset[int], seconds: frozenset[int]
) -> tuple[int, int, int] | None:
    for hour in sorted(one for one in hours if one >= floor[0]):
        for minute in sorted(one for one in minutes if hour > floor[0] or one >= floor[1]):
            low = floor[2] if (hour, minute) == floor[:2] else 0
            second = min((one for one in seconds if one >= low), default=None)
            if second is not None:
                return hour, minute, second
    return None


def _field(text: str, field: Field) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and (not step.isascii() or not step.isdigit() or int(step) == 0):
            raise ValueError(f"'{part}' is not a valid step in the {field.name} field")
        values.update(range(*_span(span, field, bool(slash)), int(step) if slash else 1))
    return frozenset(values)


def _span(text: str, field: Field, stepped: bool) -> tuple[int, int]:
    """Tell the first value and the one behind the last: *, a, a-b; a/n runs to the end of the field."""
    if text == "*":
        return field.low, field.high + 1
    first, dash, last = text.partition("-")
    low = _value(first, field)
    high = _value(last, field) if dash else (field.high if stepped else low)
    if high < low:
        low, high = high, low  # NCrontab swaps the ends of a range that runs backwards
    return low, high + 1


def _value(text: str, field: Field) -> int:
    value = int(text) if text.isascii() and text.isdigit() else field.names.get(text.lower(), -1)
    if not field.low <= value <= field.high:
        raise ValueError(f"'{text}' is not a valid value of the {field.name} field ({field.low}-{field.high})")
    return value
