"""Timer triggers: fire at the instants of a schedule, on one host at a time, and once for what was missed.

A blob lease makes a timer single; a blob beside it remembers when it should fire next, which is how a host
that was down knows that it is late. The schedule language is in `ncrontab.py`.
"""

import asyncio
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from simulator.host.bindings import Function, as_json
from simulator.host.invoke import Invoker
from simulator.host.ncrontab import Schedule

LOG = logging.getLogger("host")
LEASE = 15  # seconds, the host's listener lock
NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Clock:
    """The time of pending timers; it can be moved forward."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward and let every sleeper look again."""
        self._offset += timedelta(seconds=seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def until(self, moment: datetime) -> None:
        """Sleep until a moment has come."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, 3600)):
                    await self._moved.wait()


class Status:
    """What the monitor blob remembers."""

    def __init__(self, last: datetime, following: datetime, updated: datetime) -> None:
        self.last = last
        self.next = following
        self.updated = updated

    @classmethod
    def parse(cls, text: str) -> "Status":
        """Read the blob."""
        raw = json.loads(text)
        return cls(*(datetime.fromisoformat(raw[name]) for name in ("Last", "Next", "LastUpdated")))

    def shape(self) -> dict[str, str]:
        """Write it as the host does."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


class Timer:
    """The trigger of one function."""

    def __init__(
        self, function: Function, locks: ContainerClient, invoker: Invoker, clock: Clock, host_id: str
    ) -> None:
        self._function = function
        self._schedule = Schedule.parse(function.trigger["schedule"])
        self._locks = locks
        self._lock = locks.get_blob_client(f"locks/{host_id}/Host.Functions.{function.name}.Listener")
        self._memory = locks.get_blob_client(f"timers/{host_id}/Host.Functions.{function.name}/status")
        self._invoker = invoker
        self._clock = clock
        self._status: Status | None = None
        self._since = clock.now()  # occurrences after this moment are ours to fire
        wanted = bool(function.trigger.get("useMonitor", True))
        self._monitored = wanted and self._interval() >= timedelta(minutes=1)  # faster ones never are

    def _interval(self) -> timedelta:
        first = self._schedule.after(self._clock.now())
        return self._schedule.after(first) - first

    async def run(self) -> None:
        """Hold the lease and fire; without the lease, wait for it."""
        while True:
            lease = await self._acquire()
            tasks = {asyncio.create_task(self._keep(lease)), asyncio.create_task(self._fire_on())}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    LOG.error("timer %s stops and begins again: %s", self._function.name, task.exception())
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                with suppress(AzureError):
                    await lease.release()
            await asyncio.sleep(1)

    async def _acquire(self) -> BlobLeaseClient:
        while True:
            lease = await self._try_acquire()
            if lease is not None:
                return lease
            self._since = self._clock.now()  # what came before was the other host's
            await asyncio.sleep(1)

    async def _try_acquire(self) -> BlobLeaseClient | None:
        for _ in range(2):
            try:
                with suppress(ResourceExistsError):
                    await self._lock.upload_blob(b"")
                lease = BlobLeaseClient(self._lock)
                await lease.acquire(lease_duration=LEASE)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await self._locks.create_container()
            except AzureError as wrong:
                if getattr(wrong, "status_code", None) not in {409, 412}:  # which mean: another host has it
                    LOG.warning("timer %s: no lease: %s", self._function.name, wrong)
                return None
            else:
                return lease
        return None

    async def _keep(self, lease: BlobLeaseClient) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            await lease.renew()

    async def _fire_on(self) -> None:
        late = await self._late() if self._monitored else False
        if late or self._function.trigger.get("runOnStartup"):
            await self._fire(late=late)
        while True:
            await self._clock.until(self._schedule.after(self._since))
            await self._fire(late=False)

    async def _fire(self, *, late: bool) -> None:
        now = self._clock.now()
        info: dict[str, Any] = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": self._status.shape() if self._status is not None else None,
            "IsPastDue": late,
        }
        reason = f"Timer fired at {now.isoformat()}"
        await self._invoker.run(self._function, as_json(info), reason)
        self._since = max(now, self._clock.now())  # what fell into the run is skipped
        if self._monitored:
            await self._remember(Status(now, self._schedule.after(now), now))

    async def _late(self) -> bool:
        """Tell whether an occurrence was missed while no host ran; a changed schedule counts as it now is."""
        now = self._clock.now()
        try:
            blob = await self._memory.download_blob()
            status = Status.parse((await blob.readall()).decode())
        except (ResourceNotFoundError, ValueError, KeyError):  # none yet, or not ours to read
            await self._remember(Status(NEVER, self._schedule.after(self._since), self._since))
            return False
        expected = self._schedule.after(status.updated if status.last == NEVER else status.last)
        if expected != status.next:
            await self._remember(Status(status.last, expected, now))
        self._status = status
        return now > expected

    async def _remember(self, status: Status) -> None:
        self._status = status
        await self._memory.upload_blob(json.dumps(status.shape()), overwrite=True)
