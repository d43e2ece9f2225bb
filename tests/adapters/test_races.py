"""Two people at the same moment, on real storage through the real SDK: its ETag lets one of them through."""

import threading
from collections.abc import Callable

import pytest

from shared.adapters.records import TableRecords
from shared.core import chain
from shared.core.choices import Mode
from shared.core.errors import RemediationError
from shared.core.record import State, remediation_id
from shared.flow.approve import approve, reject
from shared.flow.evaluate import evaluate
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.fakes import World, vault_body, vault_id
from tests.flow.conftest import evaluation
from tests.flow.narrowing import yes

TIMES = 20


def _at_once(*sides: Callable[[], object]) -> list[bool]:
    """Begin all sides at one moment; return which of them were let through."""
    gate, ends = threading.Barrier(len(sides)), [False] * len(sides)

    def one(place: int) -> None:
        gate.wait(30)
        try:
            sides[place]()
            ends[place] = True
        except RemediationError:
            pass

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ends


@pytest.mark.parametrize("other", ["yes", "no"])
def test_one_of_two_people_is_let_through(environment: Client, other: str) -> None:
    """Two times yes, or yes and no, to rows that both have read: one outcome, one message to apply at most."""
    records = TableRecords(environment.facts["storage"]["table"], identity(environment, "reader"))
    for number in range(TIMES):
        world = World(mode=Mode.APPROVE)
        world.records = records  # type: ignore[assignment]
        name = f"kv-race-{other}-{number}"
        world.arm.put(vault_body(name))
        evaluate(world, evaluation(world, vault_id(name)))
        row_id = remediation_id("KV-RECOVERY", vault_id(name).lower(), "")
        stored = records.get(row_id)
        assert stored is not None
        second = {
            "yes": lambda w=world, s=stored: approve(w, s, yes(w, s.row, "amit")),
            "no": lambda w=world, s=stored: reject(w, s, "eve", "no"),
        }[other]
        first, last = _at_once(lambda w=world, s=stored: approve(w, s, yes(w, s.row, "ada")), second)  # type: ignore[misc]
        saved = records.get(row_id)
        assert saved is not None
        assert first != last, number
        assert saved.row.state is (State.QUEUED if first or other == "yes" else State.REJECTED), number
        assert chain.verify(records.history(row_id), saved.head, saved.newest) == ""
