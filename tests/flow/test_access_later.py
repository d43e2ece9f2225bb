"""What a second reading found: who asks for a gift, who waits for what, and what nobody may close or stop."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.choices import Mode
from shared.core.errors import Refused
from shared.core.ids import ResourceId
from shared.core.record import State
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, policy
from tests.fakes import World, vault_id, workspace_body, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import access_world, entries_of, look_at, row_of, stored_of, yes

BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"])
DISKS = "d1500000-0000-4000-8000-000000000001"


def test_a_workspace_that_never_worked_and_is_gone_stops_nobody_elses_narrowing() -> None:
    """It named the vault with an identity that held nothing: what is broken anyway is not broken by a plan."""
    world = access_world(BROAD)
    gone = workspace_body("dbw-x")
    entities = gone["properties"]["encryption"]["entities"]
    entities["managedDisk"] = dict(entities["managedServices"])
    gone["properties"]["managedDiskIdentity"] = {"principalId": DISKS}
    world.arm.put(gone)
    evaluate(world, evaluation(world, gone["id"]))
    world.queue.sent.clear()
    del world.arm.resources[gone["id"].lower()]
    world.clock.advance(60)
    look_at(world)

    assert row_of(world).state is State.RESOLVED
    assert entries_of(world)[0]["permissions"]["keys"] == ["get", "wrapKey", "unwrapKey"]


def test_nothing_is_closed_while_somebody_could_not_be_judged() -> None:
    """The object id of AzureDatabricks is not set any more: its finding stays, and the vault is Unknown."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    look_at(world)
    world.choices = replace(world.choices, databricks="")
    world.clock.advance(60)
    look_at(world)

    assert (row_of(world).state, row_of(world, "").verdict) == (State.AWAITING_APPROVAL, "Unknown")
    assert "purge" in entries_of(world)[0]["permissions"]["keys"]


def _asked_for_by(world: World, *names: str) -> None:
    for name in names:
        world.arm.put(workspace_body(name))
    world.clock.advance(60)
    look_at(world)


def test_whoever_asks_for_a_gift_later_does_not_approve_it_either() -> None:
    """Another workspace takes the place of the one that the row was opened for: it is its writer who asks now."""
    world = access_world(policy(DATABRICKS, ["get"]))
    look_at(world)
    del world.arm.resources[workspace_id().lower()]
    _asked_for_by(world, "dbw-b")
    world.diary.at[workspace_id("dbw-b").lower()] = "mallory"
    with pytest.raises(Refused) as caught:
        approve(world, stored_of(world), yes(world, row_of(world), person="mallory"))

    assert caught.value.reason == "OwnChange"


def test_a_gift_for_more_workspaces_than_are_named_takes_two() -> None:
    """The list in the evidence is cut: whoever is not on it may be the one who approves."""
    world = access_world(policy(DATABRICKS, ["get"]))
    _asked_for_by(world, *(f"dbw-{n:02}" for n in range(25)))
    saved = approve(world, stored_of(world), yes(world, row_of(world), person="mallory"))

    assert saved.row.state is State.AWAITING_APPROVAL


def test_rows_that_wait_for_different_times_do_not_multiply_messages() -> None:
    """Eight identities, each granted at another time: each comes back when it is due, and not once for every other."""
    world = access_world(BROAD, grace=timedelta(hours=2))
    for n in range(8):
        who = f"50000000-0000-4000-8000-{n:012}"
        body = workspace_body(f"dbw-{n}")
        key = {"keySource": "Microsoft.Keyvault", "keyvaulturi": "https://kv-one.vault.azure.net/", "KeyName": "k"}
        body["properties"] |= {"encryption": {}, "storageAccountIdentity": {"principalId": who}}
        body["properties"]["parameters"] = {"encryption": {"value": key}}
        world.arm.put(body)
        entries_of(world).append(policy(who, ["get", "wrapKey", "unwrapKey", "purge"]))
        world.clock.advance(300)
        evaluate(world, evaluation(world))
    waiting = len(world.queue.of("evaluate"))
    run(world, rounds=300)

    assert waiting <= 9
    assert all(entry["permissions"]["keys"] == ["get", "wrapKey", "unwrapKey"] for entry in entries_of(world))
    assert vault_id().lower() not in world.records.hands


def test_what_somebody_else_narrowed_right_before_our_write_is_not_ours_to_undo() -> None:
    """Between our save and our write an owner has narrowed by hand: we sent nothing, and claim nothing."""
    world = access_world(BROAD)
    evaluate(world, evaluation(world))
    read = world.arm.read

    def reading(target: ResourceId) -> Mapping[str, Any] | None:
        if row_of(world).executor:
            world.grants.vault["properties"]["accessPolicies"] = [policy(DATABRICKS, ["get", "wrapKey", "unwrapKey"])]
        return read(target)

    world.arm.read = reading  # type: ignore[method-assign]
    run(world)
    row = row_of(world)

    assert (row.state, row.executor, row.remedied, world.arm.writes()) == (State.RESOLVED, {}, (), [])
    with pytest.raises(Refused) as caught:
        undo_of(world, stored_of(world), Wish("ada", "x", world.clock.now() + timedelta(days=1)))
    assert caught.value.reason == "NothingToUndo"
