"""Ways in which something could be lost, each tried: kills at bad moments, late messages, odd names, clocks that differ."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core import ids
from shared.core.errors import Denied, Temporary
from shared.core.ports import Delivery
from shared.core.record import State
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.notify import notify
from shared.flow.receive import receive
from shared.flow.retry import retry
from shared.flow.sweep import sweep
from tests.fakes import NOON, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import again, delivery, evaluation, run


def _take(world: World, queue: str) -> Delivery:
    return delivery(world.queue.take(queue), world.clock.now())


def _failed(world: World) -> None:
    """A row that a lock has made fail."""
    world.arm.put(vault_body())
    world.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
    evaluate(world, evaluation(world))
    run(world)
    assert world.row().state is State.FAILED
    world.clock.advance(60)


@pytest.mark.parametrize(("switch", "queue"), [(False, "apply"), (True, "notify")])
def test_what_follows_is_sent_although_another_look_came_between(switch: bool, queue: str) -> None:
    """Killed after the row was saved; a look of the same storm finds it standing; the redelivery sends what should follow."""
    world = World(kill_switch=switch)
    world.arm.put(vault_body())
    message = evaluation(world)
    evaluate(world, message)
    world.queue.sent.clear()
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    assert world.queue.of(queue) == []
    world.clock.advance(540)
    evaluate(world, again(message))

    assert len(world.queue.of(queue)) == 1


def test_a_retry_is_not_lost_to_a_look_in_between(world: World) -> None:
    """Its message was answered before its row was saved: the sweep finds a plan that was given up and nobody has judged."""
    _failed(world)
    (stored,) = world.records.rows.values()
    retry(world, stored, Cause("person", "", "p"))
    world.queue.sent.clear()

    assert sweep(world) == 1
    run(world)
    assert world.row().state is State.RESOLVED


def test_one_passing_404_does_not_end_a_finding(world: World) -> None:
    """Not to be seen for a moment before the write: looked at again, and put right."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    body = world.arm.resources.pop(vault_id().lower())
    apply(world, _take(world, "apply"))
    world.arm.put(body)
    world.clock.advance(60)
    run(world)

    assert world.row().state is State.RESOLVED


def test_what_compliance_ends_is_resolved_whoever_gave_it_up(world: World) -> None:
    """A plan that was given up, and the vault right by now: the record says resolved, not superseded."""
    _failed(world)
    (stored,) = world.records.rows.values()
    retry(world, stored, Cause("person", "", "p"))
    world.arm.put(vault_body(enablePurgeProtection=True))
    world.clock.advance(60)
    run(world)

    assert (world.row().state, world.row().remedied) == (State.RESOLVED, ())


def test_names_in_any_script_survive_the_queue(world: World) -> None:
    """A group called größe, an event id with an accent: Azure allows them, so they must not be dropped on the way."""
    workspace = workspace_body()
    workspace["id"] = workspace["id"].replace("/rg/", "/größe/")
    world.arm.put(vault_body(tags={}), workspace)
    evaluate(world, evaluation(world, workspace["id"]))
    run(world)
    (message,) = receive(world, json.dumps({"eventType": "x", "id": "é1", "subject": vault_id()}))

    assert world.records.poison_list() == []
    assert world.row().state is State.RESOLVED
    assert json.loads(message)["cause"]["id"] == "1"


def test_a_workspace_that_could_not_be_read_at_first_wakes_its_vault_all_the_same(world: World) -> None:
    """Its first try was temporary: the second one wakes the vaults that were known before, too."""
    world.arm.put(vault_body(tags={}, enablePurgeProtection=True), workspace_body())
    evaluate(world, evaluation(world, workspace_id()))
    run(world)
    world.clock.advance(3600)
    world.arm.put(workspace_body(environment="sandbox"))
    world.arm.failures["read"].append(Temporary("Http429", "busy"))
    evaluate(world, evaluation(world, workspace_id()))
    run(world)

    memory = world.records.known(ids.parse(vault_id())).memory
    assert memory.nominations[0].environment == "sandbox"


def test_events_that_keep_coming_do_not_start_the_count_again(world: World) -> None:
    """A vault that never settles, and an event every five minutes: after nine failures a person is told."""
    world.arm.put(vault_body(provisioningState="RegisteringDns"))
    for _ in range(9):
        world.clock.advance(300)
        evaluate(world, evaluation(world))
        world.queue.sent.clear()

    assert (world.row().verdict, world.row().finding.reason) == ("Unknown", "StillProvisioning")
    assert len(world.records.poison_list()) == 1


def test_a_look_that_succeeds_forgives_the_failures_before(world: World) -> None:
    """Eight failures, a success, a failure: nothing is given up."""
    for place in range(10):
        world.arm.put(vault_body(provisioningState="Succeeded" if place == 8 else "RegisteringDns"))
        world.clock.advance(300)
        evaluate(world, evaluation(world))
        world.queue.sent.clear()

    assert world.records.poison_list() == []


def test_a_retried_write_counts_for_the_rails(world: World) -> None:
    """The night's new chance is a new write: a limit that was reached holds for it."""
    world.choices = replace(world.choices, writes_per_hour=2, share=100)
    for start in range(0, 6, 2):
        for number in (start, start + 1):
            world.arm.put(vault_body(f"kv-{number}") | {"id": vault_id(f"kv-{number}")})
            world.arm.failures["write"].append(Denied("AuthorizationFailed", "no"))
            evaluate(world, evaluation(world, vault_id(f"kv-{number}")))
            run(world)
        world.clock.advance(3700)
    world.clock.advance(12 * 3600)
    before = len(world.arm.writes())
    sweep(world)
    run(world, rounds=200)

    assert len(world.arm.writes()) - before == 2
    held = [it.row.decision.reason for it in world.records.rows.values() if it.row.state is State.AWAITING_APPROVAL]
    assert held == ["WritesPerHour"] * 4


def test_what_could_not_be_read_for_a_while_is_no_remedy_of_ours(world: World) -> None:
    """Resolved, unreadable, compliant again: nobody has changed anything back."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)
    for _ in range(2):
        world.clock.advance(600)
        world.arm.failures["read"].append(Denied("AuthorizationFailed", "no"))
        evaluate(world, evaluation(world))
        run(world)
        world.clock.advance(600)
        evaluate(world, evaluation(world))
        run(world)

    assert (world.row().state, len(world.row().remedied)) == (State.RESOLVED, 1)


def test_poison_of_another_plan_fails_nothing(world: World) -> None:
    """An old message that killed its worker says nothing about the plan of today."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    old = {**json.loads(world.queue.take("apply")), "fingerprint": "0" * 32}
    drain(world, "apply", delivery(json.dumps(old), NOON))

    assert world.row().state is State.QUEUED


def test_nothing_foreign_is_kept_as_poison(world: World) -> None:
    """An event that somebody put on a queue of ours: its claims are not kept, whatever it killed."""
    event = {"subject": vault_id(), "id": vault_id(), "data": {"claims": {"name": "Ada Lovelace"}}}
    drain(world, "evaluate", delivery(json.dumps(event), NOON))

    assert "Ada" not in str(world.records.poison_list())


@pytest.mark.parametrize("verb", ["evaluate", "apply"])
def test_our_own_storage_may_be_busy_too(world: World, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables throttle before anything is known: the message comes back later instead of rising five times."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    message = _take(world, "apply")

    def busy(*_: object) -> None:
        raise Temporary("ServerBusy", "tables")

    monkeypatch.setattr(world.records, "known" if verb == "evaluate" else "get", busy)
    if verb == "evaluate":
        evaluate(world, evaluation(world))
    else:
        apply(world, message)

    assert [(name, delay) for name, _, delay in world.queue.sent if name == verb][-1] == (verb, 30)


def test_a_row_that_was_claimed_although_storage_said_nothing_is_worked_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim took effect and its answer was lost: whoever comes back knows the claim as its own."""
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    message = _take(world, "apply")
    save = world.records.save

    def lost(*arguments: object) -> None:
        monkeypatch.setattr(world.records, "save", save)
        save(*arguments)  # type: ignore[arg-type]
        raise Temporary("ConnectionLost", "tables")

    monkeypatch.setattr(world.records, "save", lost)
    apply(world, message)
    assert world.row().state is State.APPLYING
    run(world)

    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


def test_tables_that_are_busy_in_the_middle_of_a_look_do_not_break_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the row nor the count of failures can be had: the message comes back all the same."""
    world.arm.put(vault_body())

    def busy(*_: object) -> None:
        raise Temporary("ServerBusy", "tables")

    monkeypatch.setattr(world.records, "get", busy)
    monkeypatch.setattr(world.records, "failed", busy)
    evaluate(world, evaluation(world))

    assert [(name, body["attempt"], delay) for name, body, delay in world.queue.sent] == [("evaluate", 2, 30)]


def test_what_is_given_up_again_is_one_record(world: World) -> None:
    """A target that cannot be judged for nights on end fills no table."""
    for _ in range(3):
        world.arm.failures["read"].append(Temporary("Http503", "down"))
        world.clock.advance(86400)
        evaluate(world, evaluation(world, attempt=9))

    assert len(world.records.poison_list()) == 1


def test_an_instance_whose_clock_is_late_waits_no_longer_than_the_gap(world: World) -> None:
    """Ten minutes behind storage: the second look is a minute away, not eleven."""
    world.choices = replace(world.choices, gap=timedelta(seconds=60))
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    world.clock.advance(5)
    message = evaluation(world)
    world.clock.time -= timedelta(minutes=10)
    evaluate(world, message)

    assert world.queue.sent[-1][2] == 60


@pytest.mark.parametrize("said", [0.0, float("inf")])
def test_advice_that_is_none_is_not_taken(world: World, said: float) -> None:
    """Retry-After of nothing does not burn nine tries in a second; one without end does not break us."""
    world.arm.failures["read"].append(Temporary("ServerBusy", "busy", said))
    evaluate(world, evaluation(world))

    assert world.queue.sent[-1][2] == (30 if said == 0 else 900)


def test_one_busy_row_does_not_cost_the_others_the_sweep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage throttles over one row: the sweep goes on with the next."""
    for name in ("kv-a", "kv-b"):
        world.arm.put(vault_body(name) | {"id": vault_id(name)})
        world.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
        evaluate(world, evaluation(world, vault_id(name)))
        run(world)
    get, asked = world.records.get, list[str]()

    def once_busy(row_id: str) -> object:
        asked.append(row_id)
        if len(asked) == 1:
            raise Temporary("ServerBusy", "tables")
        return get(row_id)

    monkeypatch.setattr(world.records, "get", once_busy)

    assert sweep(world) == 1


def test_a_late_notice_still_rings(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Failed, and retried before anybody was told: the alarm is not unsaid."""
    world.arm.put(vault_body())
    world.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
    evaluate(world, evaluation(world))
    apply(world, _take(world, "apply"))
    late = _take(world, "notify")
    (stored,) = world.records.rows.values()
    retry(world, stored, Cause("sweep", stored.row.id))
    caplog.clear()
    notify(world, late)

    assert [(record.levelname, "state=failed now=superseded" in record.getMessage()) for record in caplog.records] == [
        ("ERROR", True)
    ]


def test_half_a_character_in_a_tag_breaks_nothing(world: World) -> None:
    """JSON can carry half a surrogate pair; no storage takes it."""
    world.arm.put(vault_body(tags={"cmk-vault": "true", "environment": "\ud800"}))
    evaluate(world, evaluation(world))

    memory = world.records.known(ids.parse(vault_id())).memory
    assert memory.environments == ("?",)


def test_two_services_need_not_share_a_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables stamp a second ahead of queues: an event sent after a look is not taken for one that it answered."""
    world.arm.put(vault_body(enablePurgeProtection=True))
    begin = world.records.begin

    def ahead(*arguments: object) -> bool:
        world.clock.time += timedelta(seconds=1.2)
        try:
            return begin(*arguments)  # type: ignore[arg-type]
        finally:
            world.clock.time -= timedelta(seconds=1.2)

    monkeypatch.setattr(world.records, "begin", ahead)
    evaluate(world, evaluation(world))
    world.clock.advance(0.3)
    world.arm.put(vault_body())
    late = evaluation(world)
    world.clock.advance(0.1)
    evaluate(world, late)

    assert world.queue.of("evaluate")
