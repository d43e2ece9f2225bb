"""The host's front door: who may enter, HTTP functions, and the way to the webhook and admin pages.

Nothing from outside may claim to be signed in: the headers that App Service's authentication sets are removed, as
it does; those of a session of ours (`easyauth.py`) take their place. What a function answers is passed on as it is.
"""

import base64
import email.utils
import hmac
import logging
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator.host.bindings import Datum, Function
from simulator.host.config import Config
from simulator.host.hostjson import HostJson
from simulator.host.invoke import Invoker, Outcome
from simulator.host.routes import Table

type Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
type Session = Callable[[web.Request], dict[str, str]]

LOG = logging.getLogger("host")
MAX_BODY = 100 * 1024 * 1024
EASY_AUTH = ("x-ms-client-principal", "x-ms-token-")
HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}
SAME_SITE = {1: "lax", 2: "strict", 3: "none"}


class Keys:
    """Tells whether a request carries a key that suffices."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def master(self, request: web.Request) -> bool:
        """Whether it carries the master key."""
        return self._given(request, self._config.master_key)

    def system(self, request: web.Request) -> bool:
        """Whether it carries the key of the extensions, or the master key."""
        return self._given(request, self._config.system_key) or self.master(request)

    def function(self, request: web.Request, function: Function) -> bool:
        """Whether it may call a function, whose level may ask for nothing, a key, or the master key."""
        level = str(function.trigger.get("authLevel") or "FUNCTION").upper()
        if level == "ANONYMOUS" or self.master(request):
            return True
        keys = self._config.function_keys
        own = [keys[name] for name in (function.name, "default") if name in keys]
        return level == "FUNCTION" and any(self._given(request, key) for key in own)

    @staticmethod
    def _given(request: web.Request, key: str) -> bool:
        given = request.headers.get("x-functions-key") or request.query.get("code") or ""
        return bool(key) and hmac.compare_digest(given.encode(), key.encode())


class Door:
    """Sends each request to its handler."""

    def __init__(self, keys: Keys, table: Table, invoker: Invoker, host: HostJson) -> None:
        self._keys = keys
        self._table = table
        self._invoker = invoker
        self._host = host
        self.pages: dict[str, Handler] = {}  # of the host itself, by first segments
        self.session: Session = nobody  # what the app is told of who is signed in

    def app(self) -> web.Application:
        """Build the aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._enter)
        return app

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        response = await self._answer(request)
        for name, value in self._host.headers.items():
            response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        for prefix, handler in self.pages.items():
            if f"{path.lower()}/".startswith(f"{prefix}/"):
                return await handler(request, path[len(prefix) :].strip("/"))
        found = self._table.find(request.method, path)
        if found is None:
            home = path == "/" and request.method in {"GET", "HEAD"}
            return web.Response(text="Your Functions app is up and running.\n") if home else empty(404)
        function, params = found
        if not self._keys.function(request, function):
            return empty(401)
        try:
            value = await _incoming(request, params, self.session(request))
        except web.HTTPRequestEntityTooLarge:
            return empty(413)
        reason, parent = "This function was programmatically called via the host APIs.", "traceparent"
        outcome = await self._invoker.run(function, value, reason, parent=request.headers.get(parent))
        return _outgoing(function, outcome)


def empty(status: int) -> web.Response:
    """Answer with a status alone."""
    return web.Response(status=status)


async def nothing(_request: web.Request, _rest: str) -> web.StreamResponse:
    """Answer for a page of the host that does not exist: no function may stand in for it."""
    return empty(404)


def nobody(_request: web.Request) -> dict[str, str]:
    """Tell the app nothing: there is no sign-in in front of it."""
    return {}


async def _incoming(request: web.Request, params: dict[str, str], session: dict[str, str]) -> Datum:
    body = await request.read()
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        lower = name.lower()
        if not lower.startswith(EASY_AUTH):
            headers[lower] = f"{headers[lower]},{value}" if lower in headers else value
    query: dict[str, str] = {}
    for name, value in request.query.items():
        query[name] = f"{query[name]},{value}" if name in query else value
    sent = {
        "method": request.method,
        "url": f"http://{request.host}{request.rel_url.raw_path}" + _query(request),
        "headers": headers | session,
        "params": params,
        "query": query,
        "body": {"bytes": base64.b64encode(body).decode()} if body else {},
    }
    return {"http": sent}


def _query(request: web.Request) -> str:
    return f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""


def _outgoing(function: Function, outcome: Outcome) -> web.Response:
    output = next((one for one in function.outputs if one.kind == "http"), None)
    if not outcome.ok:
        return empty(500)
    answer = outcome.left.get(output.name, {}) if output is not None else {}
    if "http" not in answer:
        text = answer.get("string", answer.get("json", ""))
        return web.Response(text=text) if text else web.Response(body=_body(answer))
    sent: dict[str, Any] = answer["http"]
    response = web.Response(status=int(sent["status"]), body=_body(sent["body"]))
    for name, value in sent["headers"].items():
        if name.lower() not in HOP:
            response.headers[name] = value
    for cookie in sent["cookies"]:
        response.headers.add("Set-Cookie", _cookie(cookie))
    return response


def _body(datum: Datum) -> bytes:
    if "bytes" in datum:
        return base64.b64decode(datum["bytes"])
    return str(datum.get("string", datum.get("json", ""))).encode()


def _cookie(sent: dict[str, Any]) -> str:
    """Write a cookie as ASP.NET does: the value escaped, the path never absent."""
    parts = [f"{sent['name']}={urllib.parse.quote(sent['value'], safe='')}"]
    if sent["expires"] is not None:
        parts.append(f"expires={email.utils.formatdate(sent['expires'], usegmt=True)}")
    if sent["max_age"] is not None:
        parts.append(f"max-age={sent['max_age']:.0f}")
    if sent["domain"]:
        parts.append(f"domain={sent['domain']}")
    parts.append(f"path={sent['path'] or '/'}")
    if sent["secure"]:
        parts.append("secure")
    if sent["same_site"] in SAME_SITE:
        parts.append(f"samesite={SAME_SITE[sent['same_site']]}")
    if sent["http_only"]:
        parts.append("httponly")
    return "; ".join(parts)
