"""Easy Auth in front of an app: who is told to the app, who is not, and where a browser is sent."""

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from aiohttp.test_utils import make_mocked_request

from simulator.client import Client
from simulator.host.config import Person, Refusal, SignIn, load
from simulator.host.easyauth import COOKIE, EasyAuth, Session, local
from simulator.host.pages import picker
from simulator.ports import chosen
from simulator.stack import Stack

TOY = Path(__file__).with_name("toy")
DANA = "9e000004-6b1a-4d55-8e0b-aa0000000004"
PIPELINE = "9e000006-6b1a-4d55-8e0b-aa0000000006"
CLAIM = "http://schemas.microsoft.com/identity/claims/"
SUBJECT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


@dataclass
class Browser:
    """A browser that follows no redirect by itself."""

    client: Client
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request with whatever cookies there are."""
        url = f"{self.client.facts['functions']}{path}"
        return self.session.request(method, url, allow_redirects=False, timeout=30, **options)

    def begin(self, query: str = "") -> dict[str, str]:
        """Open the sign-in page, and return what its form sends along."""
        text = self.ask("GET", f"/.auth/login/aad{query}").text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text))

    def sign_in(self, query: str = "", account: str = DANA) -> requests.Response:
        """Pick somebody."""
        form = {**self.begin(query), "account": account}
        return self.ask("POST", "/.auth/login/aad/callback", data=form)

    def seen(self, **headers: str) -> dict[str, str]:
        """Return the headers that the app sees."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found: dict[str, str] = self.ask("GET", "/api/echo", headers=named).json()["headers"]
        return found


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The local Azure with an app that shows what it sees."""
    folder = tmp_path_factory.mktemp("toys")
    settings = {"TIMERS_OFF": "1", "QUEUE": "work", "FORWARD": "forwarded", "JOURNAL": str(folder / "journal")}
    with Stack(chosen("random"), folder / "local", settings, app=TOY) as stack:
        yield Client(stack.facts)


@pytest.fixture
def browser(toys: Client) -> Browser:
    """A browser without cookies."""
    return Browser(toys)


def test_the_app_is_told_who_has_signed_in(browser: Browser, toys: Client) -> None:
    """An id token as Entra makes it, signed by the tenant for the client; and the principal, decoded by the platform."""
    browser.sign_in()
    seen = browser.seen()
    keys = toys.get(f"{toys.facts['arm']}/{toys.facts['tenant']}/discovery/v2.0/keys", {}, {}).json()["keys"]
    client = "c11e0001-3d7a-4c52-9f1b-6a0e8d2b0501"
    claims = jwt.decode(seen["x-ms-token-aad-id-token"], jwt.PyJWK(keys[0]), ["RS256"], audience=client)

    assert claims.keys() == {
        "aud", "exp", "iat", "iss", "name", "nbf", "nonce", "oid", "preferred_username", "rh", "roles", "sub", "tid",
        "uti", "ver",
    }  # fmt: skip
    assert claims["iss"] == f"https://login.microsoftonline.com/{toys.facts['tenant']}/v2.0"
    assert (claims["oid"], claims["name"], claims["roles"]) == (DANA, "Dana Admin", ["Remediation.Admin"])
    assert (claims["preferred_username"], claims["exp"] - claims["iat"]) == ("dana.admin@example.com", 3900)
    assert claims["sub"] not in {DANA, jwt.decode(_token(toys), options={"verify_signature": False})["sub"]}
    assert re.fullmatch(r"[0-9a-f]{32}_\d{14}", claims["nonce"])
    assert {name: value for name, value in seen.items() if name.startswith("x-ms-client-principal-")} == {
        "x-ms-client-principal-id": DANA,
        "x-ms-client-principal-idp": "aad",
        "x-ms-client-principal-name": "dana.admin@example.com",
    }
    assert "x-ms-token-aad-access-token" not in seen
    principal = json.loads(base64.b64decode(seen["x-ms-client-principal"]))
    assert principal["auth_typ"] == "aad"
    assert {"typ": f"{CLAIM}objectidentifier", "val": DANA} in principal["claims"]
    assert {"typ": "roles", "val": "Remediation.Admin"} in principal["claims"]


def _token(toys: Client) -> str:
    token: str = next(it["token"] for it in toys.facts["people"] if it["object_id"] == DANA)
    return token


def test_who_has_not_signed_in_reaches_the_app_as_nobody(browser: Browser) -> None:
    """Whatever names they give themselves, and whatever cookie they make up."""
    forged = {"x_ms_client_principal": "x", "X_MS_CLIENT_PRINCIPAL_NAME": "x", "x_ms_token_aad_id_token": "x"}
    seen = browser.seen(**forged, cookie=f"{COOKIE}=made-up")

    assert [name for name in seen if name.startswith("x-ms-")] == []
    assert browser.ask("GET", "/.auth/me").status_code == 401


def test_a_session_says_who_it_is_whatever_its_browser_claims(browser: Browser) -> None:
    """Forged headers beside a cookie are replaced."""
    browser.sign_in()
    seen = browser.seen(X_MS_CLIENT_PRINCIPAL_ID="somebody-else", X_MS_TOKEN_AAD_ACCESS_TOKEN="forged")

    assert seen["x-ms-client-principal-id"] == DANA
    assert "x-ms-token-aad-access-token" not in seen


def test_me(browser: Browser) -> None:
    """The shape that Azure's answer has without a client secret: no access token, claims renamed, all values text."""
    browser.sign_in()
    (known,) = browser.ask("GET", "/.auth/me").json()
    claims = {claim["typ"]: claim["val"] for claim in known["user_claims"]}

    assert known.keys() == {"id_token", "provider_name", "user_claims", "user_id"}
    assert (known["provider_name"], known["user_id"]) == ("aad", "dana.admin@example.com")
    assert claims.keys() >= {f"{CLAIM}objectidentifier", f"{CLAIM}tenantid", SUBJECT, "aud", "exp", "nonce", "roles"}
    assert not claims.keys() & {"oid", "sub", "tid"}
    assert claims["exp"].isdigit()


def test_the_cookie(browser: Browser) -> None:
    """No script reads it; it ends with the browser; the nonce is gone after use; nothing is kept in a cache."""
    answer = browser.sign_in("?post_login_redirect_uri=/api/items/7%3Fa%3D1")
    nonce, session = answer.raw.headers.getlist("Set-Cookie")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/items/7?a=1")
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; HttpOnly; Path=/", session)
    assert nonce.startswith('Nonce="";')
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", [{"account": PIPELINE}, {"account": "nobody"}, {"nonce": "another"}, {"nonce": ""}])
def test_a_sign_in_that_did_not_begin_here_ends_nowhere(browser: Browser, change: dict[str, str]) -> None:
    """An application cannot be picked, and a form of another site knows no nonce."""
    form = {**browser.begin(), "account": DANA, **change}
    answer = browser.ask("POST", "/.auth/login/aad/callback", data=form)

    assert answer.status_code == 401
    assert COOKIE not in browser.session.cookies


def test_without_the_nonce_cookie_nobody_signs_in(browser: Browser) -> None:
    """A form sent from elsewhere comes without it."""
    form = {**browser.begin(), "account": DANA}
    browser.session.cookies.clear()

    assert browser.ask("POST", "/.auth/login/aad/callback", data=form).status_code == 401


def test_signing_out(browser: Browser) -> None:
    """The session is over for whoever has kept the cookie, too; other sessions go on."""
    browser.sign_in()
    other = Browser(browser.client)
    other.sign_in()
    kept = dict(browser.session.cookies)
    answer = browser.ask("GET", "/.auth/logout?post_logout_redirect_uri=/api/text")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/text")
    assert dict(browser.session.cookies) == {}
    browser.session.cookies.update(kept)
    assert browser.ask("GET", "/.auth/me").status_code == 401
    assert other.ask("GET", "/.auth/me").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "me"), ("GET", "login/aad/callback"), ("GET", "login/github"), ("POST", "login/aad"), ("GET", "")],
)
def test_other_pages_are_not_the_apps(browser: Browser, method: str, path: str) -> None:
    """Nothing below /.auth reaches a function."""
    assert browser.ask(method, f"/.auth/{path}").status_code == 404


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/rows?state=failed&x=%2F%2F#top", "/rows?state=failed&x=%2F%2F#top"),
        ("http://app.example/rows", "/rows"),
        ("", ""),
        ("rows", ""),
        ("https://app.example/rows", ""),
        ("http://app.example.evil.example/", ""),
        ("http://app.example@evil.example/", ""),
        ("http://app.example//evil.example/", ""),
        ("//evil.example", ""),
        ("/\\evil.example", ""),
        ("\\\\evil.example", ""),
        ("/\t/evil.example", ""),
        ("/\n/evil.example", ""),
        ("/rows\r\nSet-Cookie: a=b", ""),
        (" //evil.example", ""),
        ("javascript:alert(1)", ""),
        ("/ü", ""),
    ],
)
def test_a_target_is_a_path_of_this_site(target: str, path: str) -> None:
    """Whatever a browser could read as another site is none."""
    request = make_mocked_request("GET", "/", headers={"Host": "app.example"})

    assert local(request, target) == path


def test_a_session_ends() -> None:
    """After its time a cookie is worth nothing, and the session is dropped when the next one comes."""
    easy_auth = EasyAuth(SignIn("client", "http://127.0.0.1:1/", []))
    claims = {"preferred_username": "ada", "oid": "ada-oid"}
    over = easy_auth.keep(Session("token", claims, time.time() - 1))
    going = easy_auth.keep(Session("token", claims, time.time() + 60))

    def told(key: str) -> dict[str, str]:
        return easy_auth.headers(make_mocked_request("GET", "/", headers={"Cookie": f"{COOKIE}={key}"}))

    assert told(over) == {}
    assert told(going)["x-ms-client-principal-id"] == "ada-oid"


def test_hostile_names_are_text() -> None:
    """Who is shown on the page cannot become a part of it."""
    people = [Person('"><script>alert(1)</script>', "<b>Eve</b>", ["<i>role</i>"])]
    text = picker(people, {"state": '"><img src=x>'}).text or ""

    assert [tag for tag in ("<script", "<b>", "<i>", "<img") if tag in text] == []
    assert "&lt;b&gt;Eve&lt;/b&gt;" in text


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "x"}, {"client_id": "x", "id_tokens": "y", "people": [{"name": "z"}]}, {"people": [], "odd": 1}],
)
def test_half_a_sign_in_is_refused(tmp_path: Path, toys: Client, wrong: dict[str, Any]) -> None:
    """The host does not start with it, and says why."""
    known = json.loads((Path(toys.facts["ca"]).parent.parent / "host.json").read_text())
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**known, "sign_in": wrong}))

    with pytest.raises(Refusal, match="'sign_in' is not complete"):
        load(path)


@pytest.mark.parametrize("who", [PIPELINE, "nobody"])
def test_no_id_token_is_made_for_an_application(toys: Client, who: str) -> None:
    """The management port knows people alone."""
    with pytest.raises(requests.HTTPError, match="400"):
        toys.manage("POST", "/id-tokens", {"object_id": who, "client_id": "client", "nonce": "n"})
