"""Joins the parts: reads the app, opens the door, starts the triggers, and ends them all in time.

The order matters: the ready line is printed when everything listens; on the way down triggers stop first, and
the worker goes last.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web
from azure.core.exceptions import AzureError

from simulator.host import bindings, hostjson, storage
from simulator.host.admin import Admin
from simulator.host.bindings import Function, Output
from simulator.host.config import Config, Refusal
from simulator.host.easyauth import EasyAuth
from simulator.host.http import Door, Keys, nothing
from simulator.host.invoke import Invoker
from simulator.host.link import Link
from simulator.host.queues import Listener
from simulator.host.routes import Table
from simulator.host.timers import Clock, Timer
from simulator.host.webhook import Webhook

LOG = logging.getLogger("host")
GRACE = 0.8  # seconds that running functions get when the host ends


class Triggers:
    """What starts functions by itself: queues and timers."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._timers: list[asyncio.Task[None]] = []
        self._polls: list[asyncio.Task[None]] = []
        self.failed = asyncio.Event()

    def wake(self, connection: str, queue: str) -> None:
        """Tell the listeners of a queue that a message is there."""
        for listener in self.listeners:
            if (listener.function.connection, listener.function.queue) == (connection, queue):
                listener.wake()

    def start(self, timers: list[Timer]) -> None:
        """Start all of them."""
        for listener in self.listeners:
            listener.poisoned = self.wake
            self._polls.append(self._spawn(listener.run()))
        self._timers.extend(self._spawn(timer.run()) for timer in timers)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            LOG.critical("a trigger failed: %r", task.exception())
            self.failed.set()

    async def stop(self) -> None:
        """Stop polling, wait a little for what runs, give the leases back."""
        await asyncio.gather(*(listener.stop(GRACE) for listener in self.listeners))
        for task in self._timers:
            task.cancel()
        tasks = self._timers + self._polls
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)
        for task in tasks:
            task.cancel()


async def run(config: Config) -> int:
    """Run the host until it is cancelled or cannot go on."""
    host = hostjson.load(config.app)
    logging.getLogger().setLevel(host.level)
    async with AsyncExitStack() as stack:
        link = Link(config, host.level)
        stack.push_async_callback(link.stop)
        functions = bindings.read(await link.start(), config, host)
        stores = await stack.enter_async_context(storage.connect(config))
        triggers = Triggers()
        invoker = Invoker(link, stores, host, lambda output: _wake(triggers, output))
        clock = Clock()
        timers = await _prepare(functions, config, stores, invoker, triggers, host, clock)
        door = _door(functions, config, host, invoker, link, clock)
        port = await stack.enter_async_context(_listen(door, config))
        triggers.start(timers)
        stack.push_async_callback(triggers.stop)
        _announce(config, port, functions, link)
        ends = [asyncio.create_task(event.wait()) for event in (link.broken, triggers.failed)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return 1


def _wake(triggers: Triggers, output: Output) -> None:
    triggers.wake(output.connection, output.queue)


async def _prepare(
    functions: list[Function],
    config: Config,
    stores: storage.Storage,
    invoker: Invoker,
    triggers: Triggers,
    host: hostjson.HostJson,
    clock: Clock,
) -> list[Timer]:
    try:
        for function in functions:
            for output in function.outputs:
                if output.kind == "queue":
                    stores.queue(output.connection, output.queue)  # refuses a missing setting now, not later
            if function.kind == "queue":
                triggers.listeners.append(Listener(function, stores, invoker, host.queues, config.hold_seconds))
        await stores.prove()
        await asyncio.gather(*(listener.create() for listener in triggers.listeners))
    except AzureError as wrong:
        raise Refusal(f"storage cannot be used: {wrong}") from wrong
    host_id = (
        config.setting("AzureFunctionsWebHost__hostid") or config.setting("WEBSITE_SITE_NAME") or "local"
    ).lower()
    scheduled = [function for function in functions if function.kind == "timer"]
    locks = stores.locks() if scheduled else None
    return [Timer(function, locks, invoker, clock, host_id[:32]) for function in scheduled if locks is not None]


def _door(
    functions: list[Function],
    config: Config,
    host: hostjson.HostJson,
    invoker: Invoker,
    link: Link,
    clock: Clock,
) -> Door:
    keys = Keys(config)
    door = Door(keys, Table(functions, host.route_prefix), invoker, host)
    door.pages["/runtime/webhooks/eventgrid"] = Webhook(keys, functions, invoker).answer
    door.pages["/runtime"] = nothing
    door.pages["/admin"] = Admin(keys, functions, invoker, link, clock).answer
    if config.sign_in is not None:
        easy_auth = EasyAuth(config.sign_in)
        door.pages["/.auth"], door.session = easy_auth.answer, easy_auth.headers
    return door


@asynccontextmanager
async def _listen(door: Door, config: Config) -> AsyncIterator[int]:
    runner = web.AppRunner(door.app(), access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.host, config.port)
        try:
            await site.start()
        except OSError as wrong:
            raise Refusal(f"port {config.port} cannot be used: {wrong}") from wrong
        port: int = runner.addresses[0][1]
        yield port
    finally:
        await runner.cleanup()


def _announce(config: Config, port: int, functions: list[Function], link: Link) -> None:
    line = {
        "ready": True,
        "functions_url": f"http://{config.host}:{port}",
        "functions": [function.name for function in functions],
        "pid": os.getpid(),
        "worker_pid": link.pid,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
