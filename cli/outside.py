"""The doctor from outside: what only a caller can see, as the address, the certificate, the token and who else gets in."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from cli import claims
from cli.app_client import Answer, AppClient, Unreachable, is_here
from cli.login import NotSignedIn
from cli.version import VERSION

FIELDS = frozenset({"name", "area", "result", "message", "todo"})
PASS, WARN, UNKNOWN, FAIL = "pass", "warn", "unknown", "fail"
_OFF, _ODD = timedelta(seconds=60), timedelta(seconds=10)  # tokens are taken with a minute's leeway
_SOON = timedelta(minutes=5)
_DOOR = "look at the gate of the API: nobody may get in so; take the app off the network until you know why"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, as the app tells of its own."""

    name: str
    area: str
    result: str
    message: str
    todo: str = ""

    def told(self) -> dict[str, str]:
        """Return it as the API would."""
        return asdict(self)


def checks(app: AppClient) -> Iterator[Check]:
    """Yield what a caller sees. Where there is no app, nothing else is looked at."""
    before = datetime.now(UTC)
    try:
        health = app.raw("GET", "/api/health", {}, bearer=False)
    except Unreachable as error:
        yield Check(
            "reachable",
            "outside",
            FAIL,
            f"{app.url}: {error}",
            "is the address right, is the app running, does a firewall let you through?",
        )
        return
    after = datetime.now(UTC)
    found = is_ours(health)
    if not found:
        yield Check(
            "reachable",
            "outside",
            FAIL,
            f"{app.url} answers {health.status} and is not cmkwarden",
            "look at --url: is it the address of the app, without a path?",
        )
        return
    yield Check("reachable", "outside", PASS, f"{app.url} is cmkwarden")
    yield _tls(app.url)
    yield _version(found)
    yield _clock(health.headers.get("date", ""), before, after)
    yield from _token(app)
    yield from _strangers(app)


def is_ours(answer: Answer) -> str:
    """Return the version that the app says it is; '' where it is another."""
    body = answer.body
    is_ours = answer.status == 200 and isinstance(body, dict) and body.get("status") == "ok"
    return str(body.get("version") or "") if is_ours else ""


def _tls(url: str) -> Check:
    if urlsplit(url).scheme == "https":
        return Check("tls", "outside", PASS, "the certificate is good for this address")
    result = PASS if is_here(url) else FAIL
    return Check(
        "tls", "outside", result, "plain HTTP, on this machine alone", "" if result is PASS else "use https://"
    )


def _version(theirs: str) -> Check:
    if theirs == VERSION:
        return Check("version", "outside", PASS, f"app and command line are both {VERSION}")
    return Check(
        "version", "outside", WARN, f"the app is {theirs}, this command line {VERSION}", f"install cmkwarden {theirs}"
    )


def _clock(date: str, before: datetime, after: datetime) -> Check:
    try:
        theirs = parsedate_to_datetime(date).astimezone(UTC)
    except (TypeError, ValueError):
        return Check("clock", "outside", UNKNOWN, "the app's answer has no header Date", "")
    off = max(before - theirs - timedelta(seconds=1), theirs - after, timedelta(0))
    if off < _ODD:
        return Check("clock", "outside", PASS, "your clock agrees with the app's")
    return Check(
        "clock",
        "outside",
        FAIL if off > _OFF else WARN,
        f"your clock and the app's are {off.total_seconds():.0f} seconds apart",
        "set your clock: tokens are good for a time only",
    )


def _token(app: AppClient) -> Iterator[Check]:
    try:
        token = app.bearer()
    except NotSignedIn as error:
        yield Check("token", "outside", FAIL, str(error), "sign in, then ask again")
        return
    answer = _tried(app, {}, bearer=True)
    reason = answer.body.get("reason") if answer is not None and isinstance(answer.body, dict) else ""
    if answer is None or answer.status == 503:
        yield Check(
            "token",
            "outside",
            FAIL,
            "the app could not check the token: it does not reach the keys that sign it",
            "look at CMK_AUTHORITY_URL and CMK_TENANT_ID, and whether the app reaches them",
        )
    elif answer.status == 200:
        yield from _roles(token)
    else:
        detail = answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
        yield Check(
            "token",
            "outside",
            FAIL,
            f"the app does not take the token ({reason or answer.status}): {detail}",
            "get a token for CMK_API_AUDIENCE (--scope), and one of the app roles",
        )


def _roles(token: str) -> Iterator[Check]:
    held, end = claims.roles(token), claims.ends(token)
    yield Check(
        "token", "outside", PASS, f"the app takes the token; its roles: {', '.join(held) or 'none that we can read'}"
    )
    if end and end - datetime.now(UTC) < _SOON:
        yield Check(
            "token-end",
            "outside",
            WARN,
            f"the token ends at {end:%H:%M} UTC",
            "get a new one before you decide anything",
        )


def _strangers(app: AppClient) -> Iterator[Check]:
    """Try to get in without a token, and as somebody whom only a header names."""
    yield _shut(_tried(app, {}, bearer=False), "no-token", "without a token")
    forged = {
        "X-MS-CLIENT-PRINCIPAL": _principal(),
        "X-MS-CLIENT-PRINCIPAL-NAME": "admin",
        "X-MS-CLIENT-PRINCIPAL-ID": "0",
    }
    yield _shut(_tried(app, forged, bearer=False), "forged-principal", "with a forged X-MS-CLIENT-PRINCIPAL")


def _shut(answer: Answer | None, name: str, how: str) -> Check:
    if answer is None:
        return Check(name, "outside", UNKNOWN, f"a call {how} got no answer", "ask again")
    if answer.status == 401:
        return Check(name, "outside", PASS, f"a call {how} is 401")
    if answer.status in {302, 303, 307, 403}:
        return Check(
            name,
            "outside",
            WARN,
            f"a call {how} is {answer.status}: something in front of the API answers",
            "let requests without a sign-in through to the app: it answers 401 itself",
        )
    if answer.status >= 500 or answer.status == 429:
        return Check(name, "outside", UNKNOWN, f"a call {how} is {answer.status}", "ask again")
    return Check(name, "outside", FAIL, f"a call {how} is {answer.status}", _DOOR)


def _tried(app: AppClient, headers: dict[str, str], *, bearer: bool) -> Answer | None:
    try:
        return app.raw("GET", "/api/openapi.json", headers, bearer=bearer)
    except Unreachable:
        return None


def _principal() -> str:
    claim = {"typ": "roles", "val": "Remediation.Admin"}
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": [claim], "role_typ": "roles"}).encode()).decode()


def is_fault(found: Sequence[Any]) -> bool:
    """Tell whether a check has failed."""
    return any(it["result"] == FAIL for it in found)
