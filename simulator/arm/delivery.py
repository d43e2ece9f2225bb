"""Event Grid's carriers: each event goes to its webhook until that takes it or the schedule runs out.

At least once and in no order, as Azure promises (AZURE 5.4); the knobs add doubles, delays and losses on purpose.
It knows nothing of what is inside an event.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
import msgspec

from simulator.arm.clock import Clock, stamp
from simulator.arm.knobs import Knobs

# Retry schedule and limits: AZURE 5.4 (delivery-and-retry.md).
SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600)
LAST_STEP = 43_200
MAX_ATTEMPTS = 30
TIME_TO_LIVE = 1440 * 60
NOT_RETRIED = frozenset({400, 401, 403, 413})
TAKEN = range(200, 205)
ANSWER_WITHIN = 30  # seconds
CARRIERS = 32
KEPT = 100_000  # parcels remembered; those that are settled go first
NOBODY_LISTENS = 0
LATE = 504  # what a webhook that answers late or breaks off counts as
HOST_IS_STARTING = 1  # seconds until the next try when nobody listens yet
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 413: "RequestEntityTooLarge"}

JSON_TYPE = "application/json; charset=utf-8"
CLOUD_TYPE = "application/cloudevents+json; charset=utf-8"
CLOUD_BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8"


@dataclass(slots=True)
class Parcel:
    """One event on its way to one function."""

    n: int
    function: str
    subscription: str
    content: bytes
    content_type: str
    event_id: str = ""
    subject: str = ""
    operation: str = ""
    outcome: str = "pending"  # pending | delivered | dead_lettered | dropped
    reason: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def show(self) -> dict[str, Any]:
        """As GET /events lists it."""
        names = (
            "n",
            "function",
            "subscription",
            "event_id",
            "subject",
            "operation",
            "outcome",
            "reason",
            "attempts",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Trip:
    """One copy of a parcel on the road; a doubled event makes two."""

    parcel: Parcel
    born: float
    tries: int = 0


class Delivery:
    """All parcels, and the tasks that carry them."""

    def __init__(self, clock: Clock, knobs: Knobs, functions_url: str, system_key: str) -> None:
        self._clock, self._knobs = clock, knobs
        self._url, self._key = functions_url.rstrip("/"), system_key
        self._parcels: list[Parcel] = []
        self._number = count(1)
        self._due: asyncio.Queue[Trip] = asyncio.Queue()
        self._carriers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._chance = random.Random(7)

    def send(self, function: str, subscription: str, event: dict[str, Any], *, cloud: bool) -> None:
        """Take an event over, with whatever the knobs do to it."""
        parcel = Parcel(
            n=next(self._number),
            function=function,
            subscription=subscription,
            content=msgspec.json.encode(event if cloud else [event]),
            content_type=CLOUD_TYPE if cloud else JSON_TYPE,
            event_id=event["id"],
            subject=event["subject"],
            operation=event["data"]["operationName"],
        )
        if len(self._parcels) >= KEPT:
            self.clear()
        self._parcels.append(parcel)
        if self._chance.random() < self._knobs.event_drop:
            parcel.outcome, parcel.reason = "dropped", "KnobEventDrop"
            return
        copies = 2 if self._chance.random() < self._knobs.event_double else 1
        for _ in range(copies):
            wait = self._knobs.event_delay + self._chance.random() * self._knobs.event_reorder
            self._later(Trip(parcel, self._clock.now() + wait), wait)

    async def post(self, function: str, events: Any) -> dict[str, Any]:
        """Post a batch as it is, once; for playing with the webhook by hand."""
        cloud = bool(events) and isinstance(events[0], dict) and "specversion" in events[0]
        kind = CLOUD_BATCH_TYPE if cloud else JSON_TYPE
        parcel = Parcel(next(self._number), function, "by hand", msgspec.json.encode(events), kind)
        self._parcels.append(parcel)
        status = await self._attempt(parcel)
        parcel.outcome = "delivered" if status in TAKEN else "dropped"
        return parcel.show()

    def show(self) -> list[dict[str, Any]]:
        """Every parcel and what became of it, oldest first."""
        return [parcel.show() for parcel in self._parcels]

    def clear(self) -> None:
        """Forget the parcels that have arrived or failed."""
        self._parcels = [parcel for parcel in self._parcels if parcel.outcome == "pending"]

    async def close(self) -> None:
        """Stop carrying."""
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _later(self, trip: Trip, seconds: float) -> None:
        """Make a trip due in so many seconds. What waits is a clock entry, not a task: thousands may wait."""
        if not self._carriers:
            loop = asyncio.get_running_loop()
            self._carriers = [loop.create_task(self._work()) for _ in range(CARRIERS)]
        self._clock.later(seconds, lambda: self._due.put_nowait(trip))

    async def _work(self) -> None:
        while True:
            trip = await self._due.get()
            status = await self._attempt(trip.parcel)
            self._after(trip, status)

    def _after(self, trip: Trip, status: int) -> None:
        """Delivered, given up, or once more later."""
        if status in TAKEN:
            trip.parcel.outcome = "delivered"
            return
        if status in NOT_RETRIED:
            self._give_up(trip.parcel, REASONS[status])
            return
        trip.tries += status != NOBODY_LISTENS
        pause = _pause(trip.tries) if status else HOST_IS_STARTING
        if trip.tries >= MAX_ATTEMPTS:
            self._give_up(trip.parcel, "MaxDeliveryAttemptsExceeded")
        elif self._clock.now() + pause - trip.born > TIME_TO_LIVE:
            self._give_up(trip.parcel, "TimeToLiveExceeded")
        else:
            self._later(trip, pause)

    def _give_up(self, parcel: Parcel, reason: str) -> None:
        """To the dead-letter list, unless a double of it has arrived."""
        if parcel.outcome == "pending":
            parcel.outcome, parcel.reason = "dead_lettered", reason

    async def _attempt(self, parcel: Parcel) -> int:
        """One POST; the status, or NOBODY_LISTENS."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)
            )
        headers = {
            "Content-Type": parcel.content_type,
            "aeg-event-type": "Notification",
            "aeg-subscription-name": parcel.subscription.upper(),
            "aeg-delivery-count": str(len(parcel.attempts)),
        }
        if parcel.content_type == JSON_TYPE:
            headers |= {"aeg-data-version": "2", "aeg-metadata-version": "1"}
        url = f"{self._url}/runtime/webhooks/EventGrid"
        query = {"functionName": parcel.function, "code": self._key}
        started, when = time.perf_counter(), stamp()
        try:
            async with self._session.post(url, params=query, data=parcel.content, headers=headers) as reply:
                await reply.read()
                status = reply.status
        except aiohttp.ClientConnectorError:
            status = NOBODY_LISTENS
        except (aiohttp.ClientError, TimeoutError):
            status = LATE
        parcel.attempts.append({"time": when, "status": status, "ms": round((time.perf_counter() - started) * 1000, 2)})
        return status


def _pause(tries: int) -> float:
    return SCHEDULE[tries - 1] if tries <= len(SCHEDULE) else LAST_STEP
