"""Poison that a person tries again: sent anew or judged anew, never replayed."""

import json

import pytest

from shared.core.errors import Refused
from shared.core.ports import PoisonRecord
from shared.core.record import State
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.receive import receive
from shared.flow.redrive import redrive
from shared.flow.sweep import sweep
from tests.fakes import NOON, World, vault_body, vault_id
from tests.flow.conftest import delivery, evaluation, run

PERSON = "9e000002-6b1a-4d55-8e0b-aa0000000002"
ASKS = Cause("person", "", PERSON)


def _record(world: World) -> PoisonRecord:
    (record,) = world.records.poison_records.values()
    return record


def test_an_evaluation_that_killed_its_worker_is_sent_anew(world: World) -> None:
    """Drained, seen to, redriven: the vault is judged and put right, and the record says who tried it again."""
    world.arm.put(vault_body())
    drain(world, "evaluate", evaluation(world))
    noted = redrive(world, _record(world), ASKS)
    run(world)

    assert world.row().state is State.RESOLVED
    assert (noted.redriven, noted.person) == (NOON, PERSON)
    assert _record(world).redriven == NOON


def test_a_given_up_evaluation_is_sent_anew_from_its_first_try(world: World) -> None:
    """The ninth failure gives up; a redriven message starts counting again."""
    drain(world, "evaluate", evaluation(world, attempt=9))
    redrive(world, _record(world), ASKS)

    assert [(body["attempt"], body["cause"]["kind"]) for body in world.queue.of("evaluate")] == [(1, "person")]


def test_a_write_that_killed_its_worker_is_judged_anew(world: World) -> None:
    """Its row has failed; redriving retries the row, and does not send the old message."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    drain(world, "apply", delivery(world.queue.take("apply"), NOON))
    assert world.row().state is State.FAILED
    world.queue.sent.clear()

    redrive(world, _record(world), ASKS)
    assert [name for name, _, _ in world.queue.sent] == ["evaluate"]
    run(world)
    assert world.row().state is State.RESOLVED


def test_a_write_whose_row_has_moved_on_is_refused(world: World) -> None:
    """The row was resolved meanwhile: there is nothing to try again, and the answer says so."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    message = delivery(world.queue.take("apply"), NOON)
    apply(world, message)
    drain(world, "apply", message)

    with pytest.raises(Refused, match="only failed, rejected and expired"):
        redrive(world, _record(world), ASKS)
    assert _record(world).redriven is None


def test_a_notice_is_sent_anew(world: World) -> None:
    """A notice that killed its worker."""
    body = json.dumps({"remediation": "abcdefghijklmnop", "state": "resolved", "occurrence": 1, "attempt": 1})
    drain(world, "notify", delivery(body, NOON))
    redrive(world, _record(world), ASKS)

    assert world.queue.of("notify") == [json.loads(body)]


def test_of_an_event_nothing_is_kept(world: World) -> None:
    """Events carry claims: neither a refused one nor one that killed its worker is on record, so neither can be sent."""
    secret = json.dumps({"claims": "hunter2", "id": vault_id()})
    receive(world, secret)
    drain(world, "wake", delivery(secret, NOON))

    assert len(world.records.poison_records) == 2
    assert "hunter2" not in str(world.records.poison_records)
    for record in list(world.records.poison_records.values()):
        with pytest.raises(Refused, match="ever kept"):
            redrive(world, record, ASKS)


def test_garbage_cannot_be_sent_anew(world: World) -> None:
    """What was no message of ours is none now."""
    drain(world, "evaluate", delivery("\x00 no json", NOON))
    with pytest.raises(Refused, match="ever kept"):
        redrive(world, _record(world), ASKS)
    assert world.queue.sent == []


def test_the_night_is_a_new_chance_for_poison(world: World) -> None:
    """An evaluation that killed its workers is sent once more by the sweep, and not again the night after."""
    world.arm.put(vault_body())
    drain(world, "evaluate", evaluation(world))

    assert sweep(world) == 1
    assert (_record(world).person, [body["cause"]["kind"] for body in world.queue.of("evaluate")]) == (
        "sweep",
        ["sweep"],
    )
    run(world)
    assert world.row().state is State.RESOLVED
    assert sweep(world) == 0
