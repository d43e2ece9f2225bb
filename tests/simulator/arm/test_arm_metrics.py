"""Azure Monitor's metrics of a vault: what was really called is counted, in the shape of recorded answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.reference import needs_reference, recorded
from tests.simulator.arm.stage import SUB, Stage, vault
from tests.simulator.arm.vaultdoor import at

DAY = "2026-11-20"
ASKED = {
    "timespan": "2026-11-19T00:00:00Z/2026-11-22T00:00:00Z", "interval": "P1D", "metricnames": "ServiceApiHit",
    "aggregation": "Count",
}  # fmt: skip


def made(stage: Stage, name: str) -> str:
    """A vault; returns its id."""
    path = f"{stage.group('rg-metrics')}/providers/Microsoft.KeyVault/vaults/{name}"
    assert stage.call("PUT", path, vault()).status_code == 200
    return path


def ask(stage: Stage, path: str, who: str = "owner", **changed: str) -> Any:
    """Ask for the metric, over three days unless told otherwise."""
    where = f"{path}/providers/Microsoft.Insights/metrics"
    return stage.call("GET", where, who=who, version="2018-01-01", params={**ASKED, **changed})


def test_an_answer_has_the_recorded_shape(stage: Stage) -> None:
    """A point for each interval from where the timespan begins; one in which nothing was counted has no count."""
    path = made(stage, "kv-metrics")
    stage.tell("POST", "/hits", {"vault": path.upper(), "hits": {DAY: 12}})
    stage.tell("POST", "/hits", {"vault": path, "hits": {DAY: 30, "2026-11-22": 1}})
    body = ask(stage, path).json()
    (metric,) = body["value"]

    assert {**body, "value": []} == {
        "cost": 0, "timespan": ASKED["timespan"], "interval": "P1D", "namespace": "Microsoft.KeyVault/vaults",
        "resourceregion": "westeurope", "value": [],
    }  # fmt: skip
    assert metric["id"] == f"{path}/providers/Microsoft.Insights/metrics/ServiceApiHit"
    assert (metric["name"]["value"], metric["unit"]) == ("ServiceApiHit", "Count")
    assert metric["timeseries"] == [
        {
            "metadatavalues": [],
            "data": [
                {"timeStamp": "2026-11-19T00:00:00Z"},
                {"timeStamp": "2026-11-20T00:00:00Z", "count": 42.0},
                {"timeStamp": "2026-11-21T00:00:00Z"},
            ],
        }
    ]
    crooked = ask(stage, path, timespan="2026-11-19 23:59:59/2026-11-21 23:59:59").json()
    assert [it["timeStamp"] for it in crooked["value"][0]["timeseries"][0]["data"]] == [
        "2026-11-19T23:59:00Z", "2026-11-20T23:59:00Z",
    ]  # fmt: skip


def test_what_is_really_called_is_counted(stage: Stage) -> None:
    """Each call at the vault's own address, refused ones too; none through Resource Manager."""
    path = made(stage, "kv-metrics-called")
    refused = [at(stage, "kv-metrics-called", "GET", "/keys", who=who).status_code for who in ("reader", "writer", "")]
    stage.call("GET", f"{path}/keys")
    now = datetime.now(UTC)
    ends = [f"{now + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}" for minutes in (-10, 10)]
    points = ask(stage, path, timespan="/".join(ends), interval="PT1M").json()["value"][0]["timeseries"][0]["data"]

    assert refused == [403, 403, 401]
    assert sum(it.get("count", 0) for it in points) == 3
    assert len(points) == 20


def test_who_may_not_read_metrics_is_refused(stage: Stage) -> None:
    """The right is Microsoft.Insights/metrics/read, at the vault."""
    path = made(stage, "kv-metrics-rights")
    refused = ask(stage, path, who="azure_databricks")

    assert ask(stage, path, who="reader").status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "Microsoft.Insights/metrics/read" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"metricnames": "NoSuchMetric"}, {"metricnames": "Availability"}, {"metricnames": ""}, {"interval": "P2D"},
        {"timespan": "yesterday"}, {"timespan": "2026-11-22T00:00:00Z/2026-11-19T00:00:00Z"}, {"aggregation": "Average"},
        {"$filter": "ActivityName eq '*'"},
    ],
)  # fmt: skip
def test_what_is_not_there_or_not_imitated_is_refused(stage: Stage, changed: dict[str, str]) -> None:
    """In Monitor's envelope."""
    refused = ask(stage, made(stage, "kv-metrics-refused"), **changed)

    assert (refused.status_code, refused.json()["code"]) == (400, "BadRequest")


def test_what_does_not_exist_has_no_metrics(stage: Stage) -> None:
    """Neither a vault that is not there, nor a group."""
    group = stage.group("rg-metrics")
    missing = ask(stage, f"{group}/providers/Microsoft.KeyVault/vaults/none")

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert ask(stage, f"/subscriptions/{SUB}/resourceGroups/rg-metrics").status_code == 400


@needs_reference
def test_an_unknown_metric_is_refused_as_recorded(stage: Stage) -> None:
    """Code and words of the one refusal that is recorded, but for what it is about."""
    (record,) = [it for it in recorded("arm_errors") if "metricnames=InvalidMetric" in it["url"]]
    said = record["response_body"]["message"].partition("Valid metrics: ")[0]
    own = ask(stage, made(stage, "kv-metrics-unknown"), metricnames="InvalidMetric")

    assert own.status_code == record["status"]
    assert own.json()["code"] == record["response_body"]["code"]
    assert own.json()["message"].startswith(
        said.replace("Microsoft.Compute", "Microsoft.KeyVault").replace("virtualMachines", "vaults")
    )
