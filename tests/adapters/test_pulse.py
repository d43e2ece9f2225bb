"""The contract of signs of life, on the fake and on real storage through the real SDK."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.pulse import TablePulse
from shared.core.part import Part
from shared.core.ports import Pulse
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.vitals import MemoryPulse

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "azurite"])
def pulse(request: pytest.FixtureRequest) -> Iterator[Pulse]:
    """Both kinds."""
    if request.param == "memory":
        yield MemoryPulse()
        return
    environment: Client = request.getfixturevalue("environment")
    yield TablePulse(environment.facts["storage"]["table"], identity(environment, "reader"))


def test_the_last_event_of_each_kind(pulse: Pulse) -> None:
    """By kind, the last time; what never came is not there."""
    one, two = (f"test-{uuid.uuid4().hex}" for _ in range(2))
    pulse.arrived(one, NOW)
    pulse.arrived(one, NOW + timedelta(minutes=2))
    found = pulse.arrivals()

    assert (found.get(one), found.get(two)) == (NOW + timedelta(minutes=2), None)


def test_what_a_part_says_of_itself(pulse: Pulse) -> None:
    """The last word counts; who never spoke is unknown."""
    part = Part(f"test-{uuid.uuid4().hex}", "1", "3.13", {"CMK_MODE": "ab" * 8}, NOW)
    pulse.beat(Part(part.name, "0", "3.12", {}, NOW))
    pulse.beat(part)

    assert pulse.part(part.name) == part
    assert pulse.part("nobody") is None


def test_a_storm_of_events_costs_one_row_a_minute(environment: Client) -> None:
    """Sixty in a minute are one write: the row says when the first came. A minute later the next one is noted."""
    pulse = TablePulse(environment.facts["storage"]["table"], identity(environment, "reader"))
    via, seen = f"test-{uuid.uuid4().hex}", list[datetime]()
    for second in (0, 1, 59, 60):
        pulse.arrived(via, NOW + timedelta(seconds=second))
        seen.append(pulse.arrivals()[via])

    assert seen == [NOW, NOW, NOW, NOW + timedelta(minutes=1)]
