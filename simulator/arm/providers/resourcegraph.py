"""Azure Resource Graph: one query over everything that the caller may read, possibly a little behind.

Answers are shaped as recorded (resource_graph.jsonl): `resultTruncated` is a string, paging needs `id` among the
columns, before api-version 2021-03-01 the default form is a table.
"""

import base64
import uuid
from collections.abc import Iterator
from typing import Any

from simulator.arm.access import ASSIGNMENTS, DEFINITIONS
from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.keystore import KEYS, VERSIONS
from simulator.arm.kql import Disallowed, Invalid, Query, compile_query
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.roles import BUILTIN
from simulator.arm.router import Target, fold, route
from simulator.arm.world import GROUP, SUBSCRIPTION

COLUMNS = (
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
)
HELD = ("resources", "resourcecontainers", "authorizationresources")
# Tables that Azure has and this world has nothing for: empty, which is what a subscription without such things shows.
EMPTY = (
    "advisorresources", "alertsmanagementresources", "computeresources", "connectedvmwarevsphereresources",
    "desktopvirtualizationresources", "dnsresources", "edgeorderresources", "extendedlocationresources",
    "extensibilityresources", "guestconfigurationresources", "healthresources", "insightsresources",
    "iotsecurityresources", "kubernetesconfigurationresources", "kustoresources", "maintenanceresources",
    "managedservicesresources", "networkresources", "patchassessmentresources", "patchinstallationresources",
    "policyresources", "recoveryservicesresources", "resourcechanges", "resourcecontainerchanges",
    "securityresources", "servicehealthresources", "spotresources", "supportresources", "tagsresources",
)  # fmt: skip
TABLES = dict.fromkeys((*HELD, *EMPTY), COLUMNS)
LARGEST = 1000
OBJECTS_SINCE = "2021-03-01"
BUSY = (
    "Client application has been throttled and should not attempt to repeat the request until an amount of time has "
    "elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
)


def ask(call: Call) -> Answer:
    """POST of a query."""
    quota, may = call.sim.throttle.graph(call.caller.oid)
    if not may:
        raise _refused(call, 429, "RateLimiting", quota, [{"code": "RateLimiting", "message": BUSY}])
    body = call.body()
    options = body.get("options") or {}
    query, rows = _answered(call, body, quota)
    start = _start(call, options, quota)
    size = min(int(options.get("$top") or LARGEST), LARGEST)
    chosen = rows[start : start + size]
    reply: Json = {
        "totalRecords": len(rows),
        "count": len(chosen),
        "data": _formed(call, options, query.columns, chosen),
        "facets": [],
        "resultTruncated": "false",
    }
    if start + size < len(rows):
        if "id" in query.columns:
            reply["$skipToken"] = base64.b64encode(str(start + size).encode()).decode()
        else:
            reply["resultTruncated"] = "true"
    return Answer(200, reply, quota)


def _answered(call: Call, body: Json, quota: dict[str, str]) -> tuple[Query, list[Json]]:
    """The rows, remembered for the next page of the same question while nothing changes."""
    wanted = frozenset(fold(str(each)) for each in body.get("subscriptions") or [])
    groups = tuple(fold(str(each)) for each in body.get("managementGroups") or [])
    nothing = bool(groups) and fold(call.sim.config.tenant) not in groups
    text = str(body.get("query") or "")
    key = (call.caller.oid, text, wanted, nothing, call.sim.world.version)
    memory: dict[Any, Any] = call.sim.answers
    try:
        query = compile_query(text, TABLES)
        if key not in memory or "ago(" in text or "now(" in text:
            if len(memory) >= 4:
                memory.clear()
            memory[key] = query.run(lambda table: iter(()) if nothing else _readable(call, table, wanted))
    except Invalid as error:
        raise _refused(call, 400, "BadRequest", quota, _unparsed(error)) from None
    except Disallowed as error:
        details = [{"code": error.code, "message": error.message}]
        raise _refused(call, 400, "BadRequest", quota, details) from None
    return query, memory[key]


def _refused(call: Call, status: int, code: str, quota: dict[str, str], details: list[Json]) -> Refused:
    """Shaped as recorded (arm_errors.jsonl, InvalidQuery) and as reported for 429 (Azure/azure-cli-extensions#3325).

    There is no Retry-After: the client in that report did not wait, and azure-core waits wherever it finds one.
    """
    text = (
        f"Please provide below info when asking for support: timestamp = {stamp()}, "
        f"correlationId = {call.correlation or uuid.uuid4()}."
    )
    return Refused(status, code, text, quota, details=details)


def _unparsed(error: Invalid) -> list[Json]:
    return [
        {
            "code": "InvalidQuery",
            "message": "Query is invalid. Please refer to the documentation for the Azure Resource Graph "
            "service and fix the error before retrying.",
        },
        {
            "code": "ParserFailure",
            "message": "ParserFailure",
            "line": error.token.line,
            "characterPositionInLine": error.token.column,
            "token": error.token.text,
            "expectedToken": error.expected,
        },
    ]


def _readable(call: Call, table: str, wanted: frozenset[str]) -> Iterator[Json]:
    """The rows of a table in the given subscriptions that the caller's roles let it read."""
    if table not in HELD:
        return
    if table == "authorizationresources" and not wanted:
        yield from (_row(call, route(body["id"]), body) for body in (each.body("") for each in BUILTIN))
    oid, access = call.caller.oid, call.sim.access
    everywhere: dict[str, bool] = {}
    for identity, body in call.sim.world.graph.items():
        target = route(identity)
        if not _in_table(table, target) or (wanted and fold(target.subscription) not in wanted):
            continue
        action = f"{target.kind}/read"
        if action not in everywhere:
            everywhere[action] = access.everywhere(oid, action)
        if everywhere[action] or access.find(oid, action, identity):
            yield _row(call, target, body)


def _in_table(table: str, target: Target) -> bool:
    if table == "resourcecontainers":
        return target.kind in {GROUP, SUBSCRIPTION}
    if table == "authorizationresources":
        return target.kind in {ASSIGNMENTS, DEFINITIONS}
    is_own = bool(target.group) and target.kind not in {GROUP, KEYS, VERSIONS}  # keys are in no table
    return is_own and target.path.count("/providers/") == 1


def _row(call: Call, target: Target, body: Json) -> Json:
    kinds = {GROUP: "microsoft.resources/subscriptions/resourcegroups", SUBSCRIPTION: SUBSCRIPTION}
    return {
        "id": body["id"],
        "name": _name(target, body),
        "type": kinds.get(target.kind, target.kind),
        "tenantId": call.sim.config.tenant,
        "kind": body.get("kind") or "",
        "location": body.get("location") or "",
        "resourceGroup": target.group,
        "subscriptionId": target.subscription,
        "managedBy": body.get("managedBy") or "",
        **{name: body.get(name) for name in ("sku", "plan", "properties", "tags", "identity", "zones")},
        "extendedLocation": body.get("extendedLocation"),
    }


def _name(target: Target, body: Json) -> str:
    """A subscription goes by its display name (resourcecontainers in the samples of Resource Graph's documentation)."""
    shown = body.get("displayName") if target.kind == SUBSCRIPTION else body.get("name")
    return str(shown or body["id"].rsplit("/", 1)[-1])


def _formed(call: Call, options: Json, columns: tuple[str, ...], rows: list[Json]) -> Any:
    default = "objectArray" if call.version[:10] >= OBJECTS_SINCE else "table"
    if str(options.get("resultFormat") or default).lower() != "table":
        return rows
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}

    def kind(name: str) -> str:
        known = next((row[name] for row in rows if row.get(name) is not None), None)
        return kinds.get(type(known), "object")

    return {
        "columns": [{"name": name, "type": kind(name)} for name in columns],
        "rows": [[row.get(name) for name in columns] for row in rows],
    }


def _start(call: Call, options: Json, quota: dict[str, str]) -> int:
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip") or 0)
    try:
        return int(base64.b64decode(token))
    except ValueError:
        details = [{"code": "InvalidSkipToken", "message": "The skip token is invalid."}]
        raise _refused(call, 400, "BadRequest", quota, details) from None


KINDS = (
    Kind(
        "Microsoft.ResourceGraph/resources",
        collection={"POST": ask},
        verbs={"POST": ""},  # rows are what the caller may read; the call itself needs no right
        emits=False,
    ),
)
