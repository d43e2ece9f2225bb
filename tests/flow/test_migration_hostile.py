"""Migrations under attack and in bad luck: planted keys, racing picks, rights that go at the worst moment, facts that lag."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Freeze, KeyVault
from shared.core.control import Memory
from shared.core.errors import Denied, Refused, RowChanged, Temporary
from shared.core.record import State
from shared.core.steps import Request
from shared.core.wake import Cause
from shared.flow.approve import reject
from shared.flow.cancel import cancel
from shared.flow.confirm import confirm
from shared.flow.evaluate import evaluate
from shared.flow.pick import Pick, pick
from shared.flow.retry import retry
from tests.access import assignment
from tests.bricks import key_body
from tests.fakes import World, vault_id, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import agree, layers_of, look_at, moving_world, row_of, stored_of, workspace_of

LAYERS = {"managedServices", "dbfsRoot", "managedDisk"}
THREE = {"keys/get", "keys/wrapkey", "keys/unwrapkey"}
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"


def _after(world: World, meets: Callable[[Request], bool], happens: Callable[[], object]) -> None:
    """Let something happen right after the first write that meets a condition."""
    write, pending = world.arm.write, [happens]

    def watched(request: Request, correlation: str) -> bool:
        is_done = write(request, correlation)
        if pending and meets(request):
            pending.pop()()
        return is_done

    world.arm.write = watched  # type: ignore[method-assign]


def _moves(layer: str) -> Callable[[Request], bool]:
    """Whether a write is one that names a layer among the entities."""

    def meets(request: Request) -> bool:
        entities = (request.body.get("properties", {}).get("encryption") or {}).get("entities") or {}
        return request.is_long and layer in entities

    return meets


def _disks_may(world: World) -> set[str]:
    return world.grants.may(workspace_of(world)["properties"]["managedDiskIdentity"]["principalId"])


def _memory(world: World) -> Memory:
    return world.records.kept[workspace_id().lower()]


def _waits_for_restart(world: World) -> bool:
    return row_of(world).decision.reason == "AwaitsConfirmation"


@pytest.mark.parametrize("error", [Denied("AuthorizationFailed", "no"), Temporary("TooManyRequests", "later")])
def test_a_name_that_was_asked_for_in_vain_is_never_used_again(error: Exception) -> None:
    """Nobody can plant a key under it meanwhile: the next request is made under a fresh name, which no history tells before."""
    world = moving_world()
    look_at(world)
    world.arm.failures["write"].append(error)
    drawn: list[str] = []
    remember = world.records.remember

    def watched(*args: Any) -> None:
        remember(*args)
        drawn.extend(it.name for it in _memory(world).drawn if it.name not in drawn)

    world.records.remember = watched  # type: ignore[method-assign, assignment]
    agree(world)
    if row_of(world).state is State.FAILED:
        retry(world, stored_of(world), Cause("person", "r", "dana"))
        run(world, rounds=100)

    first, second = drawn
    assert set(layers_of(world).values()) == {second}
    writing = [str(it.detail) for it in world.records.past[row_of(world).id] if it.event == "writing"]
    assert not any(first in it or second in it for it in writing if "key.create" in it)


def test_a_key_that_is_not_what_was_approved_is_not_used() -> None:
    """Planted at the right moment under the right name, and smaller, with more operations: refused."""
    world = moving_world()
    look_at(world)

    def planted() -> None:
        (path,) = [it for it in world.arm.resources if "/keys/cmk-" in it]
        world.arm.resources[path] = key_body(
            path,
            "kv-one",
            path.rsplit("/", 1)[1],
            world.clock.now(),
            keySize=2048,
            keyOps=["wrapKey", "unwrapKey", "decrypt"],
        )

    _after(world, lambda request: request.below.startswith("/keys/"), planted)
    agree(world)

    assert (row_of(world).state, layers_of(world)) == (State.FAILED, {})


@pytest.mark.parametrize("change", ["vaults", "layers"])
def test_settings_that_change_on_the_way_leave_no_disks_without_their_grant(change: str) -> None:
    """The disks say which key they are on: that, and no setting, decides who is let in and when people are told."""
    world = moving_world()
    other = KeyVault(ids.parse(vault_id("kv-other")), "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001", "westeurope")
    changes: dict[str, dict[str, Any]] = {"vaults": {"key_vaults": (other,)}, "layers": {"key_per_layer": True}}
    changed = changes[change]
    look_at(world)
    _after(world, _moves("managedDisk"), lambda: setattr(world, "choices", replace(world.choices, **changed)))
    agree(world)

    assert _waits_for_restart(world)
    assert _disks_may(world) == THREE


def test_a_vault_that_cannot_be_read_once_the_disks_have_moved_tells_nobody_to_restart() -> None:
    """The reader is locked out for a moment: no restart is asked for; a retry lets the disks in and then asks."""
    world = moving_world()
    look_at(world)
    read, refused = world.arm.read, [True]

    def reading(target: ids.ResourceId) -> Mapping[str, Any] | None:
        if target.kind == ids.VAULT and "managedDisk" in layers_of(world) and refused and refused.pop():
            raise Denied("AuthorizationFailed", "no")
        return read(target)

    world.arm.read = reading  # type: ignore[method-assign]
    agree(world)
    assert not _waits_for_restart(world)
    assert row_of(world).state is State.FAILED
    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world, rounds=100)

    assert _waits_for_restart(world)
    assert _disks_may(world) == THREE


def test_a_role_that_an_owner_gave_a_minute_ago_is_waited_for() -> None:
    """Cancelled in the gap, let in by hand: people are told to restart once it has had time to take effect."""
    world = moving_world(rbac=True)
    look_at(world)
    _after(world, _moves("managedDisk"), lambda: cancel(world, stored_of(world), "cora", "stop"))
    agree(world)
    given = world.clock.now()
    principal = workspace_of(world)["properties"]["managedDiskIdentity"]["principalId"]
    world.grants.assigned.append(
        assignment(
            vault_id(), principal, NARROW, name="a0000001-0000-4000-8000-000000000009", created=given.isoformat()
        )
    )
    world.clock.advance(60)
    evaluate(world, evaluation(world, workspace_id()))
    assert row_of(world).decision.reason == "MustSettle"
    run(world, rounds=100)

    assert _waits_for_restart(world)
    assert world.clock.now() - given >= world.choices.settle


@pytest.mark.parametrize("stop", ["freeze", "expiry", "kill switch"])
def test_nothing_comes_between_the_disks_and_their_grant(stop: str) -> None:
    """Whatever holds a write would leave a workspace where no cluster starts: the grant belongs to the step before it."""
    world = moving_world()
    look_at(world)

    def stopped() -> None:
        now = world.clock.now()
        if stop == "expiry":
            world.clock.advance(2 * 86_400)
        elif stop == "freeze":
            world.choices = replace(world.choices, freezes=(Freeze(now, now + timedelta(days=3)),))
        else:
            world.choices = replace(world.choices, kill_switch=True)

    _after(world, _moves("managedDisk"), stopped)
    agree(world)

    assert _disks_may(world) == THREE
    assert _waits_for_restart(world)


def test_an_identity_that_azure_shows_late_is_waited_for() -> None:
    """The disks have moved and the GET shows no identity yet (AZURE 0.10): tried again, not failed."""
    world = moving_world()
    look_at(world)
    read, lagging = world.arm.read, [True, True]

    def reading(target: ids.ResourceId) -> Mapping[str, Any] | None:
        body = read(target)
        if body and "managedDiskIdentity" in body.get("properties", {}) and lagging:
            lagging.pop()
            return {**body, "properties": {**body["properties"], "managedDiskIdentity": {}}}
        return body

    world.arm.read = reading  # type: ignore[method-assign]
    agree(world)

    assert _waits_for_restart(world)
    assert _disks_may(world) == THREE


def test_a_change_that_failed_and_is_shown_all_the_same_is_made_anew() -> None:
    """Azure says Failed and shows the entity: no proof. The retry writes the layer again, with the same key."""
    world = moving_world(layers=frozenset({"managedServices"}))
    look_at(world)

    def failed() -> None:
        workspace_of(world)["properties"]["provisioningState"] = "Failed"
        raise Denied("ApplianceProvisioningFailed", "no reason given")

    _after(world, _moves("managedServices"), failed)
    agree(world)
    assert row_of(world).state is State.FAILED
    before = len(world.arm.writes())
    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world, rounds=100)

    assert (row_of(world).state, row_of(world).verdict) == (State.RESOLVED, "Compliant")
    assert len(world.arm.writes()) == before + 1
    assert workspace_of(world)["properties"]["provisioningState"] == "Succeeded"


def test_a_pick_that_loses_a_race_does_not_count() -> None:
    """Somebody saves the row at the same moment: the caller is told, and no vault was picked."""
    world = moving_world(chosen=False)
    look_at(world)
    stored = stored_of(world)
    save = world.records.save

    def raced(*args: Any) -> Any:
        world.records.save = save  # type: ignore[method-assign]
        raise RowChanged("RowChanged", "faster")

    world.records.save = raced  # type: ignore[method-assign, assignment]
    with pytest.raises(RowChanged):
        pick(world, stored, Pick(vault_id(), "mallory", "mine"))
    run(world)

    assert _memory(world).picked is None
    assert row_of(world).decision.reason == "NoVaultChosen"


def test_whoever_ever_picked_does_not_approve() -> None:
    """A helper picks the same vault again: the first picker stays one."""
    world = moving_world(chosen=False)
    look_at(world)
    for person in ("mallory", "helper"):
        pick(world, stored_of(world), Pick(vault_id(), person, "near its data"))
        run(world)
    for person in ("mallory", "helper"):
        with pytest.raises(Refused) as caught:
            agree(world, person=person)
        assert caught.value.reason == "OwnRequest"
    agree(world, person="amit")

    assert set(layers_of(world)) == LAYERS


def test_a_vault_can_be_picked_again_where_no_key_was_made() -> None:
    """The key was refused: nothing binds the workspace to that vault."""
    world = moving_world(chosen=False)
    look_at(world)
    pick(world, stored_of(world), Pick(vault_id(), "ada", "near its data"))
    run(world)
    world.arm.failures["write"].append(Denied("AuthorizationFailed", "no"))
    agree(world)
    picked = pick(world, stored_of(world), Pick(vault_id(), "ada", "once more"))

    assert picked.row.requester == "ada"


def test_a_confirmation_that_loses_a_race_does_not_count() -> None:
    """Nobody is on record as having confirmed, so nothing is confirmed."""
    world = moving_world()
    look_at(world)
    agree(world)
    stored, save = stored_of(world), world.records.save

    def raced(*args: Any) -> Any:
        world.records.save = save  # type: ignore[method-assign]
        raise RowChanged("RowChanged", "faster")

    world.records.save = raced  # type: ignore[method-assign, assignment]
    with pytest.raises(RowChanged):
        confirm(world, stored, "dana", "done")
    run(world)

    assert _memory(world).restart is not None
    assert _waits_for_restart(world)


def test_what_a_person_does_by_hand_cannot_be_rejected() -> None:
    """The disks are on a new key whether anybody likes it or not."""
    world = moving_world()
    look_at(world)
    agree(world)
    with pytest.raises(Refused) as caught:
        reject(world, stored_of(world), "rolf", "no")

    assert caught.value.reason == "NothingToReject"
