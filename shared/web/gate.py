"""The gate in front of every route but the open ones: who calls, how often, from which page, with how large a body.

A token comes from the header Authorization or, for browsers, from where the platform's sign-in (Easy Auth) puts the
token of its cookie. Both are checked alike, by us; no other header says who somebody is. A cookie goes along with
whatever page asks for it, so that a write with a forwarded token must come from a page of our own (decision 0021).
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.core.errors import BadInput
from shared.web.auth import Caller, Door
from shared.web.limits import Limits
from shared.web.refusals import CrossSite, NotSignedIn

type Answers = Callable[[Request, Exception], Response]

_FORWARDED = ("x-ms-token-aad-id-token", "x-ms-token-aad-access-token")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_BODY = 65_536  # bytes


@dataclass(frozen=True, slots=True)
class Credential:
    """A token as it came. `is_forwarded`: the platform took it from a browser's cookie."""

    token: str
    is_forwarded: bool


def credential(headers: Headers) -> Credential:
    """Return the token of a request. Raises NotSignedIn; a bad Authorization header never falls back to another."""
    given = headers.getlist("authorization")
    if given:
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise NotSignedIn("send one token: Authorization: Bearer <token>")
        return Credential(token.strip(), is_forwarded=False)
    for name in _FORWARDED:
        if name in headers:
            return Credential(headers[name].strip(), is_forwarded=True)
    raise NotSignedIn("send a token: Authorization: Bearer <token>, or sign in with your browser")


def check_origin(request: Request) -> None:
    """Raise CrossSite unless a page of our own has sent this write: the cookie alone proves nothing.

    No other site can set Sec-Fetch-Site or Origin, nor send JSON or a header of its own without asking us first.
    """
    headers = request.headers
    scheme = headers.get("x-forwarded-proto", request.scope["scheme"]).rsplit(",", 1)[-1].strip()
    own, site = f"{scheme}://{headers.get('host', '')}", headers.get("sec-fetch-site")
    is_own = site == "same-origin" if site is not None else headers.get("origin", "").lower() == own.lower()
    if not is_own:
        raise CrossSite("a browser's sign-in changes something only from a page of this site, or send a bearer token")
    # A form of a page brings a token of its own, which its endpoint checks (console/forms.py).
    if not is_api(request.scope["path"]) and _media_type(headers) == "application/x-www-form-urlencoded":
        return
    if not is_json(headers) and "x-requested-with" not in headers:
        raise CrossSite("a browser's sign-in changes something only with application/json or X-Requested-With")


def is_json(headers: Headers) -> bool:
    """Tell whether the body of a request is said to be JSON."""
    return _media_type(headers) == "application/json"


def is_api(path: str) -> bool:
    """Tell whether a path is one for programs; whatever else there is, is for people."""
    return path == "/api" or path.startswith("/api/")


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def address(request: Request) -> str:
    """Return where a request comes from: the last hop is the one that the platform has added itself."""
    last = request.headers.get("x-forwarded-for", "").rsplit(",", 1)[-1].strip()
    if last:
        host, _, port = last.rpartition(":")
        return host if host and port.isdigit() and ("." in host or "]" in host) else last
    return request.client.host if request.client else ""


class Gate:
    """Lets nobody in without a token that counts, whether or not there is anything behind the path."""

    def __init__(self, app: ASGIApp, door: Door, limits: Limits, is_open: Callable[[str], bool], told: Answers) -> None:
        self._app, self._door, self._limits, self._is_open, self._told = app, door, limits, is_open, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller and its body, or answer why not."""
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            caller = await self._entered(request)
            body = await _read(receive) if request.method not in _READING else b""
            scope["state"] = {**(scope.get("state") or {}), "caller": caller, "body": body}
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - every way of failing here is a no, in one envelope; a bug is logged
            await self._told(request, error)(scope, receive, send)

    async def _entered(self, request: Request) -> Caller:
        writes = request.method not in _READING
        try:
            shown = credential(request.headers)
            # In a thread: the first token of a new key is checked against Entra over the network.
            caller = await run_in_threadpool(self._door.caller, shown.token)
        except NotSignedIn:
            self._limits.failed_sign_in(address(request))
            raise
        request.state.caller = caller  # whoever is turned away is told as whom
        self._limits.request(caller.object_id, writes=writes)
        caller.check(writes=writes)
        if writes and shown.is_forwarded:
            check_origin(request)
        return caller


async def _read(receive: Receive) -> bytes:
    """Return the body of a request. Raises BadInput where it is longer than anything we take."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _LONGEST_BODY:
            raise BadInput("BodyTooLong", f"a request has at most {_LONGEST_BODY} bytes")
        if not message.get("more_body"):
            return bytes(body)
