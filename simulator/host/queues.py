"""Queue triggers: polls a queue, runs its function for each message, deletes, releases or poisons it.

A message is hidden while its function runs, and the hold is renewed at half-time. When the worker dies the
message is left alone: it comes back after the hold, as after the loss of an instance in Azure.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from simulator.host import storage
from simulator.host.bindings import Datum, Function, as_json
from simulator.host.hostjson import Queues
from simulator.host.invoke import Invoker

LOG = logging.getLogger("host")
SHORTEST = 0.1  # seconds between two polls of an empty queue, to begin with


class Held:
    """A message that is hidden from others while we work on it."""

    def __init__(self, queue: QueueClient, message: QueueMessage, hold: int) -> None:
        self._queue = queue
        self._id = message.id
        self._receipt = message.pop_receipt
        self._hold = hold
        self._lock = asyncio.Lock()
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._hold / 2)
            async with self._lock:
                try:
                    await self._hide(self._hold)
                except AzureError as wrong:
                    LOG.warning("message %s: hold not renewed: %s", self._id, wrong)

    async def _hide(self, seconds: float) -> None:
        updated = await self._queue.update_message(self._id, self._receipt, visibility_timeout=int(seconds))
        self._receipt = updated.pop_receipt

    async def forget(self) -> None:
        """Stop renewing; never amid a renewal, which would leave us with a stale receipt."""
        async with self._lock:
            self._renewal.cancel()

    async def delete(self) -> None:
        """Remove the message for good."""
        await self.forget()
        await self._queue.delete_message(self._id, self._receipt)

    async def release(self, delay: float) -> None:
        """Show the message again after a delay."""
        await self.forget()
        await self._hide(delay)


class Listener:
    """The trigger of one function."""

    def __init__(
        self, function: Function, stores: storage.Storage, invoker: Invoker, options: Queues, hold: float
    ) -> None:
        self.function = function
        self._queue = stores.queue(function.connection, function.queue)
        self._poison = stores.queue(function.connection, f"{function.queue}-poison")
        self._invoker = invoker
        self._options = options
        self._hold = max(1, round(hold))
        self._running: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._empty = 0
        self._stopping = False
        self.poisoned: Callable[[str, str], None] = lambda _connection, _queue: None

    def wake(self) -> None:
        """Poll now: this host has just put a message there."""
        self._woken.set()

    async def stop(self, grace: float) -> None:
        """Poll no more, give what runs some time, leave the rest hidden."""
        self._stopping = True
        self._woken.set()
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        for task in self._running:
            task.cancel()

    async def create(self) -> None:
        """Create the queue unless it is there."""
        await storage.create(self._queue)

    async def run(self) -> None:
        """Poll until stopped."""
        while not self._stopping:
            if len(self._running) > self._options.threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                continue
            self._woken.clear()
            messages = await self._receive()
            if self._stopping:
                await asyncio.gather(*(Held(self._queue, one, self._hold).release(0) for one in messages))
                return
            for message in messages:
                task = asyncio.create_task(self._handle(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            self._empty = 0 if messages else self._empty + 1
            if not messages:
                await self._rest()

    async def _rest(self) -> None:
        """Wait longer each time, up to the limit, unless woken."""
        delay = SHORTEST + SHORTEST * 2 ** min(self._empty - 1, 30) * random.uniform(0.8, 1.2)
        delay = SHORTEST if self._empty == 1 else min(delay, self._options.max_polling)
        try:
            async with asyncio.timeout(delay):
                await self._woken.wait()
        except TimeoutError:
            return
        self._empty = 0

    async def _receive(self) -> list[QueueMessage]:
        batch = self._options.batch
        pages = self._queue.receive_messages(
            messages_per_page=batch, max_messages=batch, visibility_timeout=self._hold
        ).by_page()
        try:
            async for page in pages:  # one page, one request
                return [message async for message in page]
        except ResourceNotFoundError:
            LOG.warning("queue %s is gone; creating it", self.function.queue)
            await self._recreate()
        except AzureError as wrong:
            LOG.warning("queue %s cannot be read: %s", self.function.queue, wrong)
        return []

    async def _recreate(self) -> None:
        try:
            await storage.create(self._queue)
        except AzureError as wrong:
            LOG.warning("queue %s cannot be created: %s", self.function.queue, wrong)

    async def _handle(self, message: QueueMessage) -> None:
        held = Held(self._queue, message, self._hold)
        try:
            await self._settle(held, message)
        except AzureError as wrong:
            LOG.warning("message %s of %s: %s", message.id, self.function.queue, wrong)
        finally:
            await held.forget()

    async def _settle(self, held: Held, message: QueueMessage) -> None:
        limit = self._options.max_dequeue
        count = message.dequeue_count or 0
        if count > limit:
            await self._to_poison(held, message, f"was tried {limit} times")
            return
        try:
            text = storage.decode(str(message.content), as_base64=self._options.base64)
        except ValueError:
            await self._to_poison(held, message, "is not base64")
            return
        reason = f"New queue message detected on '{self.function.queue}'."
        outcome = await self._invoker.run(self.function, {"string": text}, reason, metadata(message, text))
        if outcome.died:
            return
        if outcome.ok:
            await held.delete()
        elif count >= limit:
            await self._to_poison(held, message, f"failed {count} times")
        else:
            await held.release(self._options.visibility)

    async def _to_poison(self, held: Held, message: QueueMessage, why: str) -> None:
        queue = f"{self.function.queue}-poison"
        LOG.error("message %s of %s %s: moving it to %s", message.id, self.function.queue, why, queue)
        await storage.send(self._poison, str(message.content))
        await held.delete()
        self.poisoned(self.function.connection, queue)


def metadata(message: QueueMessage, text: str) -> dict[str, Datum]:
    """Describe a message as the host does: numbers and times as JSON."""

    def moment(value: datetime | None) -> Datum:
        return as_json(value.isoformat() if value is not None else None)

    return {
        "QueueTrigger": {"string": text},
        "Id": {"string": message.id},
        "PopReceipt": {"string": message.pop_receipt or ""},
        "DequeueCount": as_json(message.dequeue_count),
        "InsertionTime": moment(message.inserted_on),
        "ExpirationTime": moment(message.expires_on),
        "NextVisibleTime": moment(message.next_visible_on),
    }
