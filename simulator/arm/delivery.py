"""Event Grid's carriers: each event goes to its subscriber until that takes it or the schedule runs out.

At least once and in no order, as Azure promises (AZURE 5.4); the knobs add doubles, delays and losses on purpose.
It knows nothing of what is inside an event.
"""

import asyncio
import time
from collections import deque
from itertools import count
from typing import Any

import aiohttp
import msgspec

from simulator.arm.answer import Json
from simulator.arm.clock import Clock, stamp
from simulator.arm.knobs import Knobs
from simulator.arm.letterbox import Letterbox
from simulator.arm.nasty import Nasty
from simulator.arm.parcels import REASONS, Parcel, Trip, dead_letter
from simulator.arm.router import fold
from simulator.arm.subscribers import FUNCTION, NOT_RETRIED, Subscriber, subscriber

# Retry schedule: AZURE 5.4. After some statuses it waits at least so long (delivery-and-retry.md, "Failure codes").
SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600)
LAST_STEP = 43_200
AT_LEAST = {408: 120, 503: 30}
AT_LEAST_OF_A_FUNCTION = {**AT_LEAST, 401: 300, 404: 300}
UNTIL_DEAD_LETTER = 300
TAKEN = range(200, 205)
ANSWER_WITHIN = 30  # seconds
CARRIERS = 32
KEPT = 100_000  # parcels remembered; those that are settled go first
NOBODY_LISTENS = 0
LATE = 504  # what an endpoint that answers late or breaks off counts as
HOST_IS_STARTING = 1  # seconds until the next try when nobody listens yet

JSON_TYPE = "application/json; charset=utf-8"
CLOUD_TYPE = "application/cloudevents+json; charset=utf-8"
CLOUD_BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8"


class Delivery:
    """All parcels, and the tasks that carry them."""

    def __init__(
        self, clock: Clock, knobs: Knobs, nasty: Nasty, functions_url: str, system_key: str, letterbox: Letterbox
    ) -> None:
        self._clock, self._knobs, self._nasty, self._letterbox = clock, knobs, nasty, letterbox
        self._url, self._key = functions_url.rstrip("/"), system_key
        self._parcels: list[Parcel] = []
        self._number = count(1)
        self._due: asyncio.Queue[str] = asyncio.Queue()  # a subscriber's name for each trip that is due
        self._ready: dict[str, deque[Trip]] = {}
        self._carriers: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None
        self.dead_letters: list[Json] = []

    def send(self, to: Subscriber, event: dict[str, Any]) -> None:
        """Take an event over, with whatever the knobs do to it."""
        parcel = Parcel(
            n=next(self._number),
            to=to,
            content=msgspec.json.encode(event),
            event_id=event["id"],
            subject=event["subject"],
            operation=event["data"].get("operationName") or event.get("eventType") or event.get("type") or "",
        )
        if len(self._parcels) >= KEPT:
            self.clear()
        self._parcels.append(parcel)
        if self._befalls("event_drop", parcel, self._knobs.event_drop):
            parcel.outcome, parcel.reason = "dropped", "KnobEventDrop"
            return
        copies = 2 if self._befalls("event_double", parcel, self._knobs.event_double) else 1
        for copy in range(copies):
            wait = self._knobs.event_delay
            if self._knobs.event_reorder:
                wait += self._luck(f"event_reorder {copy}", parcel) * self._knobs.event_reorder
                self._nasty.struck["event_reorder"] += 1
            self._later(Trip(parcel, self._clock.now() + wait), wait)

    async def post(self, function: str, events: Any) -> dict[str, Any]:
        """Post a batch as it is, once; for playing with the webhook by hand."""
        cloud = bool(events) and isinstance(events[0], dict) and "specversion" in events[0]
        schema = "CloudEventSchemaV1_0" if cloud else "EventGridSchema"
        to = subscriber({"name": "by hand", "function": function, "eventDeliverySchema": schema})
        parcel = Parcel(next(self._number), to, msgspec.json.encode(events))
        self._parcels.append(parcel)
        status = await self._attempt([parcel], parcel.content, CLOUD_BATCH_TYPE if cloud else JSON_TYPE)
        parcel.outcome = "delivered" if status in TAKEN else "dropped"
        return parcel.show()

    def show(self) -> list[dict[str, Any]]:
        """Every parcel, oldest first."""
        return [parcel.show() for parcel in self._parcels]

    def clear(self) -> None:
        """Forget the parcels that have arrived or failed, and the dead letters."""
        self._parcels = [parcel for parcel in self._parcels if parcel.outcome == "pending"]
        self.dead_letters.clear()

    async def close(self) -> None:
        """Stop carrying."""
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        if self._session:
            await self._session.close()

    def session(self) -> aiohttp.ClientSession:
        """The one client; it needs a running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN)
            )
        return self._session

    def _luck(self, kind: str, parcel: Parcel) -> float:
        return self._nasty.luck(kind, parcel.subscription, fold(parcel.subject), parcel.operation)

    def _befalls(self, kind: str, parcel: Parcel, rate: float) -> bool:
        struck = rate > 0 and self._luck(kind, parcel) < rate
        self._nasty.struck[kind] += struck
        return struck

    def _later(self, trip: Trip, seconds: float) -> None:
        """Make a trip due in so many seconds. What waits is a clock entry, not a task: thousands may wait."""
        if not self._carriers:
            loop = asyncio.get_running_loop()
            self._carriers = [loop.create_task(self._work()) for _ in range(CARRIERS)]
        self._clock.later(seconds, lambda: self._queue(trip))

    def _queue(self, trip: Trip) -> None:
        name = trip.parcel.subscription
        self._ready.setdefault(name, deque()).append(trip)
        self._due.put_nowait(name)

    async def _work(self) -> None:
        while True:
            trips = self._batch(self._ready[await self._due.get()])
            if not trips:
                continue
            parcels, to = [trip.parcel for trip in trips], trips[0].parcel.to
            alone = to.is_cloud and to.batch == 1
            content = parcels[0].content if alone else b"[" + b",".join(each.content for each in parcels) + b"]"
            kind = (CLOUD_TYPE if alone else CLOUD_BATCH_TYPE) if to.is_cloud else JSON_TYPE
            status = await self._attempt(parcels, content, kind)
            for trip in trips:
                self._after(trip, status)

    def _batch(self, ready: deque[Trip]) -> list[Trip]:
        """What goes in one post: as many as are due and the subscriber takes; all or none of them arrive."""
        trips: list[Trip] = []
        size = 0
        while ready and len(trips) < ready[0].parcel.to.batch:
            size += len(ready[0].parcel.content)
            if trips and size > ready[0].parcel.to.batch_bytes:
                break
            trips.append(ready.popleft())
        return trips

    def _after(self, trip: Trip, status: int) -> None:
        """Delivered, given up, or once more later."""
        parcel, to = trip.parcel, trip.parcel.to
        if status in TAKEN:
            parcel.outcome = "delivered"
            return
        if status in NOT_RETRIED[to.endpoint]:
            self._give_up(parcel, REASONS[status])
            return
        trip.tries += status != NOBODY_LISTENS
        pause = _pause(trip.tries, status, to.endpoint) if status else HOST_IS_STARTING
        if trip.tries >= to.attempts:
            self._give_up(parcel, "MaxDeliveryAttemptsExceeded")
        elif self._clock.now() + pause - trip.born > to.minutes * 60:
            self._give_up(parcel, "TimeToLiveExceeded")
        else:
            self._later(trip, pause)

    def _give_up(self, parcel: Parcel, reason: str) -> None:
        """To the dead letters where there is a place for them, unless a double of it has arrived."""
        if parcel.outcome != "pending":
            return
        parcel.outcome, parcel.reason = "dead_lettered" if parcel.to.dead_letter else "dropped", reason
        if parcel.to.dead_letter:
            self._clock.later(UNTIL_DEAD_LETTER, lambda: self._bury(parcel))

    def _bury(self, parcel: Parcel) -> None:
        letter = dead_letter(parcel)
        self.dead_letters.append(letter)
        self._letterbox.post(letter)

    async def _attempt(self, parcels: list[Parcel], content: bytes, kind: str) -> int:
        """One POST; the status, or NOBODY_LISTENS."""
        to = parcels[0].to
        headers = {
            "Content-Type": kind,
            "aeg-event-type": "Notification",
            "aeg-subscription-name": to.name.upper(),
            "aeg-delivery-count": str(len(parcels[0].attempts)),
        }
        if kind == JSON_TYPE:
            headers |= {"aeg-data-version": "2", "aeg-metadata-version": "1"}
        url = f"{self._url}/runtime/webhooks/EventGrid" if to.endpoint == FUNCTION else to.url
        query = {"functionName": to.function, "code": self._key} if to.endpoint == FUNCTION else None
        started, when = time.perf_counter(), stamp()
        try:
            async with self.session().post(url, params=query, data=content, headers=headers) as reply:
                await reply.read()
                status = reply.status
        except aiohttp.ClientConnectorError:
            status = NOBODY_LISTENS
        except (aiohttp.ClientError, TimeoutError):
            status = LATE
        attempt = {"time": when, "status": status, "ms": round((time.perf_counter() - started) * 1000, 2)}
        for parcel in parcels:
            parcel.attempts.append(attempt)
        return status


def _pause(tries: int, status: int, endpoint: str) -> float:
    least = (AT_LEAST_OF_A_FUNCTION if endpoint == FUNCTION else AT_LEAST).get(status, 0)
    return max(least, SCHEDULE[tries - 1] if tries <= len(SCHEDULE) else LAST_STEP)
