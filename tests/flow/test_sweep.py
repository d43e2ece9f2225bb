"""Healing: rows without a message, messages that killed their worker, and explaining without writing."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core import ids
from shared.core.errors import BadInput, Denied
from shared.core.ids import ResourceId
from shared.core.record import State
from shared.flow.apply import apply
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.explain import explain
from shared.flow.sweep import sweep
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import delivery, evaluation, run


def _queued(world: World, name: str = "kv-one") -> None:
    world.arm.put(vault_body(name))
    evaluate(world, evaluation(world, vault_id(name)))


def test_a_row_whose_message_was_lost_is_healed(world: World) -> None:
    """Killed between saving the row and sending its message: the sweep sends it, and the work is done once."""
    _queued(world)
    world.queue.sent.clear()
    world.clock.advance(world.choices.claim.total_seconds() + 1)

    assert sweep(world) == 1
    run(world)
    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


def test_fresh_rows_are_left_alone(world: World) -> None:
    """A row that was touched a moment ago is on its way: the sweep does not double it."""
    _queued(world)

    assert sweep(world) == 0


def test_the_sweep_reads_every_page(world: World) -> None:
    """More stuck rows than fit a page are all healed."""
    world.choices = type(world.choices)(auto_scope=world.choices.auto_scope, share=100, writes_per_hour=1000)
    for n in range(250):
        _queued(world, f"kv-{n}")
    world.queue.sent.clear()
    world.clock.advance(world.choices.claim.total_seconds() + 1)

    assert sweep(world) == 250


def test_a_worker_that_died_while_applying_is_healed(world: World) -> None:
    """A row left in `applying` by a dead worker is taken over after its claim has run out."""
    _queued(world)
    world.arm.failures["read"].append(RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        apply(world, delivery(world.queue.take("apply"), NOON))
    world.clock.advance(world.choices.claim.total_seconds() + 1)
    sweep(world)
    run(world)

    assert (world.row().state, len(world.arm.writes())) == (State.RESOLVED, 1)


def test_the_night_is_a_new_chance_for_what_failed(world: World) -> None:
    """A lock made it fail and the lock is gone: the sweep has it judged anew, and it is put right."""
    _queued(world)
    world.arm.failures["write"].append(Denied("ScopeLocked", "locked"))
    run(world)
    assert world.row().state is State.FAILED

    assert sweep(world) == 1
    run(world)
    assert (world.row().state, world.row().cause.kind) == (State.RESOLVED, "sweep")


@pytest.mark.parametrize(
    ("held", "reason"),
    [({"kill_switch": True}, "KillSwitch"), ({"paused": frozenset({SUBSCRIPTION})}, "SubscriptionPaused")],
)
def test_what_a_rail_held_back_goes_on_when_it_is_lifted(world: World, held: dict[str, object], reason: str) -> None:
    """Nobody sends an event when a switch is turned back: the sweep looks again."""
    before = world.choices
    world.choices = replace(before, **held)  # type: ignore[arg-type]
    _queued(world)
    assert (world.row().state, world.row().decision.reason) == (State.AWAITING_APPROVAL, reason)
    world.queue.sent.clear()

    world.choices = before
    world.clock.advance(60)
    sweep(world)
    run(world)
    assert world.row().state is State.RESOLVED


def test_one_target_is_looked_at_once_a_sweep(world: World) -> None:
    """Several rows of one target need one look."""
    world.choices = replace(world.choices, kill_switch=True)
    _queued(world)
    (stored,) = world.records.rows.values()
    twin = replace(stored.row, id="twin")
    world.records.rows["twin"] = replace(stored, row=twin)
    world.queue.sent.clear()

    assert sweep(world) == 1
    assert [body["id"] for body in world.queue.of("evaluate")] == [vault_id()]


def test_a_poisoned_write_fails_its_row(world: World) -> None:
    """A message that killed its worker five times ends as a failed row and a poison record."""
    _queued(world)
    drain(world, "apply", delivery(world.queue.take("apply"), NOON))

    assert (world.row().state, [it.source for it in world.records.poison_list()]) == (State.FAILED, ["apply"])


@pytest.mark.parametrize(("queue", "body"), [("evaluate", "{}"), ("apply", "garbage"), ("wake", "x"), ("notify", "")])
def test_any_poisoned_message_is_recorded(world: World, queue: str, body: str) -> None:
    """Whatever falls into a poison queue leaves a record."""
    drain(world, queue, delivery(body, NOON))

    assert [(it.source, it.reason) for it in world.records.poison_list()] == [(queue, "GaveUp")]


def test_explaining_writes_nothing(world: World) -> None:
    """Verdict, decision and plan of a vault, and no row, no message, no ledger entry, no write."""
    world.arm.put(vault_body(), workspace_body(environment="prod"))
    told = explain(world, vault_id())

    (verdict,) = told["verdicts"]
    assert (verdict["verdict"], verdict["decision"].kind, verdict["state"]) == ("NonCompliant", "auto", None)
    assert (told["environments"], told["read"]) == (["prod"], "read")
    assert (world.records.rows, world.queue.sent, world.records.ledger, world.arm.writes()) == ({}, [], {}, [])


def test_explaining_names_the_rail(world: World) -> None:
    """What stands against a write is explained before anybody tries."""
    world.arm.put(*(vault_body(f"kv-{n}") for n in range(5)))
    world.records.let_through(_target("kv-0"), "r", NOON)

    (verdict,) = explain(world, vault_id("kv-1"))["verdicts"]
    assert (verdict["decision"].kind, verdict["decision"].reason) == ("approval", "ShareOfVaults")


def _target(name: str) -> ResourceId:
    return ids.parse(vault_id(name))


def test_explaining_what_cannot_be_read_says_so(world: World) -> None:
    """Unreadable and absent resources are explained as such."""
    absent = explain(world, vault_id())
    world.arm.failures["read"].append(Denied("AuthorizationFailed", "no"))
    unreadable = explain(world, vault_id())

    assert absent["read"].startswith("absent")
    assert unreadable["read"] == "unreadable: AuthorizationFailed: no"
    assert unreadable["verdicts"][0]["verdict"] == "Unknown"


def test_explaining_a_workspace_says_which_controls_are_silent(world: World) -> None:
    """A control that speaks of vaults only says so of a workspace."""
    world.arm.put(workspace_body())

    (verdict,) = explain(world, workspace_id())["verdicts"]
    assert (verdict["verdict"], verdict["finding"].reason) == ("NotApplicable", "AnotherKind")


@pytest.mark.parametrize(
    "resource",
    ["nonsense", vault_id().replace("Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts")],
)
def test_explaining_nonsense_is_refused(world: World, resource: str) -> None:
    """What is no id, or not ours, is bad input."""
    with pytest.raises(BadInput):
        explain(world, resource)


def test_explaining_outside_the_estate_is_refused() -> None:
    """With a list of subscriptions, another one is not even read."""
    world = World(subscriptions=("99999999-0000-4000-8000-000000000000",))
    with pytest.raises(BadInput, match=SUBSCRIPTION):
        explain(world, vault_id())

    assert json.dumps(world.arm.calls) == "[]"


def test_answers_of_the_day_before_are_forgotten(world: World) -> None:
    """What was kept for requests that may come twice goes after a day, and not earlier."""
    world.answers.claim("a", "asked", world.clock.now(), timedelta(minutes=5))
    world.clock.advance(86_000)
    world.answers.claim("b", "asked", world.clock.now(), timedelta(minutes=5))
    world.clock.advance(401)
    sweep(world)

    assert set(world.answers.known) == {"b"}
