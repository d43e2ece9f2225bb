"""Drives the verbs over fakes: messages go in as the queue would hand them over, and the loop runs until all is quiet."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from shared.core.ports import Delivery
from shared.flow.apply import apply
from shared.flow.evaluate import evaluate
from shared.flow.notify import notify
from shared.flow.survey import take_share
from tests.fakes import World, vault_id

_NUMBERS = itertools.count()

type Send = Callable[..., Delivery]


def delivery(body: str, sent: datetime, message: str = "") -> Delivery:
    """Return a message; a fresh id unless one is given."""
    return Delivery(message or f"m-{next(_NUMBERS)}", sent, body)


def again(message: Delivery) -> Delivery:
    """Return the message as the queue hands it over a second time."""
    return replace(message, is_again=True)


def evaluation(world: World, target: str | None = None, attempt: int = 1) -> Delivery:
    """Return an `evaluate` message sent now."""
    cause = {"kind": "event", "id": "e-1", "actor": ""}
    body = json.dumps({"id": target or vault_id(), "cause": cause, "attempt": attempt})
    return delivery(body, world.clock.now())


def run(world: World, *, rounds: int = 50) -> None:
    """Deliver what is on the queues, delays included, until nothing is left."""
    verbs = {"evaluate": evaluate, "apply": apply, "notify": notify, "sweep": take_share}
    for _ in range(rounds):
        if not world.queue.sent:
            return
        name, body, delay = world.queue.sent.pop(0)
        sent = world.clock.now()
        world.clock.advance(max(delay, 1))
        verbs[name](world, delivery(json.dumps(body), sent))
    raise AssertionError(f"still busy after {rounds} messages: {world.queue.sent}")


@pytest.fixture
def world() -> World:
    """A world with nothing in it."""
    return World()
