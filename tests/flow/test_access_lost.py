"""Policies where something goes missing: a read, a right, a race, a vault, a yes; and what must hold all the same."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids, parse
from shared.core.choices import Mode
from shared.core.control import Memory
from shared.core.errors import Denied, Refused
from shared.core.facts import Snapshot
from shared.core.graph import graph
from shared.core.ports import Stored
from shared.core.record import State
from shared.core.sights import sights
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.retry import retry
from shared.flow.sweep import sweep
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, TENANT, policy
from tests.fakes import SUBSCRIPTION, World, vault_id, workspace_body, workspace_id
from tests.flow.conftest import delivery, evaluation, run
from tests.flow.narrowing import (
    FINE,
    access_world,
    after_the_write,
    apply_message,
    before_the_write,
    entries_of,
    has_row,
    look_at,
    row_of,
    stored_of,
    swept,
    yes,
)

BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "delete", "purge", "backup"])
SECRETS = f"{DATABRICKS} secrets"
DISKS = "d1500000-0000-4000-8000-000000000001"
THREE = {"keys/get", "keys/wrapkey", "keys/unwrapkey"}
REFUSED = Denied("AuthorizationFailed", "no")


def _disk_workspace(name: str = "dbw-disk") -> dict[str, Any]:
    body = workspace_body(name)
    entities = body["properties"]["encryption"]["entities"]
    entities["managedDisk"] = entities.pop("managedServices")
    body["properties"]["managedDiskIdentity"] = {"principalId": DISKS}
    return body


def _reasons(world: World, subject: str = DATABRICKS) -> list[str]:
    return [entry.reason for entry in world.records.past[row_of(world, subject).id]]


def _wish(world: World, days: int = 10) -> Wish:
    return Wish("ada", "it backs up", world.clock.now() + timedelta(days=days))


def _undone(world: World, days: int = 10) -> Stored:
    undo = undo_of(world, stored_of(world), _wish(world, days))
    return approve(world, undo, yes(world, undo.row, person="amit"))


def test_what_cannot_be_read_before_the_write_is_not_written_and_not_done() -> None:
    """Who uses the vault is not readable any more: the row fails with that reason, and the access stands."""
    world = access_world(BROAD)
    evaluate(world, evaluation(world))
    world.inventory.failures = [REFUSED]
    apply(world, apply_message(world))

    assert (row_of(world).state, row_of(world).verdict) == (State.FAILED, "NonCompliant")
    assert _reasons(world)[-1] == "AuthorizationFailed"
    assert world.arm.writes() == []
    assert "keys/purge" in world.grants.may(DATABRICKS)


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_write_that_cannot_be_read_back_is_not_verified(took_effect: bool) -> None:
    """Accepted and unseen is not done. Once it can be read again, it is what the read says."""
    world = access_world(BROAD)
    evaluate(world, evaluation(world))
    world.arm.swallows = not took_effect
    after_the_write(world, lambda: world.arm.failures.update(read=[REFUSED] * 3))
    apply(world, apply_message(world))
    assert (row_of(world).state, _reasons(world)[-1]) == (State.QUEUED, "NotVisibleYet")

    world.arm.failures["read"] = []
    run(world, rounds=200)
    assert row_of(world).state is (State.RESOLVED if took_effect else State.FAILED)
    assert world.grants.may(DATABRICKS) == (
        THREE if took_effect else THREE | {f"keys/{it}" for it in ("delete", "purge", "backup")}
    )
    assert len(world.arm.writes()) == (1 if took_effect else 9)


def _left_behind(**choices: Any) -> World:
    """A world where the disks of a workspace had a policy, and the workspace is deleted."""
    world = access_world(
        policy(DISKS, ["get", "wrapKey", "unwrapKey", "purge"]), FINE, workspaces=[_disk_workspace(), workspace_body()],
        subscriptions=(SUBSCRIPTION,), mode=Mode.APPROVE, **choices,
    )  # fmt: skip
    evaluate(world, evaluation(world))
    del world.arm.resources[workspace_id("dbw-disk").lower()]
    world.clock.advance(100)
    swept(world)
    assert (row_of(world, DISKS).state, row_of(world, DISKS).finding.reason) == (State.AWAITING_APPROVAL, "Orphan")
    approve(world, stored_of(world, DISKS), yes(world, row_of(world, DISKS)))
    return world


def test_an_orphan_that_is_agreed_to_loses_its_policy() -> None:
    """Before the write the whole estate is searched once more, then the entry goes: that one alone."""
    world = _left_behind()
    apply(world, apply_message(world, DISKS))

    assert (row_of(world, DISKS).state, _reasons(world, DISKS)[-1]) == (State.RESOLVED, "Verified")
    assert [it["objectId"] for it in entries_of(world)] == [DATABRICKS]
    assert len(world.arm.writes()) == 1


def test_an_orphan_of_which_nothing_can_be_said_is_neither_written_nor_done() -> None:
    """A subscription of the estate went out of sight after the yes: no verdict, no write, and a reason on the row."""
    world = _left_behind()
    world.inventory.unseen = {SUBSCRIPTION}
    apply(world, apply_message(world, DISKS))

    assert (row_of(world, DISKS).state, _reasons(world, DISKS)[-1]) == (State.FAILED, "NotJudged")
    assert [it["objectId"] for it in entries_of(world)] == [DISKS, DATABRICKS]
    assert world.arm.writes() == []


def test_who_is_named_by_a_workspace_in_use_is_no_orphan() -> None:
    """Azure does not tell the identity of a workspace's disks for a while: the workspace still uses the vault."""
    world = access_world(
        policy(DISKS, ["get", "wrapKey", "unwrapKey"]),
        FINE,
        workspaces=[_disk_workspace()],
        subscriptions=(SUBSCRIPTION,),
    )
    look_at(world)
    world.arm.resources[workspace_id("dbw-disk").lower()]["properties"]["managedDiskIdentity"] = {}
    world.clock.advance(100)
    swept(world)

    assert not has_row(world, DISKS) or row_of(world, DISKS).finding.reason != "Orphan"
    run(world)
    assert (world.grants.may(DISKS), world.arm.writes()) == (THREE, [])


def test_two_rows_of_one_policy_are_worked_on_one_after_the_other() -> None:
    """A second worker comes while the first writes: its row waits, and neither gives back what the other took."""
    world = access_world(
        policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"], ["get", "set"]), mode=Mode.APPROVE
    )
    look_at(world)
    for subject in (DATABRICKS, SECRETS):
        approve(world, stored_of(world, subject), yes(world, row_of(world, subject)))
    first, second = apply_message(world), apply_message(world, SECRETS)
    before_the_write(world, lambda: apply(world, second))
    apply(world, first)
    waiting = row_of(world, SECRETS)
    assert (waiting.state, waiting.attempt, _reasons(world, SECRETS)[-1]) == (State.QUEUED, 0, "TargetIsBusy")
    assert "secrets/set" in world.grants.may(DATABRICKS)

    run(world)
    assert [row_of(world, it).state for it in (DATABRICKS, SECRETS)] == [State.RESOLVED, State.RESOLVED]
    assert not {"keys/purge", "secrets/set"} & world.grants.may(DATABRICKS)
    assert world.grants.may(DATABRICKS) >= THREE
    assert world.records.hands == {}


@pytest.mark.parametrize("person", ["mallory", "wanda"])
def test_whoever_points_a_workspace_at_a_vault_cannot_approve_its_grant(person: str) -> None:
    """Known from the event, or from the log of the workspace: asking for a grant and agreeing to it takes two people."""
    world = access_world()
    world.diary.last, world.diary.at = "somebody-else", {workspace_id().lower(): "wanda"}
    body = evaluation(world, workspace_id()).body.replace('"actor": ""', '"actor": "mallory"')
    evaluate(world, delivery(body, world.clock.now()))
    evaluate(world, delivery(world.queue.take("evaluate"), world.clock.now()))
    assert row_of(world).finding.reason == "KeyPermissionMissing"
    with pytest.raises(Refused) as caught:
        approve(world, stored_of(world), yes(world, row_of(world), person=person))
    assert (caught.value.reason, row_of(world).state) == ("OwnChange", State.AWAITING_APPROVAL)

    approve(world, stored_of(world), yes(world, row_of(world), person="amit"))
    run(world)
    assert world.grants.may(DATABRICKS) == THREE


def test_a_narrowing_that_has_become_a_gift_is_asked_for_as_one() -> None:
    """Somebody has revoked the vault: the same end state is a grant now, and the row says so before anybody agrees."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    look_at(world)
    narrowing = row_of(world)
    entries_of(world).clear()
    world.clock.advance(300)
    look_at(world)
    row = row_of(world)

    assert (narrowing.finding.reason, row.finding.reason) == ("KeyPermissionsTooBroad", "KeyPermissionMissing")
    assert [(step.grants, step.before) for step in row.plan.steps] == [(True, {"entries": []})]
    assert (row.state, world.arm.writes()) == (State.AWAITING_APPROVAL, [])


def test_a_yes_to_a_narrowing_gives_nothing() -> None:
    """Revoked between the yes and the write: nothing comes back by it, and the grant is asked for anew."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world)))
    entries_of(world).clear()
    run(world)

    assert (row_of(world).state, row_of(world).finding.reason) == (State.AWAITING_APPROVAL, "KeyPermissionMissing")
    assert (entries_of(world), world.arm.writes(), row_of(world).approvals) == ([], [], ())


def _given() -> World:
    """A world where a missing grant was given, by a yes."""
    world = access_world()
    look_at(world)
    approve(world, stored_of(world), yes(world, row_of(world)))
    run(world)
    assert world.grants.may(DATABRICKS) == THREE
    return world


def test_what_a_workspace_needs_is_not_undone() -> None:
    """The undo of a grant would take the key from a workspace in use: refused, and nobody is asked."""
    world = _given()
    with pytest.raises(Refused) as caught:
        undo_of(world, stored_of(world), _wish(world))

    assert caught.value.reason == "WouldBreakAWorkspace"
    assert not [it for it in world.records.rows.values() if it.row.is_wished]
    assert (world.grants.may(DATABRICKS), {it.row.control for it in world.records.rows.values()}) == (
        THREE,
        {"KV-ACCESS", "KV-DELETED", "KV-LOGS"},  # its key is listed nowhere here
    )


def test_what_a_workspace_has_come_to_need_is_not_undone_by_an_older_yes() -> None:
    """Nobody used the vault when the undo was agreed to, somebody does when it is carried out: it is held."""
    world = _given()
    body = world.arm.resources.pop(workspace_id().lower())
    world.clock.advance(86_400 * 40)
    world.records.kept[vault_id().lower()] = Memory(was_cmk_vault=True)
    undo = _undone(world)
    world.arm.put(body)
    run(world)

    assert world.records.rows[undo.row.id].row.decision.reason == "WouldBreakAWorkspace"
    assert (row_of(world).exemption, world.grants.may(DATABRICKS)) == (None, THREE)


def _lock(world: World, level: str) -> None:
    at = f"{vault_id()}/providers/Microsoft.Authorization/locks/l"
    world.grants.lock_bodies.append({"id": at, "name": "l", "properties": {"level": level}})


def test_an_undo_minds_a_lock_before_and_after_the_yes() -> None:
    """A lock that stops the write: refused when it is asked for, held when it came later, nothing exempted either way."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    _lock(world, "ReadOnly")
    run(world)
    held = world.records.rows[undo.row.id].row
    assert (held.decision.reason, row_of(world).exemption, world.grants.may(DATABRICKS)) == ("Locked", None, THREE)

    other = access_world(BROAD)
    look_at(other)
    _lock(other, "ReadOnly")
    with pytest.raises(Refused) as caught:
        undo_of(other, stored_of(other), _wish(other))
    assert caught.value.reason == "Locked"


def test_the_rows_of_a_deleted_vault_end() -> None:
    """The vault is gone: what stood as a finding is superseded, not compliant, and nothing is asked any more."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    look_at(world)
    del world.arm.resources[vault_id().lower()]
    world.clock.advance(100)
    look_at(world)

    assert (row_of(world).state, row_of(world).verdict) == (State.SUPERSEDED, "NotApplicable")
    with pytest.raises(Refused, match="awaits approval"):
        approve(world, stored_of(world), yes(world, row_of(world)))


def test_a_yes_for_a_vault_that_is_gone_ends_as_not_applicable() -> None:
    """Approved before anybody noticed: nothing is written and nothing is called compliant."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    look_at(world)
    del world.arm.resources[vault_id().lower()]
    approve(world, stored_of(world), yes(world, row_of(world)))
    run(world)

    assert (row_of(world).state, row_of(world).verdict, world.arm.writes()) == (State.SUPERSEDED, "NotApplicable", [])


def test_an_undo_that_azure_refuses_exempts_nothing_and_can_be_retried() -> None:
    """Refused: the exemption is lifted. The sweep leaves the undo alone; a person's retry takes a new yes, and works."""
    world = access_world(BROAD)
    before = [dict(it) for it in entries_of(world)]
    look_at(world)
    undo = _undone(world)
    world.arm.failures["write"] = [Denied("RequestDisallowedByPolicy", "no")]
    run(world)
    assert world.records.rows[undo.row.id].row.state is State.FAILED
    assert (row_of(world).exemption, world.grants.may(DATABRICKS)) == (None, THREE)
    world.clock.advance(86_400)
    sweep(world)
    run(world)
    assert world.records.rows[undo.row.id].row.state is State.FAILED

    again = retry(world, world.records.rows[undo.row.id], Cause("person", "r", "ada"))
    run(world)
    assert world.records.rows[undo.row.id].row.state is State.AWAITING_APPROVAL
    approve(world, world.records.rows[again.row.id], yes(world, again.row, person="amit"))
    run(world)
    assert (world.records.rows[undo.row.id].row.state, row_of(world).state) == (State.RESOLVED, State.SUPPRESSED)
    assert entries_of(world) == before


def test_a_policy_without_permissions_is_given_the_three() -> None:
    """`permissions: null` in Azure's answer is an entry that allows nothing: a finding like any other, and it can be mended."""
    world = access_world({"tenantId": TENANT, "objectId": DATABRICKS, "permissions": None})
    look_at(world)
    assert row_of(world).finding.reason == "KeyPermissionMissing"
    approve(world, stored_of(world), yes(world, row_of(world)))
    run(world)

    assert (row_of(world).state, world.grants.may(DATABRICKS)) == (State.RESOLVED, THREE)


def test_a_first_yes_that_has_ended_writes_nothing() -> None:
    """Of two that must agree one's yes is past its date: it counts for nothing, and a second one is waited for."""
    world = access_world()
    world.diary.last = ""
    look_at(world)
    ends = world.clock.now() + timedelta(minutes=1)
    approve(world, stored_of(world), yes(world, row_of(world), expires=ends))
    world.clock.advance(3600)
    approve(world, stored_of(world), yes(world, row_of(world), person="amit"))
    run(world)

    assert (row_of(world).state, [it.person for it in row_of(world).approvals]) == (State.AWAITING_APPROVAL, ["amit"])
    assert (entries_of(world), world.arm.writes()) == ([], [])


def test_what_was_carried_out_can_be_undone_while_the_next_finding_waits() -> None:
    """A regression brings a plan of its own; the before-images of the last one carried out stay known."""
    world = access_world(BROAD)
    look_at(world)
    world.choices = replace(world.choices, mode=Mode.APPROVE)
    entries_of(world)[0]["permissions"]["keys"].append("list")
    world.clock.advance(100)
    look_at(world)
    assert (row_of(world).state, row_of(world).occurrence) == (State.AWAITING_APPROVAL, 2)
    entries_of(world)[0]["permissions"]["keys"].remove("list")
    undo = _undone(world)
    run(world)

    assert world.records.rows[undo.row.id].row.state is State.RESOLVED
    assert "keys/purge" in world.grants.may(DATABRICKS)


@pytest.mark.parametrize("event_first", [True, False])
def test_a_change_after_the_decision_starts_the_grace_anew(event_first: bool) -> None:
    """Queued, and somebody is at it again: held until that is old enough too, and then it comes back by itself."""
    world = access_world(BROAD, grace=timedelta(hours=1))
    evaluate(world, evaluation(world))
    world.clock.advance(3700)
    world.queue.sent.clear()
    evaluate(world, evaluation(world))
    entries_of(world)[0]["permissions"]["keys"].append("sign")
    message, changed = apply_message(world), world.clock.now()
    world.queue.sent.clear()
    if event_first:
        evaluate(world, evaluation(world))
        world.queue.sent.clear()
    apply(world, message)
    assert (row_of(world).state, row_of(world).decision.reason) == (State.OBSERVED, "GrantIsYoung")
    assert world.arm.writes() == []

    run(world)
    assert (row_of(world).state, world.grants.may(DATABRICKS)) == (State.RESOLVED, THREE)
    assert world.clock.now() - changed >= timedelta(hours=1) - timedelta(seconds=10)


def test_every_policy_that_a_vault_can_hold_is_remembered() -> None:
    """A thousand and twenty-four, each with its first sight: none of them stays young for ever."""
    many = [policy(f"aaaa0000-0000-4000-8000-{n:012d}", ["get", "purge"]) for n in range(1024)]
    identities = frozenset(it["objectId"] for it in many)
    world = access_world(*many)
    vault = parse.vault(world.grants.vault)
    snapshot = Snapshot(ids.parse(vault_id()), vault=vault, dependants=(), declared=identities)
    now = world.clock.now()
    first = sights(snapshot, graph(snapshot, Memory(), world.choices), Memory(), now)
    later = sights(snapshot, graph(snapshot, Memory(), world.choices), Memory(sights=first), now + timedelta(days=1))

    assert len(first) == 1024
    assert {it.first for it in later} == {now}


def test_an_undo_exempts_what_was_found_and_nothing_beyond() -> None:
    """`list` was given back for ninety days. `all` is another finding: narrowed as ever."""
    world = access_world(policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "list"]))
    look_at(world)
    _undone(world, days=90)
    run(world)
    assert (row_of(world).state, "keys/list" in world.grants.may(DATABRICKS)) == (State.SUPPRESSED, True)
    world.clock.advance(100)
    look_at(world)
    assert row_of(world).state is State.SUPPRESSED
    entries_of(world)[0]["permissions"]["keys"] = ["all"]
    world.clock.advance(100)
    look_at(world)

    assert (row_of(world).state, world.grants.may(DATABRICKS)) == (State.RESOLVED, THREE)
