"""The container of dead letters, on real storage through the real SDK."""

import uuid
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from shared.adapters.letters import BlobLetters
from shared.core.errors import BadInput
from shared.core.letter import LONGEST
from simulator.client import Client
from tests.adapters.conftest import identity


@pytest.fixture
def container(environment: Client) -> Iterator[tuple[BlobLetters, ContainerClient]]:
    """The port, and a client that plays Azure; nothing is there yet."""
    url = f"{environment.facts['storage']['blob']}/letters-{uuid.uuid4().hex}"
    whose = identity(environment, "reader")
    client = ContainerClient.from_container_url(url, credential=whose)
    yield BlobLetters(url, whose), client
    if client.exists():
        client.delete_container()


def test_what_is_there_is_listed_and_read(container: tuple[BlobLetters, ContainerClient]) -> None:
    """By name; before the first letter there is no container, and nothing in it."""
    letters, client = container
    before = list(letters.names())
    client.create_container()
    for name, content in (("A/2026/1.json", b"[]"), ("A/2026/2.json", '["ü"]'.encode()), ("A/2026/3.json", b"")):
        client.upload_blob(name, content)

    assert before == []
    assert {name: letters.text(name) for name in letters.names()} == {
        "A/2026/1.json": "[]", "A/2026/2.json": '["ü"]', "A/2026/3.json": "",
    }  # fmt: skip


def test_what_cannot_be_read_is_bad_input(container: tuple[BlobLetters, ContainerClient]) -> None:
    """One that is gone, one that is no text; of one that is too long no more is fetched than shows that."""
    letters, client = container
    client.create_container()
    client.upload_blob("binary", b"\xff\xfe")
    client.upload_blob("long", b"x" * (LONGEST + 100))

    for name in ("binary", "missing"):
        with pytest.raises(BadInput):
            letters.text(name)
    assert len(letters.text("long")) == LONGEST + 1


def test_no_address_is_no_letters() -> None:
    """A deployment without dead letters."""
    assert list(BlobLetters("", None).names()) == []  # type: ignore[arg-type]
