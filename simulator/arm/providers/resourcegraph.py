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
from simulator.arm.kql import Invalid, Query, compile_query
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import Target, route
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
TABLES = dict.fromkeys(("resources", "resourcecontainers", "authorizationresources"), COLUMNS)
LARGEST = 1000
OBJECTS_SINCE = "2021-03-01"
# 15 queries in 5 seconds for each user (AZURE 6); it is shown, not enforced: order a fault to be throttled.
QUOTA = {
    "x-ms-user-quota-remaining": "14",
    "x-ms-user-quota-resets-after": "00:00:05",
    "x-ms-ratelimit-remaining-tenant-resource-requests": "14",
}


def ask(call: Call) -> Answer:
    """POST of a query."""
    body = call.body()
    options = body.get("options") or {}
    query = _compiled(call, str(body.get("query") or ""))
    rows = _answered(call, query, body)
    start = _start(options)
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
    return Answer(200, reply, dict(QUOTA))


def _compiled(call: Call, text: str) -> Query:
    try:
        return compile_query(text, TABLES)
    except Invalid as error:
        raise Refused(
            400,
            "BadRequest",
            f"Please provide below info when asking for support: timestamp = {stamp()}, "
            f"correlationId = {call.correlation or uuid.uuid4()}.",
            QUOTA,
            details=[
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
            ],
        ) from None


def _answered(call: Call, query: Query, body: Json) -> list[Json]:
    """The rows, remembered for the next page of the same question while nothing changes."""
    wanted = frozenset(str(each).lower() for each in body.get("subscriptions") or [])
    key = (call.caller.oid, str(body.get("query")), wanted, call.sim.world.version)
    memory: dict[Any, list[Json]] = call.sim.answers
    if key not in memory:
        if len(memory) >= 4:
            memory.clear()
        memory[key] = query.run(_readable(call, query.table, wanted))
    return memory[key]


def _readable(call: Call, table: str, wanted: frozenset[str]) -> Iterator[Json]:
    """The rows of a table in the given subscriptions that the caller's roles let it read."""
    oid, access = call.caller.oid, call.sim.access
    everywhere: dict[str, bool] = {}
    for identity, body in call.sim.world.graph.items():
        target = route(identity)
        if not _in_table(table, target) or (wanted and target.subscription not in wanted):
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
        "name": body.get("name") or body["id"].rsplit("/", 1)[-1],
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


def _formed(call: Call, options: Json, columns: tuple[str, ...], rows: list[Json]) -> Any:
    default = "objectArray" if call.version[:10] >= OBJECTS_SINCE else "table"
    if str(options.get("resultFormat") or default).lower() != "table":
        return rows
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    first = rows[0] if rows else {}
    return {
        "columns": [{"name": name, "type": kinds.get(type(first.get(name)), "object")} for name in columns],
        "rows": [[row.get(name) for name in columns] for row in rows],
    }


def _start(options: Json) -> int:
    token = options.get("$skipToken")
    if not token:
        return int(options.get("$skip") or 0)
    try:
        return int(base64.b64decode(token))
    except ValueError:
        raise Refused(400, "BadRequest", "The skip token is invalid.", QUOTA) from None


KINDS = (
    Kind(
        "Microsoft.ResourceGraph/resources",
        collection={"POST": ask},
        verbs={"POST": ""},  # rows are what the caller may read; the call itself needs no right
        emits=False,
    ),
)
