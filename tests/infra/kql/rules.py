"""Evaluates an alert as Azure does: the rows of its time range, its query with what the deployment fills in, its threshold.

How far back a rule sees is `overrideQueryTimeRange`, else its window; all is read from the template, not from its parts.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from infra.build import HERE
from tests.infra.kql import engine
from tests.infra.kql.engine import Logs

READER, WRITER = "aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"
PIPELINE = "cccccccc-0000-4000-8000-00000000000c"
PARAMETERS = {
    "ownPrincipals": f"{READER},{WRITER.upper()}",
    "expectedPrincipals": PIPELINE.upper(),
    "operationsPerDay": "1000",
}


@cache
def template() -> Mapping[str, Any]:
    """Return infra/arm/alerts.json."""
    found: Mapping[str, Any] = json.loads((HERE / "arm/alerts.json").read_text())
    return found


@cache
def rule(name: str) -> Mapping[str, Any]:
    """Return the properties of a rule."""
    (found,) = (it["properties"] for it in template()["resources"] if it["name"] == f"cmkwarden-{name}")
    return found  # type: ignore[no-any-return]


def names() -> list[str]:
    """Return the names of all rules on a log."""
    kinds = (it["name"] for it in template()["resources"] if it["type"] == "Microsoft.Insights/scheduledQueryRules")
    return [it.removeprefix("cmkwarden-") for it in kinds]


def text(name: str) -> str:
    """Return the query of a rule as Azure runs it, with AppTraces as the table of one workspace for all."""
    query: str = template()["variables"]["queries"][name]
    for placeholder, value in PARAMETERS.items():
        query = query.replace(f"{{{placeholder}}}", value)
    return query


def found(name: str, logs: Logs) -> list[dict[str, Any]]:
    """Return what a rule finds now; nothing where it stays silent."""
    it = rule(name)
    since = datetime.now(UTC) - duration(it.get("overrideQueryTimeRange", it["windowSize"]))
    (criterion,) = it["criteria"]["allOf"]
    assert (criterion["timeAggregation"], criterion["operator"]) == ("Count", "GreaterThan")
    seen = {table: [row for row in rows if row["TimeGenerated"] > since] for table, rows in logs.items()}
    rows = engine.run(text(name), seen)
    return rows if len(rows) > criterion["threshold"] else []


def duration(iso: str) -> timedelta:
    """Return a duration as PT30M, PT6H or P1D."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", iso)
    assert match, iso
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
