"""Many messages, few looks, and never one too few: whatever was written last has been seen by a look that began later."""

import heapq
import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.ports import Delivery
from shared.flow.evaluate import evaluate
from tests.fakes import World, vault_body, vault_id
from tests.flow.conftest import again, delivery, evaluation

_NUMBERS = itertools.count()


@pytest.mark.parametrize("gap", [0, 60])
def test_a_burst_of_one_second_takes_two_looks(gap: int) -> None:
    """Sent in the second in which a gather began, which came first cannot be told: later one look serves them all."""
    world = World(gap=timedelta(seconds=gap))
    world.arm.put(vault_body(enablePurgeProtection=True))
    for message in [evaluation(world) for _ in range(20)]:
        evaluate(world, message)
    ((_, body, delay),) = world.queue.sent
    late = delivery(json.dumps(body), world.clock.now())
    world.queue.sent.clear()
    world.clock.advance(delay)
    evaluate(world, late)

    assert (delay, world.queue.sent) == (gap or 2, [])
    assert len(world.arm.calls) == 2


def test_a_storm_takes_two_looks() -> None:
    """Twenty events within half a minute: the first is looked at at once, one more look serves the others."""
    line = Line(World(gap=timedelta(seconds=60)))
    for _ in range(20):
        line.event()
        line.work()
        line.world.clock.advance(1.5)
    line.drain()

    assert len(line.looks) == 2


def test_a_person_does_not_wait() -> None:
    """Somebody who says retry is answered now, whatever events have asked for."""
    line = Line(World(gap=timedelta(seconds=60)))
    line.event()
    line.work()
    line.world.clock.advance(5)
    line.event("person")
    line.work()

    assert len(line.looks) == 2


@dataclass
class Line:
    """One target, its messages in the order of storage, and when it was looked at."""

    world: World
    waiting: list[tuple[datetime, int, Delivery]] = field(default_factory=list)
    written: list[datetime] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.arm.put(vault_body(enablePurgeProtection=True))

    def event(self, kind: str = "event") -> None:
        """The target is written, and somebody says so."""
        self.written.append(self.world.clock.now())
        body = json.dumps({"id": vault_id(), "cause": {"kind": kind, "id": "e", "actor": ""}})
        self._put(body, timedelta(0))

    def work(self, *, killed: bool = False) -> bool:
        """Deliver the next message that is visible; a killed worker leaves it to be delivered again."""
        if not self.waiting or self.waiting[0][0] > self.world.clock.now():
            return False
        message = heapq.heappop(self.waiting)
        before = len(self.world.arm.calls)
        evaluate(self.world, message[2])
        if len(self.world.arm.calls) > before:
            self.looks.append(self.world.clock.now())
        for _, sent, delay in self.world.queue.sent:
            self._put(json.dumps(sent), timedelta(seconds=delay))
        self.world.queue.sent.clear()
        if killed:
            visible = self.world.clock.now() + timedelta(seconds=3)
            heapq.heappush(self.waiting, (visible, message[1], again(message[2])))
        return True

    def drain(self) -> None:
        """Work until nothing is left."""
        for _ in range(1000):
            if not self.waiting:
                return
            self.world.clock.time = max(self.world.clock.now(), self.waiting[0][0])
            self.work()
        raise AssertionError("an endless loop")

    def _put(self, body: str, delay: timedelta) -> None:
        now = self.world.clock.now()
        stamped = delivery(body, now.replace(microsecond=0))  # storage knows whole seconds only
        heapq.heappush(self.waiting, (now + delay, next(_NUMBERS), stamped))


_DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["event", "person"]),
        st.sampled_from(["work", "work", "kill", "wait"]),
        st.sampled_from([0, 0.4, 1.5, 8, 30]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=400)
@given(deeds=_DEEDS, gap=st.sampled_from([0, 1, 10, 60]))
def test_the_last_write_is_always_seen(deeds: list[tuple[str, str, float]], gap: int) -> None:
    """Events, people, workers that live and die, in any order and at any pace: no write goes unseen."""
    line = Line(World(gap=timedelta(seconds=gap)))
    for kind, then, pause in deeds:
        line.event(kind)
        if then != "wait":
            line.work(killed=then == "kill")
        line.world.clock.advance(pause)
    line.drain()

    assert line.looks[-1] >= line.written[-1]
