"""The Event Grid extension's webhook: the handshakes, and one run of the function per event.

All events of a body run in parallel; the answer waits for all of them and is 500 when one failed, after which
Event Grid sends the whole body again. It does not look into events.
"""

import asyncio
import json
import re
from typing import Any

from aiohttp import web

from simulator.host.bindings import Function
from simulator.host.http import Keys, empty
from simulator.host.invoke import Invoker

LIMIT = 1024 * 1024 + 64 * 1024  # Event Grid's megabyte, and room for what wraps it
DEPTH = 64  # Newtonsoft's MaxDepth
TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)  # possessive: linear on garbage too


class Webhook:
    """Answers /runtime/webhooks/eventgrid."""

    def __init__(self, keys: Keys, functions: list[Function], invoker: Invoker) -> None:
        self._keys = keys
        self._functions = {one.name.lower(): one for one in functions if one.kind == "event"}
        self._invoker = invoker

    async def answer(self, request: web.Request, rest: str) -> web.StreamResponse:
        """Check key and function, then follow the kind of message that a header names."""
        if rest:
            return empty(404)
        if not self._keys.system(request):
            return empty(401)
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            return _cloud_handshake(request)
        kind = request.headers.get("aeg-event-type", "").lower()
        if request.method != "POST" or kind not in {"subscriptionvalidation", "notification", "unsubscribe"}:
            return empty(400)
        if kind == "unsubscribe":
            return empty(202)
        try:
            body = parse(await _limited(request))
        except ValueError as wrong:
            return web.Response(status=400, text=str(wrong))
        if kind == "subscriptionvalidation":
            return _handshake(body)
        return await self._notify(function, body)

    async def _notify(self, function: Function, body: Any) -> web.Response:
        if not isinstance(body, list | dict):
            return web.Response(status=400, text="neither an array nor an object")
        events = body if isinstance(body, list) else [body]
        reason = "EventGrid trigger fired"
        outcomes = await asyncio.gather(
            *(self._invoker.run(function, {"json": _text(event)}, reason) for event in events)
        )
        failed = next((one for one in outcomes if not one.ok), None)
        if failed is None:
            return empty(202)
        return web.Response(status=500, text=failed.error.partition("\n")[0])


def parse(raw: bytes) -> Any:
    """Read a body as the host does; raise ValueError when it would refuse it."""
    text = raw.decode("utf-8-sig", "replace")
    depth = 0
    for token in TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"The reader's MaxDepth of {DEPTH} has been exceeded.")
        elif token[0] in "]}":
            depth -= 1
    return json.loads(text)


def _text(event: Any) -> str:
    """Write an event; half a surrogate pair becomes the replacement character, as on its way through gRPC."""
    text = json.dumps(event, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def _limited(request: web.Request) -> bytes:
    if (request.content_length or 0) > LIMIT:
        raise web.HTTPRequestEntityTooLarge(LIMIT, request.content_length or 0)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LIMIT:
            raise web.HTTPRequestEntityTooLarge(LIMIT, len(body))
    return bytes(body)


def _handshake(body: Any) -> web.Response:
    event = body[0] if isinstance(body, list) and body else body
    data = event.get("data") if isinstance(event, dict) else None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        return web.Response(status=400, text="no validationCode")
    return web.json_response({"validationResponse": code})


def _cloud_handshake(request: web.Request) -> web.Response:
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return empty(400)
    headers = {"WebHook-Allowed-Origin": origin}
    rate = request.headers.get("WebHook-Request-Rate")
    return web.Response(headers=headers | ({"WebHook-Allowed-Rate": rate} if rate else {}))
