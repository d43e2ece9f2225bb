"""The Functions host, small enough to die with: takes messages off the real queues and runs the verbs in this process.

As the real one it deletes a message only after its function has returned, delivers what was left again, and gives
what was delivered five times to the poison queue's function. Many stories run side by side, each with its own death.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from shared.core.ports import Delivery
from shared.flow.apply import apply
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.notify import notify
from tests.crash.dying import Death, Fate, Killed

# The survey that a sweep begins would judge all that other tests have left: tests/flow/test_survey.py kills it at each write.
VERBS: Mapping[str, Callable[[Any, Delivery], object]] = {
    "evaluate": evaluate,
    "apply": apply,
    "notify": notify,
    "sweep": lambda _app, _delivery: None,
}
_MOST_DELIVERIES = 5


class Pump:
    """Works on everything that is on the queues, until nothing is left. `fresh` makes the app of a new process."""

    def __init__(self, service: QueueServiceClient, fresh: Callable[[], Any], fate: Fate) -> None:
        self._queues: dict[str, Any] = {
            name: service.get_queue_client(
                name, message_encode_policy=TextBase64EncodePolicy(), message_decode_policy=TextBase64DecodePolicy()
            )
            for name in VERBS
        }
        self._fresh, self._fate = fresh, fate
        self._deaths: dict[str, Death] = {}
        self.app = fresh()
        self.notices: list[str] = []
        self.deaths = 0
        self.longest = 0.0  # seconds that the slowest function took
        self.before_each: Callable[[int], object] = lambda _count: (
            None
        )  # told how many messages there were, this one included
        self._count = 0
        for name, queue in self._queues.items():
            if self._left(name) < 0:
                queue.create_queue()
            queue.clear_messages()  # of a test before that has failed

    def begin(self, body: str, death: Death, *names: str) -> None:
        """Send an `evaluate` message. Messages that hold one of the names belong to this story."""
        self._deaths |= dict.fromkeys(names, death)
        self._queues["evaluate"].send_message(body, time_to_live=-1)

    def run(self, seconds: float = 120) -> None:
        """Work until the queues are empty, what is delayed included."""
        end = time.monotonic() + seconds
        while any(self._left(name) for name in VERBS):
            busy = [self._deliver(name) for name in VERBS]
            assert time.monotonic() < end, f"still busy after {seconds} s: {[self._left(name) for name in VERBS]}"
            if not any(busy):
                time.sleep(0.05)

    def run_until_a_death(self) -> None:
        """Work until somebody has died, or nothing is left."""
        before = self.deaths
        while self.deaths == before and any(self._left(name) for name in VERBS):
            for name in VERBS:
                if self.deaths == before:
                    self._deliver(name)

    def lose_everything(self) -> None:
        """Empty the queues: what was on its way is lost."""
        for queue in self._queues.values():
            queue.clear_messages()

    def _deliver(self, name: str) -> bool:
        queue = self._queues[name]
        message = queue.receive_message(visibility_timeout=60)
        if message is None:
            return False
        self._count += 1
        self.before_each(self._count)
        try:
            with self._fate.upon(self._death(message.content)):
                self._call(
                    name,
                    Delivery(message.id, message.inserted_on, message.content, message.dequeue_count > 1),
                    message.dequeue_count,
                )
        except Killed:
            self.deaths += 1
            self.app = self._fresh()
            queue.update_message(message, visibility_timeout=0)
            return True
        if name == "notify":
            self.notices.append(message.content)
        queue.delete_message(message)
        return True

    def _call(self, name: str, delivery: Delivery, deliveries: int) -> None:
        began = time.monotonic()
        try:
            self._run(name, delivery, deliveries)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    def _run(self, name: str, delivery: Delivery, deliveries: int) -> None:
        if deliveries > _MOST_DELIVERIES:
            drain(self.app, name, delivery)
        else:
            VERBS[name](self.app, delivery)

    def _death(self, text: str) -> Death:
        """Return whose story a message belongs to; what the sweep wakes of other tests' rows is nobody's."""
        found = {id(death): death for name, death in self._deaths.items() if f'"{name}"' in text}
        assert len(found) <= 1, text
        return next(iter(found.values()), Death())

    def _left(self, name: str) -> int:
        try:
            return int(self._queues[name].get_queue_properties().approximate_message_count)
        except ResourceNotFoundError:
            return -1
