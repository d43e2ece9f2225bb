"""Azure Monitor on the control plane: diagnostic settings on any resource, the Activity Log, alerts on it.

Its errors come as `code` and `message` without `error` around them, as recorded (arm_errors.jsonl, Microsoft.Insights).
"""

import re
from datetime import UTC, datetime, timedelta

from simulator.arm.answer import Answer, Json, Refused, no_resource
from simulator.arm.kql.moments import moment
from simulator.arm.providers.pages import listed, page
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.router import fold, route

SINKS = (
    "storageAccountId",
    "serviceBusRuleId",
    "workspaceId",
    "eventHubAuthorizationRuleId",
    "eventHubName",
    "marketplacePartnerId",
    "logAnalyticsDestinationType",
)
GROUPS_SINCE = "2021-05-01"  # category groups came with this version (AZURE 8.1)
DAYS_KEPT = 90  # AZURE 12
AND = re.compile(r"\s+and\s+(?=\w+\s+(?:eq|ge|le)\s)", re.IGNORECASE)  # a group may be named claims-and-fraud
CONDITION = re.compile(r"\s*(\w+)\s+(eq|ge|le)\s+'([^']*)'\s*", re.IGNORECASE)
SETTINGS = "microsoft.insights/diagnosticsettings"
FIELDS = {
    "resourceuri": "resourceId",
    "resourceid": "resourceId",
    "resourcegroupname": "resourceGroupName",
    "correlationid": "correlationId",
    "caller": "caller",
}
WORDS = {"resourceprovider": "resourceProviderName", "status": "status", "operationname": "operationName"}


def create_setting(call: Call) -> Answer:
    """PUT: 200, new or not. A setting goes somewhere."""
    _need_resource(call)
    sent = call.body().get("properties") or {}
    if not any(sent.get(name) for name in SINKS[:4]) and not sent.get("marketplacePartnerId"):
        raise refusal(400, "BadRequest", "At least one data sink needs to be specified.")
    existed = call.sim.world.get(call.target.id) is not None
    body: Json = {
        "id": call.target.path,
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": call.target.name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            **{name: sent.get(name) for name in SINKS},
            "metrics": [_switch(each) for each in sent.get("metrics") or []],
            "logs": [_switch(each) for each in sent.get("logs") or []],
        },
        "identity": None,
    }
    call.sim.world.put(body)
    return Answer(200, _seen(call, body), existed=existed)


def read_setting(call: Call) -> Answer:
    """GET."""
    return Answer(200, _seen(call, call.found()))


def delete_setting(call: Call) -> Answer:
    """DELETE: 200, or 204 when there was none."""
    return Answer(200 if call.sim.world.drop(call.target.path) else 204)


def list_settings(call: Call) -> Answer:
    """Those of one resource."""
    _need_resource(call)
    start = f"{fold(call.target.path)}/"
    ids = call.sim.world.ids(SETTINGS, call.target.subscription, start)
    return page(call, [_seen(call, body) for each in ids if (body := call.sim.world.get(each))])


def list_activity(call: Call) -> Answer:
    """The Activity Log of a subscription, newest first; a start is asked for and reaches back 90 days."""
    conditions = [_condition(part) for part in AND.split(call.query.get("$filter", ""))]
    start = next((value for name, how, value in conditions if name == "eventtimestamp" and how == "ge"), None)
    began = moment(start) if start else None
    if began is None:
        raise refusal(400, "BadRequest", "The $filter must hold a start: eventTimestamp ge '<date and time>'.")
    if began < datetime.now(UTC) - timedelta(days=DAYS_KEPT, minutes=5):
        raise refusal(400, "BadRequest", f"The start time cannot be more than {DAYS_KEPT} days in the past.")
    rows = [
        row for row in call.sim.activity.of(call.target.subscription) if all(_holds(row, *each) for each in conditions)
    ]
    chosen = [each.strip() for each in call.query.get("$select", "").split(",") if each.strip()]
    return page(call, [{name: row.get(name) for name in chosen} for row in rows] if chosen else rows)


def refusal(status: int, code: str, message: str) -> Refused:
    """A no of Azure Monitor, in its envelope."""
    refused = Refused(status, code, message)
    refused.body = {"code": code, "message": message}
    return refused


def _condition(part: str) -> tuple[str, str, str]:
    match = CONDITION.fullmatch(part)
    name = match[1].lower() if match else ""
    if match is None or name not in {"eventtimestamp", "eventchannels", *FIELDS, *WORDS}:
        raise refusal(400, "BadRequest", f"The $filter is invalid near '{part.strip()}'.")
    return name, match[2].lower(), match[3]


def _holds(row: Json, name: str, how: str, value: str) -> bool:
    if name == "eventchannels":
        return True
    if name == "eventtimestamp":
        at, limit = moment(row["eventTimestamp"]), moment(value)
        return at is not None and limit is not None and (at >= limit if how == "ge" else at <= limit)
    held = row[FIELDS[name]] if name in FIELDS else row[WORDS[name]]["value"]
    if name == "resourceuri":  # what hangs under the resource belongs to it
        return fold(f"{held}/").startswith(fold(f"{value.rstrip('/')}/"))
    return fold(str(held)) == fold(value)


def _switch(sent: Json) -> Json:
    off = {"enabled": False, "days": 0}
    return {
        "category": sent.get("category"),
        "categoryGroup": sent.get("categoryGroup"),
        "enabled": bool(sent.get("enabled")),
        "retentionPolicy": sent.get("retentionPolicy") or off,
    }


def _seen(call: Call, body: Json) -> Json:
    """Before category groups there was no place for them."""
    properties = body.get("properties") or {}
    if call.version[:10] >= GROUPS_SINCE or not isinstance(properties.get("logs"), list):
        return body
    logs = [{name: value for name, value in each.items() if name != "categoryGroup"} for each in properties["logs"]]
    return {**body, "properties": {**properties, "logs": logs}}


def _need_resource(call: Call) -> None:
    """A setting hangs on something that exists; the gate has looked for subscription and group."""
    scope = route(call.target.scope)
    if scope.group and "/providers/" in scope.path and call.sim.world.get(scope.id) is None:
        raise no_resource(scope.type, "/".join(scope.names), scope.group)


KINDS = (
    Kind(
        "Microsoft.Insights/diagnosticSettings",
        item={"GET": read_setting, "PUT": create_setting, "DELETE": delete_setting},
        collection={"GET": list_settings},
    ),
    Kind("Microsoft.Insights/eventtypes/values", collection={"GET": list_activity}),
    Kind("Microsoft.Insights/activityLogAlerts", item={"GET": get}, collection={"GET": listed}),
)
