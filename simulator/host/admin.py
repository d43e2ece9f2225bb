"""The admin pages: run a function by hand, ask how the host is, move the clock of pending timers.

Every page needs the master key. Nothing here changes a function or a setting.
"""

import asyncio
import math
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.host.bindings import Function
from simulator.host.http import Keys, empty
from simulator.host.invoke import Invoker, Outcome, manual
from simulator.host.link import Link
from simulator.host.timers import Clock

PAGE = 4096


class Admin:
    """Answers /admin/..."""

    def __init__(self, keys: Keys, functions: list[Function], invoker: Invoker, link: Link, clock: Clock) -> None:
        self._keys = keys
        self._functions = {one.name.lower(): one for one in functions}
        self._invoker = invoker
        self._link = link
        self._clock = clock
        self._running: set[asyncio.Task[Outcome]] = set()

    async def answer(self, request: web.Request, rest: str) -> web.StreamResponse:
        """Find the page."""
        if not self._keys.master(request):
            return empty(401)
        page = (request.method, rest.lower())
        if page == ("GET", "host/status"):
            return web.json_response(self._state())
        if page[0] == "POST" and page[1].startswith("functions/"):
            return await self._invoke(request, rest.partition("/")[2])
        if page == ("POST", "stack/clock"):
            return await self._advance(request)
        return empty(404)

    def _state(self) -> dict[str, Any]:
        return {
            "state": "Running" if self._link.pid is not None else "Starting",
            "functions": [one.name for one in self._functions.values()],
            "worker_pid": self._link.pid,
            "worker_memory": _memory(self._link.pid),
            "in_flight": self._link.in_flight,
            "clock": self._clock.now().isoformat(),
        }

    async def _invoke(self, request: web.Request, name: str) -> web.Response:
        function = self._functions.get(name.lower())
        if function is None:
            return empty(404)
        body = await _json(request)
        text = body.get("input") if isinstance(body, dict) else None
        if not isinstance(text, str | None) or not isinstance(body, dict):
            return web.Response(status=400, text='the body must be {"input": "text"}')
        value, metadata = manual(function, text or "")
        task = asyncio.create_task(
            self._invoker.run(function, value, "This function was programmatically called.", metadata)
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return empty(202)

    async def _advance(self, request: web.Request) -> web.Response:
        body = await _json(request)
        seconds = body.get("advance") if isinstance(body, dict) else None
        if not isinstance(seconds, int | float) or not math.isfinite(seconds) or not 0 <= seconds <= 1e9:
            return web.Response(status=400, text='the body must be {"advance": seconds}')
        self._clock.advance(seconds)
        return web.json_response({"now": self._clock.now().isoformat()})


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        return None


def _memory(pid: int | None) -> int | None:
    """Tell how many bytes the worker occupies, where the system tells it."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return None
