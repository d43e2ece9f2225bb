"""The host's side of the worker: starts the process, sends it calls, starts it anew when it dies.

A dead worker fails every call it had; none is repeated, for nobody knows how far it got. What a failed call
means (an answer 500, a hidden message) is for the callers to say. It knows nothing of bindings.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import struct
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from pathlib import Path
from typing import Any

from simulator.host.config import Config, Refusal

type Frame = dict[str, Any]

LOG = logging.getLogger("host")
SCRIPT = Path(__file__).with_name("worker.py")
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
PACKAGES = ".python_packages/lib/site-packages"  # what an app brings with it; Azure's worker puts it on the import path
DEATHS = 20  # in a minute: more, and the host gives up
PAUSE, GROWTH, LONGEST = 0.1, 1.25, 5.0  # grows slowly enough for the twentieth death to fall in one minute


class WorkerDied(Exception):  # noqa: N818 - an event, named as one
    """The worker ended before it answered."""


class Worker:
    """One life of the process."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self.ids: dict[str, str] = {}
        self._writer = writer
        self._pending: dict[int, asyncio.Future[Frame]] = {}
        self._count = 0
        self._listening = asyncio.create_task(self._listen(reader))
        self.end = asyncio.create_task(self._ended())

    @classmethod
    async def start(cls, config: Config, level: str) -> "Worker":
        """Start the process, with the app's settings as its whole environment."""
        ours, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        packages = config.app / PACKAGES
        if packages.is_dir():
            kept["PYTHONPATH"] = str(packages)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(str(config.python), "-P", str(SCRIPT), str(theirs.fileno()), str(config.app), level),
                stdin=DEVNULL,
                stdout=sys.stderr,  # what the app prints must not mix with the ready line
                pass_fds=(theirs.fileno(),),
                env=kept | {"PYTHONUNBUFFERED": "1", "FUNCTIONS_WORKER_RUNTIME": "python"} | config.settings,
                cwd=config.app,
                start_new_session=True,  # Ctrl-C reaches the host alone, and the whole group can be killed
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer)

    async def request(self, frame: Frame) -> Frame:
        """Send a frame and wait for its answer."""
        if self._listening.done():
            raise WorkerDied
        self._count += 1
        number = self._count
        packed = json.dumps(frame | {"n": number}).encode()
        self._pending[number] = future = asyncio.Future[Frame]()
        self._writer.write(struct.pack(">I", len(packed)) + packed)
        try:
            return await future
        finally:
            del self._pending[number]

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack(">I", await reader.readexactly(4))
                frame = json.loads(await reader.readexactly(size))
                future = self._pending.get(frame["n"])
                if future is not None and not future.done():
                    future.set_result(frame)

    async def _ended(self) -> int:
        """Wait for the end of the process, see that nothing of it is left, fail its calls."""
        exited = asyncio.create_task(self.process.wait())
        await asyncio.wait({exited, self._listening}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({self._listening}, timeout=0.5)  # answers still on the line count
        self.kill()
        self._listening.cancel()
        code = await exited
        self._writer.close()
        for future in list(self._pending.values()):
            if not future.done():
                future.set_exception(WorkerDied())
        return code

    def kill(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Link:
    """The worker through all its lives."""

    def __init__(self, config: Config, level: str) -> None:
        self.in_flight = 0
        self.broken = asyncio.Event()
        self._config = config
        self._level = level
        self._worker: Worker | None = None
        self._ready = asyncio.Event()
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Tell the worker's process id while it is ready."""
        return self._worker.process.pid if self._worker is not None and self._ready.is_set() else None

    async def start(self) -> list[Frame]:
        """Start the first worker and list the app's functions; raise `Refusal` when there are none."""
        functions = await self._launch()
        self._supervisor = asyncio.create_task(self._supervise())
        return functions

    async def call(self, function: str, frame: Frame, limit: float | None) -> Frame:
        """Run a function; `WorkerDied` and `TimeoutError` mean that nobody can tell how far it got."""
        self.in_flight += 1
        try:
            await self._ready.wait()
            assert self._worker is not None
            return await self._timed(self._worker, function, frame, limit)
        finally:
            self.in_flight -= 1

    async def _timed(self, worker: Worker, function: str, frame: Frame, limit: float | None) -> Frame:
        known = worker.ids.get(function, "")
        try:
            async with asyncio.timeout(limit):
                return await worker.request(frame | {"op": "invoke", "function": function, "function_id": known})
        except TimeoutError:
            if worker is self._worker:
                self._ready.clear()  # later calls wait for the next worker
            worker.kill()  # as Azure does: a function cannot be stopped by itself
            raise

    async def stop(self) -> None:
        """End for good."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        if self._worker is not None:
            self._worker.kill()
            await asyncio.wait({self._worker.end})

    async def _launch(self) -> list[Frame]:
        try:
            self._worker = worker = await Worker.start(self._config, self._level)
            reply = await worker.request({"op": "index"})
        except OSError as wrong:
            raise Refusal(f"the worker cannot be started: {wrong}") from wrong
        except WorkerDied as wrong:
            raise Refusal(f"the worker ended with code {await worker.end} before it had read the app") from wrong
        if "error" in reply:
            error = reply["error"]
            raise Refusal(f"the app cannot be indexed: {error['message']}\n{error['stack']}".rstrip())
        functions: list[Frame] = reply["functions"]
        if not functions:
            raise Refusal(f"no functions found in {self._config.app} (is function_app.py there?)")
        worker.ids = {one["name"]: one["id"] for one in functions}
        self._ready.set()
        return functions

    async def _supervise(self) -> None:
        while self._worker is not None:
            await asyncio.wait({self._worker.end})
            self._ready.clear()
            await self._mourn(f"the worker ended with code {self._worker.end.result()}")
            if self.broken.is_set():
                return
            try:
                await self._launch()
            except Refusal as wrong:
                LOG.warning("the worker does not start again: %s", wrong)
                self._worker.kill()

    async def _mourn(self, what: str) -> None:
        now = time.monotonic()
        self._deaths.append(now)
        recent = sum(1 for death in self._deaths if now - death < 60)
        if recent >= DEATHS:
            LOG.critical("%s; %d deaths within a minute: giving up", what, recent)
            self.broken.set()
            return
        pause = min(PAUSE * GROWTH ** (recent - 1), LONGEST)
        LOG.error("%s; starting another in %.2f s", what, pause)
        await asyncio.sleep(pause)
