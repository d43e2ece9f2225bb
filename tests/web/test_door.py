"""Who enters, by which header, from which page."""

import pytest

from tests.web.entry import CLIENT, HOST, Answer, Entry, app_token, id_token, token

LIST = "/api/remediations"
RETRY = "/api/remediations/aaaaaaaaaaaaaaaa/retry"
PRINCIPAL = "eyJhdXRoX3R5cCI6ImFhZCIsImNsYWltcyI6W3sidHlwIjoicm9sZXMiLCJ2YWwiOiJSZW1lZGlhdGlvbi5BZG1pbiJ9XX0="
FROM_OURS = {"sec_fetch_site": "same-origin", "content_type": "application/json"}


@pytest.mark.parametrize(
    ("bearer", "status"),
    [
        (token("Reader"), 200),
        (id_token("Reader"), 200),
        (app_token("Reader"), 200),
        (token(), 403),
        (token("Reader", tid="other"), 401),
        (token("Reader", aud="api://other"), 401),
        (token("Reader", iss="https://evil.example.net/v2.0"), 401),
        (token("Reader", exp=1), 401),
        (token("Reader", nbf=4_000_000_000), 401),
        (token("Reader", sub=None), 401),
        (token("Reader", oid=""), 401),
        ("x.y.z", 401),
    ],
)
def test_a_token_counts_wherever_it_comes_from(bearer: str, status: int) -> None:
    """The header of a program and those of a browser's sign-in are checked alike."""
    entry = Entry()
    answers = [
        entry.call("GET", LIST, bearer),
        entry.call("GET", LIST, x_ms_token_aad_id_token=bearer),
        entry.call("GET", LIST, x_ms_token_aad_access_token=bearer),
    ]

    assert [answer.status for answer in answers] == [status] * 3


def test_a_bad_authorization_header_is_never_forgiven() -> None:
    """With a good forwarded token beside it, it is a 401 all the same, whatever is wrong with it."""
    entry, good = Entry(), id_token("Admin")
    for bad in ("", "Bearer", "Bearer ", "Basic eDp5", f"Bearer {token('Admin', exp=1)}", "Bearer x.y.z"):
        assert entry.call("GET", LIST, authorization=bad, x_ms_token_aad_id_token=good).status == 401, bad


def test_a_bad_id_token_does_not_fall_back_to_the_access_token() -> None:
    """The first header that is there decides."""
    answer = Entry().call("GET", LIST, x_ms_token_aad_id_token="x", x_ms_token_aad_access_token=token("Admin"))

    assert answer.status == 401


@pytest.mark.parametrize("bearer", ["", token("Reader"), id_token("Reader")])
def test_headers_that_name_a_principal_change_nothing(bearer: str) -> None:
    """X-MS-CLIENT-PRINCIPAL and its like neither open the door nor add a role."""
    entry = Entry()
    forged = {"x_ms_client_principal": PRINCIPAL, "x_ms_client_principal_id": "ada-oid", "x_ms_client_principal_name": "a",
              "x_ms_client_principal_idp": "aad", "x_ms_client_roles": "Remediation.Admin", "x_forwarded_user": "root"}  # fmt: skip
    plain = [entry.call(method, path, bearer) for method, path in (("GET", LIST), ("POST", RETRY))]
    decorated = [entry.call(method, path, bearer, **forged) for method, path in (("GET", LIST), ("POST", RETRY))]

    assert [(it.status, it.body) for it in decorated] == [(it.status, it.body) for it in plain]


@pytest.mark.parametrize(
    "bearer",
    [
        app_token("Admin"),
        app_token("Admin", idtyp="app"),
        app_token("Admin", azp=None, azpacr=None),
        app_token("Admin", nonce="n", azp=None, azpacr=None),
        app_token("Admin", nonce="n", sub="other"),
        app_token("Admin", scp="", sub="other"),
        app_token("Admin", scp=["user_impersonation"], sub="other"),
        token("Admin", idtyp="app"),
        token("Admin", idtyp="device"),
        token("Admin", sub="ada-oid"),
        id_token("Admin", nonce=None),
        id_token("Admin", nonce=1),
        id_token("Admin", azp="cli"),
        id_token("Admin", appid="cli"),
        id_token("Admin", sub="ada-oid"),
    ],
)
def test_what_does_not_prove_a_person_changes_nothing(bearer: str) -> None:
    """Such a token may read with its role, and never write."""
    entry = Entry()

    assert entry.call("GET", LIST, bearer).status == 200
    assert entry.call("POST", RETRY, bearer).reason == "NotAllowed"
    assert entry.call("POST", RETRY, x_ms_token_aad_id_token=bearer, **FROM_OURS).reason == "NotAllowed"


@pytest.mark.parametrize(
    "bearer",
    [token("Approver"), id_token("Approver"), id_token("Admin", nonce=None, preferred_username="ada@example.com")],
)
def test_a_person_passes(bearer: str) -> None:
    """An access token with a scope, an id token with a nonce, one that was refreshed: 404 says that the door is open."""
    assert Entry().call("POST", RETRY, bearer).status == 404


def _forwarded(**headers: str) -> Answer:
    return Entry().call("POST", RETRY, x_ms_token_aad_id_token=id_token("Admin"), **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/json"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "content_type": "text/plain"},
        {"sec_fetch_site": "same-origin", "content_type": "application/x-www-form-urlencoded"},
        {"sec_fetch_site": "cross-site", "content_type": "application/json"},
        {"sec_fetch_site": "same-site", "content_type": "application/json"},
        {"sec_fetch_site": "none", "content_type": "application/json"},
        {"sec_fetch_site": "cross-site", "origin": f"https://{HOST}", "content_type": "application/json"},
        {"origin": "null", "content_type": "application/json"},
        {"origin": "https://evil.example.net", "content_type": "application/json"},
        {"origin": f"http://{HOST}", "content_type": "application/json"},
        {"origin": f"https://{HOST}:444", "content_type": "application/json"},
        {"origin": f"https://{HOST}.evil.example.net", "content_type": "application/json"},
        {"origin": "", "content_type": "application/json"},
        {"referer": f"https://{HOST}/", "content_type": "application/json"},
    ],
)
def test_a_cookie_writes_only_from_our_own_pages(headers: dict[str, str]) -> None:
    """Whatever does not show that a page of this site sent it is refused, and says why."""
    answer = _forwarded(**headers)

    assert (answer.status, answer.reason, answer.json()["type"]) == (403, "CrossSite", "/problems/CrossSite")


@pytest.mark.parametrize(
    "headers",
    [
        FROM_OURS,
        {"sec_fetch_site": "same-origin", "x_requested_with": "console"},
        {"origin": f"https://{HOST}", "content_type": "application/json; charset=utf-8"},
        {"origin": f"https://{HOST}", "x_forwarded_proto": "https", "content_type": "application/json"},
    ],
)
def test_our_own_pages_write(headers: dict[str, str]) -> None:
    """By either sign that the browser gives, with JSON or a header of their own."""
    assert _forwarded(**headers).status == 404


def test_a_program_needs_no_origin() -> None:
    """No browser adds a bearer token by itself: such a write shows nothing else, and reading needs nothing either."""
    entry = Entry()

    assert entry.call("POST", RETRY, token("Admin"), origin="https://evil.example.net").status == 404
    assert (
        entry.call("GET", LIST, x_ms_token_aad_id_token=id_token("Reader"), sec_fetch_site="cross-site").status == 200
    )


def test_an_id_token_for_another_client_does_not_count() -> None:
    """Its audience is the client that asked for it: that must be us."""
    entry = Entry()

    assert entry.call("GET", LIST, x_ms_token_aad_id_token=id_token("Reader", aud=CLIENT)).status == 200
    assert entry.call("GET", LIST, x_ms_token_aad_id_token=id_token("Reader", aud="other-client")).status == 401
