"""The metric of calls: the sum of exactly the days that were asked for, or a refusal; shapes as Azure has them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.errors import BadInput
from shared.core.parse.hits import hits
from tests.vaults import metric

SINCE = datetime(2026, 10, 25, tzinfo=UTC)
POINT = [{"timeStamp": "2026-10-25T00:00:00Z", "count": 1}]


def _days(*counts: float | None) -> dict[str, Any]:
    return metric([(SINCE + timedelta(days=n), count) for n, count in enumerate(counts)])


def _series(*points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": {"value": "ServiceApiHit"},
        "timeseries": [{"metadatavalues": [], "data": list(it)} for it in points],
    }


def test_days_are_summed() -> None:
    """Azure writes a count as 3 or 3.0, and leaves it out on a day without one; other metrics in the answer are not it."""
    other = {"name": {"value": "Availability"}, "timeseries": [{"data": POINT}]}

    assert hits([other, _days(3, None, 4.0)], SINCE, 3) == 7
    assert hits([_days(0, 0)], SINCE, 2) == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([], "NoSuchMetric"),
        ([_series()], "NoSuchMetric"),
        ([_series(POINT, POINT)], "NoSuchMetric"),
        ([_days(1, 1)], "OtherDays"),
        ([_series([{"timeStamp": "2026-10-24T00:00:00Z", "count": 1}])], "OtherDays"),
        ([_series([*POINT, {"timeStamp": "2026-10-25T12:00:00Z", "count": 1}])], "OtherDays"),
        ([_days(None)], "NothingCounted"),
        ([_days(-1)], "BadArmAnswer"),
        ([_days(1.5)], "BadArmAnswer"),
        ([_days(float("inf"))], "BadArmAnswer"),
        ([_series([{"timeStamp": "2026-10-25T00:00:00Z", "count": "1"}])], "BadArmAnswer"),
        ([_series([{"timeStamp": "2026-10-25T00:00:00Z", "count": True}])], "BadArmAnswer"),
        ([_series([{"timeStamp": "yesterday", "count": 1}])], "BadArmAnswer"),
        ([{"name": {"value": "ServiceApiHit"}, "timeseries": {"data": POINT}}], "BadArmAnswer"),
    ],
)
def test_anything_else_is_no_count(answer: list[dict[str, Any]], reason: str) -> None:
    """No series or two, other days than those, nothing counted at all, no whole number: nobody knows then."""
    with pytest.raises(BadInput) as caught:
        hits(answer, SINCE, 1)

    assert caught.value.reason == reason
