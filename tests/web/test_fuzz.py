"""What the OpenAPI document describes, and a lot that it does not, sent to the app: no crash, no undocumented answer.

schemathesis makes the requests from the document: values at the edges of each schema, then random ones, good and bad. A part
of them is pointed at records that exist, or nothing but 404 would come back.
"""

import json
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks as openapi

from shared.core.ports import Poisoned
from shared.core.version import VERSION
from shared.flow.approve import Yes, approve, reject
from shared.web.api import Api, operations
from shared.web.openapi import document
from tests.fakes import NOON, World, vault_id
from tests.flow.conftest import run
from tests.web.entry import RUNNER, Entry, token

TABLE = operations(Api(World()))
DOCUMENT = json.loads(json.dumps(document(VERSION, TABLE)))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.negative_data_rejection,
    openapi.unsupported_method,
]
ADMIN = token("Admin", oid="dana-oid")


def _world() -> Entry:
    """Return an app with a record in poison, and one row that awaits approval."""
    entry = Entry()
    entry.waiting(owner="<script>alert(1)</script>")
    body = json.dumps({"id": vault_id(), "cause": {"kind": "event", "id": "e"}, "attempt": 1})
    entry.world.records.poison(Poisoned("evaluate", "m-1", "GaveUp", "five times", body), NOON)
    return entry


def _settle(entry: Entry, turn: int) -> None:
    """Bring the row into a state that the next request has not met: rejected, resolved or waiting again."""
    (stored,) = entry.world.records.rows.values()
    if stored.row.state == "awaiting_approval" and turn % 3 == 1:
        reject(entry.world, stored, "amit-oid", "no")
    elif stored.row.state == "awaiting_approval" and turn % 3 == 2:
        yes = entry.yes(stored)
        approve(entry.world, stored, Yes("amit-oid", yes["fingerprint"], "go", NOON.replace(day=28)))
        run(entry.world)


def _aimed(entry: Entry, case: Any, turn: int) -> None:
    """Point every second request at what exists, every fourth with what it takes, most of them without a version."""
    if turn % 2:
        return
    if case.path.endswith("/explain") and isinstance(case.query, dict):
        case.query["resource"] = vault_id()
    if turn % 8:
        case.headers.pop("If-Match", None)
    if "id" not in (case.path_parameters or {}):
        return
    (stored,) = entry.world.records.rows.values()
    (poison,) = entry.world.records.poison_records.values()
    case.path_parameters["id"] = poison.id if "poison" in case.path else stored.row.id
    if isinstance(case.body, dict) and turn % 4 == 0:
        right = {**entry.yes(stored), "until": entry.yes(stored)["expires"]}
        case.body = {name: right.get(name, value) for name, value in case.body.items()}


def _sent(entry: Entry, case: Any) -> Response:
    kwargs = case.as_transport_kwargs(base_url="https://warden.example.net")
    if "Authorization" in case.headers:
        kwargs["headers"]["Authorization"] = f"Bearer {ADMIN}"
    prepared = requests.Request(**{name: kwargs[name] for name in _TAKEN if name in kwargs}).prepare()
    where, body = urlsplit(str(prepared.url)), prepared.body or b""
    pairs = [(name, str(value)) for name, value in prepared.headers.items()]
    path = f"{where.path}?{where.query}"
    answer = RUNNER.run(entry.send(case.method, path, pairs, body.encode() if isinstance(body, str) else body))
    headers = {name: [value] for name, value in answer.headers.items()}
    return Response(answer.status, headers, answer.body, prepared, elapsed=0.0, verify=False)


_TAKEN = ("method", "url", "headers", "params", "json", "data", "files", "cookies")


@SCHEMA.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_describes(case: Any) -> None:
    """Status, content type, headers and body; what breaks the document is refused, and nothing is a 5xx."""
    turn = zlib.crc32(
        repr((case.path, case.query, case.body, sorted(case.headers.items()), case.path_parameters)).encode()
    )
    entry = _world()
    _settle(entry, turn)
    _aimed(entry, case, turn)
    response = _sent(entry, case)

    case.validate_response(response, checks=CHECKS)
    assert response.status_code != 401 or "Authorization" not in case.headers


@pytest.mark.parametrize("operation", TABLE, ids=lambda it: f"{it.method} {it.path}")
def test_each_operation_says_what_it_may_answer(operation: Any) -> None:
    """No operation has a `default` that would excuse anything; all but health may answer 401, 403, 429 and 503."""
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    always = set() if operation.is_open else {"401", "403", "429", "503"}

    assert "default" not in described
    assert {"200"} | always <= set(described)
    assert operation.is_open or "resource" in str(operation.parameters) or vault_id() not in str(described)
