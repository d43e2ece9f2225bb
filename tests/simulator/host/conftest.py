"""One Azurite for all tests of the host, and one host with the toy app for those that do it no harm."""

from collections.abc import Iterator

import pytest

from tests.simulator.host.cloud import Cloud
from tests.simulator.host.hosting import Host


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start Azurite and the token endpoint."""
    started = Cloud(tmp_path_factory.mktemp("cloud"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def host(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Start a host that nobody kills."""
    with Host(
        cloud,
        tmp_path_factory.mktemp("host"),
        settings={"TIMERS_OFF": "1", "QUEUE": "work", "FORWARD": "forwarded"},
    ) as running:
        yield running
