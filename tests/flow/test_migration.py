"""A migration step by step: what goes wrong on the way ends in a workspace that works and a record that says how far it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.choices import Freeze
from shared.core.errors import Conflict, Denied, Refused, Temporary
from shared.core.record import State
from shared.core.steps import Request
from shared.core.wake import Cause
from shared.flow.confirm import confirm
from shared.flow.pick import Pick, pick
from shared.flow.retry import retry
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, TENANT
from tests.bricks import key_body
from tests.fakes import World, vault_id, workspace_id
from tests.flow.conftest import run
from tests.flow.moving import (
    TAGS,
    agree,
    layers_of,
    look_at,
    moving_world,
    plain_workspace,
    row_of,
    stored_of,
    workspace_of,
)

LAYERS = {"managedServices", "dbfsRoot", "managedDisk"}
THREE = {"keys/get", "keys/wrapkey", "keys/unwrapkey"}


def _confirm(world: World, person: str = "dana") -> None:
    confirm(world, stored_of(world), person, "restarted")
    run(world)


def _reasons(world: World) -> list[str]:
    return [entry.reason for entry in world.records.past[row_of(world).id]]


def _events(world: World, name: str) -> list[str]:
    return [entry.reason for entry in world.records.past[row_of(world).id] if entry.event == name]


def _when(world: World, meets: Callable[[Request], bool], happens: Callable[[], object]) -> None:
    """Let something happen right before the first write that meets a condition."""
    write, pending = world.arm.write, [happens]

    def watched(request: Request, correlation: str) -> bool:
        if pending and meets(request):
            pending.pop()()
        return write(request, correlation)

    world.arm.write = watched  # type: ignore[method-assign]


def _is_put_of(layer: str) -> Callable[[Request], bool]:
    """Whether a write is the one that first names a layer."""

    def meets(request: Request) -> bool:
        entities = (request.body.get("properties", {}).get("encryption") or {}).get("entities") or {}
        return request.is_long and layer in entities

    return meets


def _raises(world: World, error: Exception) -> Callable[[], None]:
    return lambda: world.arm.failures["write"].append(error)


@pytest.mark.parametrize("rbac", [False, True])
def test_the_whole_way(rbac: bool) -> None:
    """Ticketed, approved, carried out, confirmed: three layers on one key, open to exactly three, all else as it was."""
    world = moving_world(rbac=rbac)
    look_at(world)
    assert (row_of(world).state, row_of(world).decision.reason) == (State.AWAITING_APPROVAL, "NeedsAPerson")
    assert world.arm.writes() == []
    agree(world)
    assert row_of(world).decision.reason == "AwaitsConfirmation"
    _confirm(world)

    row, properties = row_of(world), workspace_of(world)["properties"]
    assert (row.state, row.verdict, row.occurrence) == (State.RESOLVED, "Compliant", 1)
    assert all(step.done for step in row.plan.steps)
    assert set(layers_of(world)) == LAYERS
    assert len(set(layers_of(world).values())) == 1
    assert workspace_of(world)["tags"] == TAGS
    assert properties["authorizations"] == plain_workspace()["properties"]["authorizations"]
    for identity in (
        DATABRICKS,
        *(properties[it]["principalId"] for it in ("storageAccountIdentity", "managedDiskIdentity")),
    ):
        held = {it.lower().rsplit("vaults/", 1)[-1].removesuffix("/action") for it in world.grants.may(identity)}
        assert held == ({"keys/read", "keys/wrap", "keys/unwrap"} if rbac else THREE)


def test_each_step_is_one_message_and_one_write() -> None:
    """Whatever the host does with a message, no more than one step is at stake."""
    world = moving_world()
    look_at(world)
    agree(world)

    assert len(_events(world, "claimed")) == len(_events(world, "writing")) + 1
    assert len(_events(world, "writing")) == len(world.arm.writes()) == 8


def test_with_a_key_for_each_layer() -> None:
    """By setting: three keys, each for its layer."""
    world = moving_world(key_per_layer=True)
    look_at(world)
    agree(world)

    assert len(set(layers_of(world).values())) == 3


def test_a_standard_workspace_is_upgraded_first() -> None:
    """The tier is the first step of the plan; nobody calls a standard workspace compliant."""
    world = moving_world()
    world.arm.put(plain_workspace(sku="standard"))
    look_at(world)
    assert (row_of(world).finding.reason, row_of(world).plan.steps[0].kind) == ("NeedsPremium", "workspace.upgrade")
    agree(world)

    assert workspace_of(world)["sku"] == {"name": "premium"}
    assert set(layers_of(world)) == LAYERS


def test_a_failure_half_way_is_gone_on_from_by_a_retry() -> None:
    """Azure refuses the disks: two layers are done, on record, and the workspace works. Put right, a retry does the rest."""
    world = moving_world()
    look_at(world)
    _when(world, _is_put_of("managedDisk"), _raises(world, Denied("LinkedAuthorizationFailed", "no right on subnet")))
    agree(world)
    row = row_of(world)
    standing = {it["layer"]: it["verdict"] for it in row.finding.evidence["layers"]}

    assert (row.state, set(layers_of(world))) == (State.FAILED, {"managedServices", "dbfsRoot"})
    assert standing == {"managedServices": "compliant", "dbfsRoot": "compliant", "managedDisk": "non-compliant"}
    assert row.finding.evidence["stands_in_the_way"]["message"].endswith("no right on subnet")
    world.clock.advance(60)
    look_at(world)
    assert row_of(world).state is State.FAILED  # our own steps do not open it again

    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world, rounds=100)
    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert set(layers_of(world)) == LAYERS
    assert len([it for it in world.arm.writes() if it[1].endswith("dbw-one")]) == 5


def test_a_retry_after_the_yes_has_ended_asks_again() -> None:
    """An approval is for a time: what is left is asked for anew, and only that."""
    world = moving_world()
    look_at(world)
    _when(world, _is_put_of("managedDisk"), _raises(world, Denied("AuthorizationFailed", "no")))
    agree(world)
    world.clock.advance(2 * 86_400)
    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world)
    row = row_of(world)

    assert (row.state, row.approvals) == (State.AWAITING_APPROVAL, ())
    assert [step.kind for step in row.plan.steps] == ["workspace.encrypt", "policy.set", "compute.restart"]
    agree(world)
    assert set(layers_of(world)) == LAYERS


def test_somebody_elses_update_takes_nobodys_yes_back() -> None:
    """ConcurrentUpdateError: read again, planned again, gone on with, under the same approval."""
    world = moving_world()
    look_at(world)
    _when(world, _is_put_of("managedServices"), _raises(world, Conflict("ConcurrentUpdateError", "another process")))
    agree(world)

    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert _events(world, "postponed") == ["ConcurrentUpdateError"]
    assert len(_events(world, "approved")) == 1


def test_an_end_that_nobody_heard_is_read_back() -> None:
    """Azure never says that it has ended: the workspace does, and the step is done all the same."""
    world = moving_world()
    world.arm.says_nothing = True
    look_at(world)
    agree(world)
    _confirm(world)

    assert row_of(world).state is State.RESOLVED
    assert "OutcomeReadBack" in _reasons(world)
    assert len(world.arm.writes()) == 8
    assert all(step.done for step in row_of(world).plan.steps)


def test_replies_that_are_lost_do_nothing_twice() -> None:
    """Every first write takes effect and its answer is lost: each is found done and not sent again."""
    world = moving_world()
    look_at(world)
    world.arm.loses_replies = True
    world.arm.failures["write"] = [Temporary("ConnectionLost", "gone") for _ in range(8)]
    agree(world)

    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert len(world.arm.writes()) == 8


def test_while_azure_is_still_changing_it_nothing_is_written() -> None:
    """A PUT now would fail: it comes back, and goes on when the workspace has settled."""
    world = moving_world()
    look_at(world)
    workspace_of(world)["properties"]["provisioningState"] = "Updating"
    row = row_of(world)
    assert row.state is State.AWAITING_APPROVAL
    _later = world.queue.send

    def sent(queue: str, body: Any, delay: timedelta = timedelta(0)) -> Any:
        if delay > timedelta(minutes=1):
            workspace_of(world)["properties"]["provisioningState"] = "Succeeded"
        return _later(queue, body, delay)

    world.queue.send = sent  # type: ignore[method-assign]
    agree(world)

    assert "StillProvisioning" in _reasons(world)
    assert set(layers_of(world)) == LAYERS


def test_a_lock_that_comes_on_the_way_stops_it_and_says_so() -> None:
    """ReadOnly on the workspace: nothing more is written, the ticket names the lock; taken off, it is asked for again."""
    world = moving_world()
    look_at(world)
    lock = {
        "name": "audit",
        "properties": {"level": "ReadOnly"},
        "id": f"{workspace_id()}/providers/Microsoft.Authorization/locks/audit",
    }
    _when(world, _is_put_of("managedServices"), lambda: world.grants.lock_bodies.append(lock))
    agree(world)
    row = row_of(world)

    assert (row.state, row.decision.reason) == (State.OBSERVED, "Locked")
    assert set(layers_of(world)) == {"managedServices"}
    world.grants.lock_bodies.clear()
    look_at(world)
    assert row_of(world).state is State.AWAITING_APPROVAL
    agree(world)
    assert set(layers_of(world)) == LAYERS


def test_a_change_freeze_that_begins_on_the_way_holds_it() -> None:
    """People froze changes: the rest waits, and takes a new yes."""
    world = moving_world()
    look_at(world)
    freeze = Freeze(world.clock.now(), world.clock.now() + timedelta(days=1))
    _when(
        world,
        _is_put_of("managedServices"),
        lambda: setattr(world, "choices", replace(world.choices, freezes=(freeze,))),
    )
    agree(world)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.AWAITING_APPROVAL, "ChangeFreeze")
    assert set(layers_of(world)) == {"managedServices"}


def test_a_key_that_was_there_before_is_not_taken_for_ours() -> None:
    """Azure hands back a key of that name with two versions: refused; a retry draws another name and goes on."""
    world = moving_world()
    look_at(world)

    def planted(request: Request) -> bool:
        if request.below.startswith("/keys/"):
            path = (request.path + request.below).lower()
            world.arm.resources[path] = {
                **key_body(path, "kv-one", path.rsplit("/", 1)[1], world.clock.now()),
                "versions": 2,
            }
            return True
        return False

    _when(world, planted, lambda: None)
    agree(world)
    assert row_of(world).state is State.FAILED
    assert _reasons(world)[-1] == "KeyNotOurs"
    assert layers_of(world) == {}
    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world, rounds=100)

    drawn = world.records.kept[workspace_id().lower()].drawn
    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert [it.name for it in drawn] == [layers_of(world)["managedDisk"]]


def test_a_key_that_is_older_than_its_name_is_not_ours() -> None:
    """One version, made before the name was drawn."""
    world = moving_world()
    look_at(world)

    def planted(request: Request) -> bool:
        if request.below.startswith("/keys/"):
            path = (request.path + request.below).lower()
            made = world.clock.now() - timedelta(days=1)
            world.arm.resources[path] = key_body(path, "kv-one", path.rsplit("/", 1)[1], made)
            return True
        return False

    _when(world, planted, lambda: None)
    agree(world)

    assert (row_of(world).state, _reasons(world)[-1]) == (State.FAILED, "KeyNotOurs")


def test_no_vault_is_chosen_by_a_tag() -> None:
    """The tag proposes, nobody obeys: a ticket, and nothing that could be approved."""
    world = moving_world(chosen=False)
    workspace_of(world)["tags"]["cmk-vault-id"] = vault_id()
    look_at(world)
    row = row_of(world)

    assert (row.state, row.decision.reason) == (State.OBSERVED, "NoVaultChosen")
    assert row.finding.evidence["proposed_vault"] == vault_id()
    assert row.finding.evidence["eligible"] == [vault_id()]
    assert row.plan.steps == ()


def test_whoever_picks_the_vault_does_not_approve() -> None:
    """A pick makes a plan; the picker counts as requester, anybody else may say yes."""
    world = moving_world(chosen=False)
    look_at(world)
    pick(world, stored_of(world), Pick(vault_id(), "ada", "near its data"))
    run(world)
    assert (row_of(world).state, row_of(world).requester) == (State.AWAITING_APPROVAL, "ada")
    with pytest.raises(Refused) as caught:
        agree(world, person="ada")

    assert caught.value.reason == "OwnRequest"
    agree(world, person="amit")
    assert set(layers_of(world)) == LAYERS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"enablePurgeProtection": None}, "VaultNotProtected"),
        ({"tenantId": "00000000-0000-4000-8000-00000000ffff"}, "VaultInAnotherTenant"),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None"}}, "VaultUnreachable"),
    ],
)
def test_a_vault_that_does_not_fit_cannot_be_picked(change: dict[str, Any], reason: str) -> None:
    """Each with its own reason, before anything is noted."""
    world = moving_world(chosen=False, tenant=TENANT)
    world.grants.vault["properties"] |= change
    look_at(world)
    with pytest.raises(Refused) as caught:
        pick(world, stored_of(world), Pick(vault_id(), "ada", "why not"))

    assert caught.value.reason == reason
    assert world.records.kept[workspace_id().lower()].picked is None


def test_a_vault_that_the_deployment_does_not_name_cannot_be_picked() -> None:
    """Whoever may pick may not pick anything."""
    world = moving_world(chosen=False)
    look_at(world)
    with pytest.raises(Refused) as caught:
        pick(world, stored_of(world), Pick(vault_id("kv-other"), "ada", "mine"))

    assert caught.value.reason == "NotAKeyVault"


def test_a_lowered_tag_does_not_end_the_finding() -> None:
    """Whoever can write a tag must not by that alone make the workspace compliant."""
    world = moving_world()
    look_at(world)
    workspace_of(world)["tags"] = {"data-sensitivity": "public"}
    look_at(world)

    assert row_of(world).state is State.AWAITING_APPROVAL


def test_nothing_is_confirmed_that_does_not_wait_for_it() -> None:
    """Before the migration there is nothing to confirm; while it waits there is nothing to approve."""
    world = moving_world()
    look_at(world)
    with pytest.raises(Refused) as caught:
        confirm(world, stored_of(world), "dana", "done")
    assert caught.value.reason == "NothingToConfirm"
    agree(world)
    with pytest.raises(Refused) as caught:
        agree(world)

    assert caught.value.reason == "NothingToApprove"


def test_a_look_while_it_waits_for_the_restart_changes_nothing() -> None:
    """Events go on coming: the row waits as it is, with its steps on record, until somebody confirms."""
    world = moving_world()
    look_at(world)
    agree(world)
    before = row_of(world)
    look_at(world)

    assert row_of(world) == before
    _confirm(world)
    assert row_of(world).state is State.RESOLVED


def test_a_migration_has_no_way_back_through_us() -> None:
    """Two layers never go back: an undo is refused, and says why."""
    world = moving_world()
    look_at(world)
    agree(world)
    _confirm(world)
    with pytest.raises(Refused) as caught:
        undo_of(world, stored_of(world), Wish("ada", "x", world.clock.now() + timedelta(days=1)))

    assert caught.value.reason == "Irreversible"


def test_a_plan_that_grew_is_not_covered_by_the_yes() -> None:
    """Since the approval somebody has taken the tier away: a step more than was agreed to, so that it is asked again."""
    world = moving_world()
    look_at(world)
    workspace_of(world)["sku"] = {"name": "standard"}
    agree(world)
    row = row_of(world)

    assert (row.state, row.plan.steps[0].kind) == (State.AWAITING_APPROVAL, "workspace.upgrade")
    assert world.arm.writes() == []
    assert "PlanHasChanged" in _reasons(world)


def test_a_step_that_never_comes_to_be_seen_is_not_sent_for_ever() -> None:
    """Azure says yes and nothing happens: tried a few times, then it has failed and people are told."""
    world = moving_world()
    look_at(world)
    world.arm.swallows = True
    agree(world)

    assert (row_of(world).state, _reasons(world)[-1]) == (State.FAILED, "NotVisibleYet")
    assert len(world.arm.writes()) <= 5


def test_a_key_that_cannot_be_read_stops_it() -> None:
    """The reader has lost its rights on keys: unknown is no pass, and nothing more is written."""
    world = moving_world()
    look_at(world)
    unread = Denied("AuthorizationFailed", "no keys/read")

    def refuse(*_: Any) -> Any:
        raise unread

    _when(world, lambda request: request.is_long, lambda: setattr(world.arm, "key", refuse))
    agree(world)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.OBSERVED, "KeyNotReadable")
    assert len(world.arm.writes()) == 2


def test_a_version_that_somebody_adds_meanwhile_is_not_taken() -> None:
    """Between making the key and using it somebody with rights on keys makes a newer version: the layers go on ours."""
    world = moving_world()
    look_at(world)

    def rotated() -> None:
        (path,) = [it for it in world.arm.resources if "/keys/cmk-" in it]
        own = world.arm.resources[path]
        world.arm.resources[path] = {**own, "versions": 2, "older": own}

    _when(world, _is_put_of("managedServices"), rotated)
    agree(world)
    entities = workspace_of(world)["properties"]["encryption"]["entities"]
    (name,) = world.records.kept[workspace_id().lower()].drawn

    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert {it["keyVaultProperties"]["keyVersion"] for it in entities.values()} == {name.version}


def test_another_workspace_under_the_same_name_gets_a_key_of_its_own() -> None:
    """Deleted and made anew: the keys of the one before are its own, and so is what was confirmed of it."""
    world = moving_world()
    look_at(world)
    agree(world)
    before = layers_of(world)["managedDisk"]
    world.arm.put(plain_workspace(workspaceId="99"))
    look_at(world)
    look_at(world)
    assert row_of(world).plan.steps[0].kind == "key.create"
    agree(world)

    assert layers_of(world)["managedDisk"] != before
