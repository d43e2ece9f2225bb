"""One simulator for all tests of this folder; faults, knobs, journal and clock are reset between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference import REFERENCE
from tests.simulator.arm.stage import HEADER, Stage, until


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The process, started once."""
    stage = Stage(tmp_path_factory.mktemp("arm"))
    yield stage
    stage.stop()


@pytest.fixture
def stage(running: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The simulator, clean, with the environment that the Azure SDKs need to find it."""
    kind = running.tell("GET", "/knobs")
    running.tell("DELETE", "/journal")
    running.tell("DELETE", "/events")
    running.host.posts.clear()
    running.host.answers.clear()
    monkeypatch.setenv("IDENTITY_ENDPOINT", running.ready["token_url"])
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, running.ca)
    yield running
    running.tell("DELETE", "/faults")
    running.tell("POST", "/knobs", kind)
    running.host.answers.clear()
    running.tell("POST", "/clock", {"advance": 90_000})  # nothing that this test left pending disturbs the next one
    until(lambda: not [each for each in running.tell("GET", "/events")["items"] if each["outcome"] == "pending"])


@pytest.fixture(scope="session")
def reference() -> Path:
    """The recorded traffic, where it is at hand."""
    if not (REFERENCE / "arm_traffic").is_dir():
        pytest.skip(f"no reference data at {REFERENCE}")
    return REFERENCE
