"""HTTP functions: routes, keys, what comes in, what goes out."""

import base64
from pathlib import Path

import pytest

from tests.simulator.host.cloud import Cloud
from tests.simulator.host.hosting import CALLER, MASTER, SYSTEM, Host, write_app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/items/7", {"who": "item", "id": "7"}),
        ("/api/items/-7/x", {"who": "item", "id": "-7", "tail": "x"}),
        ("/api/items/seven", {"who": "named", "name": "seven"}),
        ("/api/items/a%20b%2Fc", {"who": "named", "name": "a b%2Fc"}),
        ("/api/items/SPECIAL/", {"who": "special"}),
        ("/API/Items/Special", {"who": "special"}),
        ("/api/files", {"who": "files"}),
        ("/api/files/a/b.txt", {"who": "files", "path": "a/b.txt"}),
    ],
)
def test_routes(host: Host, path: str, expected: dict[str, str]) -> None:
    """The most specific route answers, whatever the case of its letters."""
    assert host.ask("GET", path).json() == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/unknown"),
        ("GET", "/items/7"),
        ("POST", "/api/items/7"),
        ("GET", "/api/items/seven/x"),
        ("GET", "/api/items"),
        ("GET", "/runtime/webhooks/other"),
    ],
)
def test_unknown(host: Host, method: str, path: str) -> None:
    """A wrong path and a wrong method are both 404."""
    assert host.ask(method, path).status_code == 404


def test_shared_route(host: Host) -> None:
    """Two functions may share a route if their methods differ."""
    assert host.ask("DELETE", "/api/items/7").json() == {"who": "remove", "name": "7"}


def test_home(host: Host) -> None:
    """The root says that the host is up, and carries host.json's headers."""
    answer = host.ask("GET", "/")

    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("keyed", None, 401),
        ("keyed", "wrong", 401),
        ("keyed", SYSTEM, 401),
        ("keyed", CALLER, 200),
        ("keyed", MASTER, 200),
        ("masters", CALLER, 401),
        ("masters", MASTER, 200),
    ],
)
def test_keys(host: Host, path: str, key: str | None, expected: int) -> None:
    """A missing and an insufficient key are both 401, in header and query alike."""
    by_header = host.ask("GET", f"/api/{path}", headers={"x-functions-key": key} if key else {})
    by_query = host.ask("GET", f"/api/{path}", params={"code": key} if key else {})

    assert (by_header.status_code, by_query.status_code) == (expected, expected)


def test_request(host: Host) -> None:
    """A function sees method, absolute url, lower-case headers, joined query values and the very bytes."""
    body = bytes(range(256))
    seen = host.ask(
        "PUT", "/api/echo?a=1&a=2&b=%C3%A9", data=body, headers={"X-Thing": "t", "Host": "app.example"}
    ).json()

    assert seen["method"] == "PUT"
    assert seen["url"] == "http://app.example/api/echo?a=1&a=2&b=%C3%A9"
    assert seen["headers"]["x-thing"] == "t"
    assert seen["params"] == {"a": "1,2", "b": "é"}
    assert base64.b64decode(seen["body"]) == body


def test_nobody_signs_in_from_outside(host: Host) -> None:
    """The headers of App Service's authentication are removed."""
    forged = {"X-MS-CLIENT-PRINCIPAL": "x", "x-ms-client-principal-id": "x", "X-MS-TOKEN-AAD-ID-TOKEN": "x"}
    seen = host.ask("GET", "/api/echo", headers=forged).json()["headers"]

    assert not [name for name in seen if name.startswith("x-ms-")]


def test_cookies(host: Host) -> None:
    """Cookies leave as ASP.NET writes them."""
    answer = host.ask("GET", "/api/cookies")

    assert answer.status_code == 201
    assert answer.raw.headers.getlist("Set-Cookie") == [
        "a=b%3D; max-age=60; path=/x; secure; samesite=lax; httponly",
        "c=d; path=/",
    ]


@pytest.mark.parametrize("path", ["fails", "nothing", "odd-text"])
def test_failures(host: Host, path: str) -> None:
    """A failed function is 500 without a body, and its reason is in the log."""
    answer = host.ask("GET", f"/api/{path}")

    assert (answer.status_code, answer.content) == (500, b"")
    assert host.wait_line(f"ERROR.*Functions.{path.replace('-', '_')}.*Failed.*Error: ")


def test_text(host: Host) -> None:
    """A function may return plain text."""
    answer = host.ask("GET", "/api/text")

    assert answer.text == "héllo"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_huge_body(host: Host) -> None:
    """More than 100 MiB are refused."""
    chunk = b"x" * (1024 * 1024)
    answer = host.ask("POST", "/api/echo", data=(chunk for _ in range(101)))

    assert answer.status_code == 413


def test_logs(host: Host) -> None:
    """A log record is one line with level, function and invocation; the trace goes on."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = host.ask("GET", "/api/logs", headers={"traceparent": parent}).json()

    assert seen["trace"] == parent
    assert host.wait_line(rf"WARNING logs {seen['invocation']} first line\\nsecond line")


def test_environment(host: Host) -> None:
    """The worker sees the app's settings and nothing of the developer's shell."""
    seen = host.ask("GET", "/api/world").json()

    assert seen["env"]["IDENTITY_HEADER"] == "identity-header"
    assert seen["env"]["REQUESTS_CA_BUNDLE"] == seen["env"]["SSL_CERT_FILE"] == str(host.cloud.ca)
    assert not seen["env"].keys() & {"LEAK", "HTTPS_PROXY", "PYTHONPATH", "VIRTUAL_ENV", "CURL_CA_BUNDLE"}
    assert seen["path"][0] == seen["cwd"] == str(host.app)
    assert not [entry for entry in seen["path"] if ".venv" in entry or entry.endswith("simulator/host")]
    assert host.wait_line("printed by the app")


def test_catch_all(cloud: Cloud, tmp_path: Path) -> None:
    """Without a prefix a function may have every path, the root too, but not the host's own."""
    code = """
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="{*rest}")
def everything(req: func.HttpRequest) -> str:
    return "seen " + req.route_params.get("rest", "-")
"""
    app = write_app(tmp_path, code, {"extensions": {"http": {"routePrefix": ""}}})
    with Host(cloud, tmp_path, app) as running:
        assert running.ask("GET", "/").text == "seen -"
        assert running.ask("GET", "/administration").text == "seen administration"
        assert running.ask("GET", "/admin/host/status").status_code == 401
        assert running.ask("GET", "/runtime/webhooks/other").status_code == 404
        assert running.ask("POST", "/RUNTIME/Webhooks/EventGrid").status_code == 401
