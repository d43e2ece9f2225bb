"""Azure Monitor's metrics of a resource: of Key Vault, how often a vault was called.

Shaped as answers of api-version 2018-01-01 are recorded (cloud-custodian, SqlServerTest.test_metric_database_to_zero): points
stand where the timespan begins, one an interval, and one in which nothing was counted has no value. Fields besides those are
the example GetMetric of azure-rest-api-specs; names and texts of metrics Microsoft's list of supported metrics.
"""

from datetime import UTC, datetime, timedelta

from simulator.arm.answer import Answer, Json, no_resource
from simulator.arm.providers.insights import refusal
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route

HITS = "ServiceApiHit"
VALID = {
    fold(name): name for name in ("Availability", "SaturationShoebox", HITS, "ServiceApiLatency", "ServiceApiResult")
}
GRAINS = {
    **{f"PT{minutes}M": timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)},
    **{f"PT{hours}H": timedelta(hours=hours) for hours in (1, 6, 12)},
    "P1D": timedelta(days=1),
}


def list_metrics(call: Call) -> Answer:
    """GET: the one metric that is counted here, over a timespan, without a filter."""
    scope = route(call.target.scope)
    vault = call.sim.world.get(scope.id)
    if vault is None:
        raise no_resource(scope.type, "/".join(scope.names), scope.group)
    _check_names(call, scope.kind)
    begin, end = _span(call)
    grain = call.query.get("interval", "PT1M")
    if grain not in GRAINS:
        raise refusal(400, "BadRequest", f"Invalid time grain: {grain}. Supported ones are: {', '.join(GRAINS)}")
    if "$filter" in call.query or fold(call.query.get("aggregation", "count")) != "count":
        raise refusal(
            400, "BadRequest", "Only the count of all calls together is imitated: no $filter, aggregation=Count."
        )
    points, at = list[Json](), begin.replace(second=0, microsecond=0)
    while at < end.replace(second=0, microsecond=0):
        hits = call.sim.meter.between(str(vault["id"]), at, at + GRAINS[grain])
        points.append({"timeStamp": _text(at), **({} if hits is None else {"count": float(hits)})})
        at += GRAINS[grain]
    return Answer(200, _body(call, vault, points, f"{_text(begin)}/{_text(end)}", grain))


def _body(call: Call, vault: Json, points: list[Json], span: str, grain: str) -> Json:
    metric = {
        "id": f"{call.target.scope}/providers/Microsoft.Insights/metrics/{HITS}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": HITS, "localizedValue": "Total Service Api Hits"},
        "displayDescription": "Number of total service api hits",
        "unit": "Count",
        "timeseries": [{"metadatavalues": [], "data": points}],
        "errorCode": "Success",
    }
    return {
        "cost": 0,
        "timespan": span,
        "interval": grain,
        "value": [metric],
        "namespace": "Microsoft.KeyVault/vaults",
        "resourceregion": str(vault.get("location") or ""),
    }


def _check_names(call: Call, kind: str) -> None:
    """A name that the resource type does not have is refused with a list of those that it has (recorded, arm_errors.jsonl)."""
    asked = [each.strip() for each in call.query.get("metricnames", "").split(",") if each.strip()]
    provider, _, resource = route(call.target.scope).type.partition("/")
    valid = VALID if kind == "microsoft.keyvault/vaults" else {}
    for name in asked or [""]:
        if fold(name) not in valid:
            raise refusal(
                400,
                "BadRequest",
                f"Failed to find metric configuration for provider: {provider}, resource Type: {resource}, metric: {name}, "
                f"Valid metrics: {','.join(valid.values())}",
            )
    if [fold(name) for name in asked] != [fold(HITS)]:
        raise refusal(400, "BadRequest", f"Of these metrics only {HITS} is imitated.")


def _span(call: Call) -> tuple[datetime, datetime]:
    """Where the timespan begins and ends; the last hour, if none is named."""
    now = datetime.now(UTC)
    text = call.query.get("timespan", "")
    try:
        ends = [datetime.fromisoformat(each) for each in text.split("/")] if text else [now - timedelta(hours=1), now]
    except ValueError:
        ends = []
    begin, end = [each if each.tzinfo else each.replace(tzinfo=UTC) for each in ends] if len(ends) == 2 else (now, now)
    if begin >= end:
        raise refusal(400, "BadRequest", f"The timespan '{text}' is invalid: startDateTime_ISO/endDateTime_ISO.")
    return begin, end


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


KINDS = (Kind("Microsoft.Insights/metrics", collection={"GET": list_metrics}),)
