"""What is pending, and when it falls due.

Everything that Azure does later (long operations, propagation, index lag, event retries) is scheduled here,
so that a test can move it on instead of waiting.
It never changes the time of day: timestamps and tokens stay real, because the storage emulator refuses others.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """A queue of pending acts on a time axis that can be pushed forward."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Seconds on the simulator's own axis."""
        return time.monotonic() + self._ahead

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do `act` in so many seconds; at once when there is nothing to wait for."""
        if seconds <= 0:
            act()
            return
        heapq.heappush(self._pending, (self.now() + seconds, next(self._order), act))
        self._set_timer()

    async def sleep(self, seconds: float) -> None:
        """Wait on this axis."""
        if seconds <= 0:
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.later(seconds, lambda: None if over.done() else over.set_result(None))
        await over

    def advance(self, seconds: float) -> None:
        """Push the axis forward and do what has fallen due."""
        self._ahead += seconds
        self._fire()

    def _fire(self) -> None:
        while self._pending and self._pending[0][0] <= self.now():
            heapq.heappop(self._pending)[2]()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            wait = max(0.0, self._pending[0][0] - self.now())
            self._timer = asyncio.get_running_loop().call_later(wait, self._fire)


def stamp(digits: int = 7, at: float | None = None) -> str:
    """Now, or then, as ARM writes it: seven digits after the point (data/samples/events)."""
    moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0"[: 20 + digits] + "Z"
