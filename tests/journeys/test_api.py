"""The API from outside: who may enter, and that it answers as it describes itself."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from openapi_spec_validator import validate

from simulator.client import Client
from tests.fakes import vault_id
from tests.reference import bodies, needs_reference

ROUTES = ["/api/findings", "/api/remediations", "/api/remediations/x", "/api/explain", "/api/openapi.json", "/api/no"]
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _forged(azure: Client, **changes: Any) -> str:
    """Return a token that says all the right things, signed by a stranger with the right key id."""
    token = azure.facts["people"][3]["token"]
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, KEY, "RS256", headers={"kid": jwt.get_unverified_header(token)["kid"]})


def _unsigned(azure: Client) -> str:
    claims = jwt.decode(azure.facts["people"][3]["token"], options={"verify_signature": False})
    return jwt.encode(claims, None, "none")  # type: ignore[arg-type]


def _managed(azure: Client, folder: Path, resource: str) -> str:
    header = json.loads((folder / "arm.json").read_text())["identity_header"]
    client = azure.facts["identities"]["writer"]["client_id"]
    query = {"api-version": "2019-08-01", "resource": resource, "client_id": client}
    return str(azure.get(azure.facts["token_url"], query, {"X-IDENTITY-HEADER": header}).json()["access_token"])


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_enters_without_a_token_that_counts(azure: Client, folder: Path, route: str) -> None:
    """No token, garbage, unsigned, forged, expired, or made for Azure instead of us: 401 on every route, known or not."""
    tokens = [
        "",
        "x.y.z",
        _unsigned(azure),
        _forged(azure),
        _forged(azure, exp=int(time.time()) - 3600),
        azure.facts["owner_token"],
        _managed(azure, folder, "https://storage.azure.com"),
    ]
    answers = [azure.call("GET", route, token=token) for token in tokens]

    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
    assert all(answer.json()["detail"] for answer in answers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("route", ["/api/remediations/aaaaaaaaaaaaaaaa/retry", "/api/remediations", "/api/no"])
def test_a_reader_changes_nothing(azure: Client, method: str, route: str) -> None:
    """With the reader's role every writing method is 403, whether or not there is anything behind the route."""
    answer = azure.call(method, route, person=0)

    assert (answer.status_code, answer.json()["reason"]) == (403, "NotAllowed")


def test_who_has_no_role_and_what_is_no_person_is_told_so(azure: Client) -> None:
    """A person without a role may not even read; an application with the approver's role reads and changes nothing."""
    retry = "/api/remediations/aaaaaaaaaaaaaaaa/retry"
    newcomer, pipeline = 4, 5

    assert azure.call("GET", "/api/findings", newcomer).json()["reason"] == "NotAllowed"
    assert azure.call("GET", "/api/findings", pipeline).status_code == 200
    assert azure.call("POST", retry, pipeline).json()["reason"] == "NotAllowed"


def test_headers_of_the_platform_do_not_come_in_from_outside(azure: Client) -> None:
    """What Easy Auth would set is taken off by the host, and a principal would not be believed anyway."""
    token = azure.facts["people"][3]["token"]
    answer = azure.call("GET", "/api/findings", token="", X_MS_TOKEN_AAD_ID_TOKEN=token, X_MS_CLIENT_PRINCIPAL="e30=")

    assert answer.json()["reason"] == "NotSignedIn"


def test_a_write_is_answered_once_over_the_whole_road(azure: Client) -> None:
    """The key goes through the host into the table: the second answer is the first, and another body is refused."""
    path, key = "/api/remediations/aaaaaaaaaaaaaaaa/reject", uuid.uuid4().hex
    first = azure.call("POST", path, 1, body={"comment": "no"}, Idempotency_Key=key)
    second = azure.call("POST", path, 1, body={"comment": "no"}, Idempotency_Key=key)
    third = azure.call("POST", path, 1, body={"comment": "yes"}, Idempotency_Key=key)

    assert [it.status_code for it in (first, second, third)] == [404, 404, 422]
    assert (second.content, second.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_health_needs_no_token(azure: Client) -> None:
    """Health is open and says no more than it must."""
    answer = azure.call("GET", "/api/health", token="")

    assert (answer.status_code, set(answer.json())) == (200, {"status", "version"})


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("/api/findings?limit=0", 400),
        ("/api/findings?limit=x", 400),
        ("/api/findings?limit=%C2%B2", 400),
        ("/api/findings?cursor=eyJQYXJ0aXRpb25LZXkiOiJcdWQ4MDAiLCJSb3dLZXkiOiJiIn0", 400),
        ("/api/findings?state=odd", 400),
        ("/api/findings?colour=red", 400),
        ("/api/findings?target=/", 400),
        ("/api/remediations?cursor=%00", 400),
        ("/api/explain", 400),
        ("/api/explain?resource=%0a", 400),
        ("/api/remediations/..%2f", 404),
        ("/api/remediations/aaaaaaaaaaaaaaaa", 404),
        ("/api/poison?limit=0", 400),
        ("/api/poison?state=failed", 400),
        ("/api/%ff", 400),
        ("/api/no", 404),
    ],
)
def test_bad_requests_say_what_is_wrong(azure: Client, route: str, status: int) -> None:
    """A mistake is answered with a problem document and never with a crash."""
    answer = azure.call("GET", route)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


@pytest.mark.calm
def test_the_description_is_true(azure: Client) -> None:
    """The OpenAPI document is valid, and what the API answers validates against it."""
    document = azure.app("/api/openapi.json")
    validate(document)
    rows = azure.app("/api/remediations")
    answers = {
        ("/api/health", "get"): azure.call("GET", "/api/health").json(),
        ("/api/findings", "get"): azure.app("/api/findings"),
        ("/api/remediations", "get"): rows,
        ("/api/poison", "get"): azure.app("/api/poison"),
        ("/api/doctor", "get"): azure.app("/api/doctor"),
        ("/api/key-requests", "get"): azure.app("/api/key-requests"),
        ("/api/sweeps", "get"): azure.app("/api/sweeps"),
        ("/api/what-if", "get"): azure.app("/api/what-if", mode="auto"),
        ("/api/kpis", "get"): azure.app("/api/kpis"),
        ("/api/explain", "get"): azure.app("/api/explain", resource=vault_id()),
    }
    tickets = answers["/api/tickets", "get"] = azure.app("/api/tickets")
    if tickets["items"]:
        answers["/api/tickets/{id}", "get"] = azure.app(f"/api/tickets/{tickets['items'][0]['id']}")
    if rows["items"]:
        answers["/api/remediations/{id}", "get"] = azure.app(f"/api/remediations/{rows['items'][0]['id']}")
    for (path, method), answer in answers.items():
        schema = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(answer, {**schema, "components": document["components"]})

    assert set(document["paths"]) == {*(path for path, _ in answers), *_PATHS}


_PATHS = {
    "/api/report",
    "/api/evidence",
    "/api/sweeps/{id}",
    "/api/remediations/{id}",
    "/api/tickets/{id}",
    "/api/remediations/{id}/retry",
    "/api/remediations/{id}/approve",
    "/api/remediations/{id}/reject",
    "/api/remediations/{id}/cancel",
    "/api/remediations/{id}/undo",
    "/api/remediations/{id}/vault",
    "/api/remediations/{id}/confirm",
    "/api/exemptions",
    "/api/exemptions/{id}",
    "/api/poison/{id}/redrive",
    "/api/openapi.json",
}


@pytest.mark.calm  # it asks once, and a person would ask again
@needs_reference
@pytest.mark.parametrize("category", ["keyvault_vaults", "databricks_workspaces"])
def test_every_recorded_body_is_explained(azure: Client, category: str) -> None:
    """Each vault and workspace of the recordings gets its verdicts, over the whole road, with no error."""
    kind = "Microsoft.KeyVault/vaults" if category == "keyvault_vaults" else "Microsoft.Databricks/workspaces"
    found = list({body["id"].lower(): body for body in bodies(category, kind) if body.get("properties")}.values())
    azure.manage("POST", "/seed", {"resources": found})
    verdicts = [azure.app("/api/explain", resource=body["id"])["verdicts"][0]["verdict"] for body in found]

    assert set(verdicts) <= {"Compliant", "NonCompliant", "Unknown", "NotApplicable"}
    assert verdicts
