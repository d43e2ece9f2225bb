"""The adapters as the app has them: real SDKs, tokens from the identity endpoint, TLS, on the local Azure."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.credentials import TokenCredential

from shared.adapters.credentials import managed_identity
from shared.adapters.pipeline import Pipeline
from shared.adapters.records import TableRecords
from shared.core.ports import Records
from simulator.client import Client
from tests.fakes import FakeClock, MemoryRecords


@pytest.fixture
def environment(azure: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The app's own environment, in this process."""
    settings = json.loads((folder / "host.json").read_text())["settings"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, settings[name])
    return azure


@pytest.fixture
def reader(environment: Client) -> Pipeline:
    """The pipeline of the reader."""
    return Pipeline(identity(environment, "reader"), environment.facts["arm"])


@pytest.fixture
def writer(environment: Client) -> Pipeline:
    """The pipeline of the writer."""
    return Pipeline(identity(environment, "writer"), environment.facts["arm"])


def identity(azure: Client, name: str) -> TokenCredential:
    """Return the credential of one of the identities of the local Azure."""
    return managed_identity(azure.facts["identities"][name]["client_id"])


@pytest.fixture
def faults(azure: Client) -> Iterator[Client]:
    """The local Azure, with whatever faults a test plants taken out again."""
    yield azure
    azure.manage("DELETE", "/faults")


@pytest.fixture(params=["memory", "azurite"])
def records(request: pytest.FixtureRequest) -> Iterator[Records]:
    """Both kinds of records."""
    if request.param == "memory":
        yield MemoryRecords(FakeClock(datetime.now(UTC)))
        return
    environment: Client = request.getfixturevalue("environment")
    yield TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
