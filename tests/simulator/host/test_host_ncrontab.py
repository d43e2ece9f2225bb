"""Schedules: what they mean and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.host.ncrontab import Schedule

START = "2024-02-27T10:15:30"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2024-02-27T10:15:31"),
        ("30 15 10 * * *", "2024-02-28T10:15:30"),
        ("31 15 10 * * *", "2024-02-27T10:15:31"),
        ("0 0 2 * * *", "2024-02-28T02:00:00"),
        ("0 */5 * * * *", "2024-02-27T10:20:00"),
        ("0 3/20 * * * *", "2024-02-27T10:23:00"),
        ("0 0 8-17/3 * * *", "2024-02-27T11:00:00"),
        ("0 0,30 9 * * *", "2024-02-28T09:00:00"),
        ("0 0 0 29 2 *", "2024-02-29T00:00:00"),
        ("0 0 0 29 2 mon", "2044-02-29T00:00:00"),
        ("0 0 0 31 * *", "2024-03-31T00:00:00"),
        ("0 0 0 13 * fri", "2024-09-13T00:00:00"),
        ("0 0 0 * * Mon-Fri", "2024-02-28T00:00:00"),
        ("0 0 0 * * sunday", "2024-03-03T00:00:00"),
        ("0 0 0 * * 0,6", "2024-03-02T00:00:00"),
        ("0 0 0 1 jan *", "2025-01-01T00:00:00"),
        ("59 59 23 31 December *", "2024-12-31T23:59:59"),
        ("0 0 22-3 * * *", "2024-02-27T11:00:00"),
        ("*/5 * * * *", "2024-02-27T10:20:00"),
        ("00:00:45", "2024-02-27T10:16:15"),
        ("1.00:00:00", "2024-02-28T10:15:30"),
    ],
)
def test_after(text: str, expected: str) -> None:
    """The next occurrence after a moment, never the moment itself."""
    start = datetime.fromisoformat(START).replace(tzinfo=UTC)

    assert Schedule.parse(text).after(start).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "* * * *", "* * * * * * *", "60 * * * * *", "* 60 * * * *", "* * 24 * * *"),
        *("* * * 0 * *", "* * * 32 * *", "* * * * 13 *", "* * * * 0 *", "* * * * * 7", "* * * * * mun"),
        *("*/0 * * * * *", "*/x * * * * *", "1- * * * * *", ", * * * * *", "-1 * * * * *", "0 0 0 30 2 *"),
        *("0 0 0 L * *", "0 0 0 ? * *", "\u0665 * * * * *", "00:00:00", "25:00:00", "@daily"),
    ],
)
def test_refused(text: str) -> None:
    """What the host cannot read is refused, not guessed at."""
    with pytest.raises(ValueError, match=r"valid|fields|never"):
        Schedule.parse(text)


@pytest.mark.parametrize("text", ["*/7 3-50/4 * * * *", "5,10 1/9 8-18 27,28 * tue", "0 0 */6 * 2,3 1-4"])
def test_against_counting(text: str) -> None:
    """Stepping second by second finds the same occurrences."""
    schedule = Schedule.parse(text)
    now = datetime.fromisoformat(START).replace(tzinfo=UTC)
    for _ in range(5):
        expected = now + timedelta(seconds=1)
        while not matches(schedule, expected):
            expected += timedelta(seconds=1)
        now = schedule.after(now)

        assert now == expected


def matches(schedule: Schedule, moment: datetime) -> bool:
    """Tell whether a moment is an occurrence: day of month and day of week must both match."""
    seconds, minutes, hours, days, months, weekdays = schedule.fields
    return (
        moment.second in seconds
        and moment.minute in minutes
        and moment.hour in hours
        and moment.day in days
        and moment.month in months
        and (moment.weekday() + 1) % 7 in weekdays
    )
