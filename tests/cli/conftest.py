"""One local Azure for the command line's tests, with nobody else in it: what a scan finds is exactly what was planted."""

from collections.abc import Iterator

import pytest

from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import Stack
from tests.cli.desk import Desk
from tests.cli.strange import Server, serving
from tests.simulator.answers import answers_file


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk in front of a planted estate. No app runs, so that nothing changes by itself."""
    folder = tmp_path_factory.mktemp("desk") / "local"
    with Stack(chosen("random"), folder, hosts=0, answers=answers_file()) as stack:
        found = Desk(Client(stack.facts))
        found.seed()
        yield found


@pytest.fixture
def server() -> Iterator[Server]:
    """A strange server on this machine."""
    with serving() as told:
        yield told


@pytest.fixture(autouse=True)
def _fair_weather(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take back the faults that a test has ordered."""
    yield
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk").azure.manage("DELETE", "/faults")
