"""The metric ServiceApiHit of a vault, a point a day -> how often it was called. Shapes: AZURE 8.3, the examples of the spec.

A day on which nothing was counted comes as a point without a count (as recorded of other metrics). Where no day has one,
nobody can say whether nobody called or nothing is counted.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.core.errors import BadInput
from shared.core.parse import wire
from shared.core.parse.wire import Json

METRIC = "ServiceApiHit"


def hits(metrics: Iterable[Json], since: datetime, days: int) -> int:
    """Return the sum of the days from a midnight on. Raises BadInput where the answer is not about exactly these days."""
    series = [each for it in metrics if _name(it) == METRIC.lower() for each in wire.rows(it, "timeseries")]
    if len(series) != 1:
        raise BadInput("NoSuchMetric", f"Azure Monitor has {len(series)} series of {METRIC}, not one")
    counts = dict[datetime, int | None]()
    for point in wire.rows(series[0], "data"):
        counts[_day(point)] = _count(point)
    wanted = {since.date().toordinal() + n for n in range(days)}
    if {it.date().toordinal() for it in counts} != wanted or len(counts) != days:
        raise BadInput("OtherDays", f"Azure Monitor has answered for {len(counts)} other days than it was asked for")
    known = [it for it in counts.values() if it is not None]
    if not known:
        raise BadInput("NothingCounted", f"Azure Monitor has counted nothing in {days} days")
    return sum(known)


def _name(metric: Json) -> str:
    return wire.text(wire.obj(metric, "name"), "value").lower()


def _day(point: Json) -> datetime:
    try:
        return datetime.fromisoformat(wire.text(point, "timeStamp"))
    except ValueError:
        raise BadInput("BadArmAnswer", "a point of a metric came without a time") from None


def _count(point: Json) -> int | None:
    """Return the count, which Azure writes as 12 or 12.0."""
    value = point.get("count")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value % 1 != 0:
        raise BadInput("BadArmAnswer", f"count must be a whole number, not {str(value)[:40]!r}")
    return int(value)
