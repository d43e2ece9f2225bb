"""The TLS port: off the wire, through the faults and the gate, into the journal, and back.

One low-level aiohttp server without a route table: the path itself says where a request goes. Nothing of Azure's
rules is in here, only its headers.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from simulator.arm.answer import Answer, Refused
from simulator.arm.dataplane.plane import Plane, VaultRequest
from simulator.arm.entra import Entra
from simulator.arm.faults import Fault
from simulator.arm.gate import Gate, Request
from simulator.arm.msgraph import MsGraph, audiences
from simulator.arm.nasty import Strike
from simulator.arm.router import Target, route
from simulator.arm.sim import Sim
from simulator.arm.tokens import ARM_AUDIENCES, Caller

NOBODY = Caller("", "", is_person=False, claims={})
BEGINNING = str(uuid.uuid4()).rpartition("-")[0]
COUNT = itertools.count(1)
JSON_TYPE = "application/json; charset=utf-8"


class Arm:
    """Handles every request on the TLS port."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim
        self._gate = Gate(sim)
        self._plane = Plane(sim)
        self._graph = MsGraph(sim.config, sim.knobs, sim.directory)
        self.entra = Entra(sim.config, sim.tokens)

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        started = time.perf_counter()
        path, query = tidy(raw.path), lower_names(raw.query_string)
        content = await raw.content.read() if raw.body_exists else b""
        base = f"https://{raw.host}"
        if self._plane.covers(raw.host):
            return await self._at_vault(raw, path, query, content, started)
        answer = await self._sign_in(raw, path, base, query, content)
        if answer is not None:
            return wire(raw, answer)
        graph = audiences(path, raw.host, self._sim.config.tenant)
        caller, refusal = self._identify(raw, graph or ARM_AUDIENCES)
        target = route(path)
        fault = self._met(raw.method, path, target, caller)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault and fault.cut == "before":
            return self._cut(raw, caller, started)
        correlation = raw.headers.get("x-ms-correlation-request-id") or _number()
        left, busy = ({}, refusal) if refusal or graph else self._sim.throttle.admit(raw.method, target, caller.oid)
        answer = (fault.answer() if fault else None) or busy
        if answer is None and graph:
            answer = self._graph.answer(raw.method, path, query, content, caller)
        elif answer is None:
            answer = self._gate.answer(
                Request(raw.method, path, base, query, raw.headers, content, caller, correlation)
            )
            self._sim.samples.note(raw.method, path, query.get("api-version", ""), answer)
        if fault and fault.cut == "after":
            return self._cut(raw, caller, started)
        answer = (fault.late if fault else None) or answer
        _dress(answer, left, correlation)
        self._note(raw, caller, answer.status, started)
        if fault and fault.cut == "body":
            return await _torn(raw, answer)
        return wire(raw, answer)

    async def _at_vault(
        self, raw: web.BaseRequest, path: str, query: Mapping[str, str], content: bytes, started: float
    ) -> web.StreamResponse:
        """A call to a vault's own address, with the same faults; the path that rules and the journal see is whole."""
        caller, refusal = NOBODY, None
        try:
            caller = self._plane.identify(raw.host, raw.headers.get("Authorization"))
        except Refused as refused:
            refusal = refused.answer()
        where = place(raw)
        fault = self._sim.faults.pick(raw.method, where, caller.name or caller.oid) if self._sim.faults else None
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault and fault.cut == "before":
            return self._cut(raw, caller, started)
        mark = raw.headers.get("x-ms-client-request-id") or str(uuid.uuid4())
        request = VaultRequest(raw.host, raw.method, path, query, content, mark)
        answer = fault.answer() if fault else None
        if answer is None:
            answer = await self._plane.answer(request, caller, refusal)
            self._sim.samples.note(raw.method, path, query.get("api-version", ""), answer)
        if answer is None or (fault and fault.cut == "after"):
            return self._cut(raw, caller, started)
        self._note(raw, caller, answer.status, started)
        if fault and fault.cut == "body":
            return await _torn(raw, answer)
        return wire(raw, answer)

    def _met(self, method: str, path: str, target: Target, caller: Caller) -> Fault | Strike | None:
        """What stands in the way of this request: an ordered fault, else what chance brings to those who signed in."""
        fault = self._sim.faults.pick(method, path, caller.name or caller.oid) if self._sim.faults else None
        if fault or caller is NOBODY or not self._sim.nasty:
            return fault
        return self._sim.nasty.pick(method, target, caller.name, caller.oid)

    async def _sign_in(
        self, raw: web.BaseRequest, path: str, base: str, query: Mapping[str, str], content: bytes
    ) -> Answer | None:
        """Token and discovery calls: not ARM's, so neither journaled nor guarded."""
        lower = path.lower()
        if lower.startswith("/subscriptions"):
            return None
        fault: Fault | None = None
        if lower == "/msi/token":
            fault = self._sim.faults.pick(raw.method, path, "") if self._sim.faults else None
            return (fault.answer() if fault else None) or self.entra.managed_identity(
                query, raw.headers.get("X-IDENTITY-HEADER")
            )
        form = dict(parse_qsl(content.decode("utf-8", "replace")))
        return self.entra.answer(raw.method, path, base, query, form)

    def _identify(self, raw: web.BaseRequest, wanted: frozenset[str]) -> tuple[Caller, Answer | None]:
        try:
            return self._sim.tokens.check(raw.headers.get("Authorization"), raw.host, wanted), None
        except Refused as refusal:
            return NOBODY, refusal.answer()

    def _cut(self, raw: web.BaseRequest, caller: Caller, started: float) -> web.StreamResponse:
        """Reset the connection: the client learns nothing."""
        self._note(raw, caller, 0, started)
        if raw.transport is not None:
            raw.transport.abort()
        return web.Response(status=499)

    def _note(self, raw: web.BaseRequest, caller: Caller, status: int, started: float) -> None:
        self._sim.journal.note(
            caller=caller.name,
            oid=caller.oid,
            method=raw.method,
            path=place(raw),
            query=raw.query_string,
            status=status,
            seconds=time.perf_counter() - started,
        )


def place(raw: web.BaseRequest) -> str:
    """The path that the journal and the faults see; at a vault's own address the address is part of it."""
    host = raw.host.partition(":")[0]
    return f"https://{host}{tidy(raw.path)}" if Plane.covers(host) else tidy(raw.path)


def _dress(answer: Answer, left: dict[str, str], correlation: str) -> None:
    """The headers that ARM puts on everything."""
    answer.headers.setdefault("x-ms-request-id", _number())
    answer.headers.setdefault("x-ms-correlation-request-id", correlation)
    answer.headers.update(left)


def _number() -> str:
    """A GUID for a request: of a random beginning and a count, which is cheaper than a random one for each."""
    return f"{BEGINNING}-{next(COUNT):012x}"


def tidy(path: str) -> str:
    """`//` is one slash and a trailing one is none (LOCAL 8)."""
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"


def lower_names(query: str) -> dict[str, str]:
    """The query, its names in lower case: ARM does not care for theirs."""
    return {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}


def wire(raw: web.BaseRequest, answer: Answer) -> web.Response:
    """An answer as bytes."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    body = b"" if raw.method == "HEAD" else encoded(answer.body)
    return web.Response(status=answer.status, body=body, headers={"Content-Type": JSON_TYPE, **answer.headers})


def encoded(body: Any) -> bytes:
    """JSON, unless it is text already."""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


async def _torn(raw: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Promise the whole body, send half of it and hang up."""
    body = encoded(answer.body if answer.body is not None else {})
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": JSON_TYPE, **answer.headers})
    response.content_length = len(body)
    await response.prepare(raw)
    await response.write(body[: len(body) // 2])
    if raw.transport is not None:
        raw.transport.close()
    return response
