"""The contract of kept answers, run on the fake and on real storage through the real SDK."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.answers import TableAnswers
from shared.core.ports import Answers, Claim, Kept
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.fakes import MemoryAnswers

LEASE = timedelta(minutes=5)
NOW = datetime.now(UTC).replace(microsecond=0)
KEPT = Kept(200, "application/json", '"e"', '{"ü": "<script>"}')


@pytest.fixture(params=["memory", "azurite"])
def answers(request: pytest.FixtureRequest) -> Iterator[Answers]:
    """Both kinds."""
    if request.param == "memory":
        yield MemoryAnswers()
        return
    environment: Client = request.getfixturevalue("environment")
    yield TableAnswers(environment.facts["storage"]["table"], identity(environment, "reader"))


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return uuid.uuid4().hex


def test_what_is_kept_comes_back(answers: Answers, key: str) -> None:
    """Claimed, in work, kept: each as the next one who asks sees it."""
    claim = answers.claim(key, "asked", NOW, LEASE)
    meanwhile = answers.claim(key, "asked", NOW, LEASE)
    answers.keep(key, claim.token, KEPT)

    assert claim.token
    assert meanwhile == Claim("asked")
    assert answers.claim(key, "something else", NOW, LEASE) == Claim("asked", KEPT)


def test_a_claim_that_died_is_taken_again(answers: Answers, key: str) -> None:
    """Not before its lease is over, not for another question, and then the dead may keep or release nothing."""
    dead = answers.claim(key, "asked", NOW, LEASE)
    early = answers.claim(key, "asked", NOW + LEASE - timedelta(seconds=1), LEASE)
    other = answers.claim(key, "other", NOW + LEASE, LEASE)
    heir = answers.claim(key, "asked", NOW + LEASE, LEASE)
    answers.keep(key, dead.token, Kept(500, "text/plain", "", "late"))
    answers.release(key, dead.token)
    between = answers.claim(key, "asked", NOW + LEASE, LEASE)
    answers.keep(key, heir.token, KEPT)

    assert (early.token, other, between) == ("", Claim("asked"), Claim("asked"))
    assert heir.token not in {"", dead.token}
    assert answers.claim(key, "asked", NOW + LEASE, LEASE).kept == KEPT


def test_what_is_given_back_is_free(answers: Answers, key: str) -> None:
    """At once, for whatever is asked next."""
    first = answers.claim(key, "asked", NOW, LEASE)
    answers.release(key, first.token)
    second = answers.claim(key, "other", NOW, LEASE)

    assert second.token not in {"", first.token}


def test_after_a_day_it_is_forgotten(answers: Answers, key: str) -> None:
    """By whoever asks, and by the sweep."""
    claim = answers.claim(key, "asked", NOW, LEASE)
    answers.keep(key, claim.token, KEPT)
    day = NOW + timedelta(days=1)

    assert answers.claim(key, "asked", day - timedelta(seconds=1), LEASE).kept == KEPT
    assert answers.claim(key, "asked", day, LEASE).token
    assert answers.forget(NOW) == 0
    assert answers.forget(day + timedelta(seconds=1)) >= 1
    assert answers.claim(key, "other", day, LEASE).token


def test_a_long_answer_is_kept(answers: Answers, key: str) -> None:
    """That of a record with a long history: longer than an entity, and stored compressed."""
    claim = answers.claim(key, "asked", NOW, LEASE)
    long = Kept(
        200, "application/json", "", "[" + ",".join(f'{{"event":"noted","n":{n}}}' for n in range(40_000)) + "]"
    )
    answers.keep(key, claim.token, long)

    assert answers.claim(key, "asked", NOW, LEASE).kept == long


def test_of_many_at_once_one_has_it(answers: Answers, key: str) -> None:
    """Eight threads claim the same key: one may answer."""
    answers.claim(uuid.uuid4().hex, "warm", NOW, LEASE)
    claims: list[Claim] = []
    gate = threading.Barrier(8)

    def run() -> None:
        gate.wait()
        claims.append(answers.claim(key, "asked", NOW, LEASE))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claims) == 8
    assert sum(bool(claim.token) for claim in claims) == 1
