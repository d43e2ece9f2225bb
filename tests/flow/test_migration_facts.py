"""What a workspace is judged by: what is denied, ends, is of nobody, or cannot be seen is never taken for sound, nor for broken."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Choices, KeyVault
from shared.core.errors import Refused
from shared.core.record import State
from shared.core.steps import Request
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.approve import Yes, approve
from shared.flow.confirm import confirm
from shared.flow.drain import drain
from shared.flow.evaluate import evaluate
from shared.flow.gather import gather
from shared.flow.retry import retry
from shared.flow.sweep import sweep
from tests.access import DATABRICKS, TENANT, assignment
from tests.bricks import key_body
from tests.fakes import World, vault_body, vault_id, workspace_id
from tests.flow.conftest import delivery, evaluation, run
from tests.flow.moving import agree, look_at, moving_world, plain_workspace, row_of, stored_of, workspace_of

LAYERS = {"managedServices", "dbfsRoot", "managedDisk"}
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"


def _used_world(**choices: Any) -> World:
    """Return a world with a workspace whose managed services use a sound key of an RBAC vault that is nobody's choice."""
    world = moving_world(rbac=True, layers=frozenset({"managedServices"}), key_vaults=(), **choices)
    path = f"{vault_id()}/keys/k".lower()
    world.arm.resources[path] = key_body(path, "kv-one", "k", world.clock.now(), version="1" * 32)
    at = {"keyVaultUri": "https://kv-one.vault.azure.net/", "keyName": "k", "keyVersion": "1" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
    workspace_of(world)["properties"]["encryption"] = {"entities": {"managedServices": entity}}
    world.grants.assigned.append(
        assignment(vault_id(), DATABRICKS, NARROW, name="a0000001-0000-4000-8000-000000000001")
    )
    return world


def _verdicts(world: World) -> dict[str, tuple[str, str]]:
    look_at(world)
    rows = [it.row for it in world.records.rows.values() if it.row.control == "DBX-CMK"]
    return {it.subject: (it.verdict, it.finding.reason) for it in rows}


def test_a_layer_that_is_denied_or_whose_grant_ends_is_not_called_compliant() -> None:
    """Also where the vault is not the one that new keys would go to."""
    sound, denied, timed = _used_world(), _used_world(), _used_world()
    blocked = [{"dataActions": ["Microsoft.KeyVault/vaults/keys/*"], "notDataActions": []}]
    everybody = [{"id": "00000000-0000-0000-0000-000000000000"}]
    denied.grants.denial_bodies.append(
        {
            "properties": {
                "denyAssignmentName": "shut",
                "scope": vault_id(),
                "permissions": blocked,
                "principals": everybody,
            }
        }
    )
    (held,) = timed.grants.assigned
    timed.grants.schedule_bodies.append(
        {
            "properties": {
                "originRoleAssignmentId": held["id"],
                "assignmentType": "Assigned",
                "endDateTime": "2026-11-25T00:00:00Z",
            }
        }
    )

    assert _verdicts(sound) == {}
    assert _verdicts(denied) == {"managedServices": ("NonCompliant", "KeyPermissionMissing")}
    assert _verdicts(timed) == {"": ("Unknown", "GrantNotSure")}


def test_an_unknown_tenant_stops_a_plan() -> None:
    """Neither the workspace nor the deployment says whose it is: nothing is given to anybody in that vault."""
    world = moving_world(tenant="")
    look_at(world)

    assert (row_of(world).state, row_of(world).decision.reason) == (State.OBSERVED, "TenantUnknown")


def test_a_pause_of_the_vaults_subscription_counts_too() -> None:
    """Half of a migration is written at the vault: where that lies in a paused subscription nothing is."""
    other = "22222222-2c6d-4f0a-8b1e-5d9c7a3e0002"
    far = vault_id("kv-far", other)
    at = KeyVault(ids.parse(far), "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001", "westeurope")
    world = moving_world(key_vaults=(at,))
    world.arm.put(
        vault_body("kv-far", tags={}, enablePurgeProtection=True, tenantId=TENANT, accessPolicies=[]) | {"id": far}
    )
    look_at(world)
    world.choices = replace(world.choices, paused=frozenset({other}))
    with pytest.raises(Refused) as caught:
        agree(world)

    assert caught.value.reason == "SubscriptionPaused"


def test_the_approver_sees_that_disks_follow_the_newest_version() -> None:
    """What is sent is what was shown."""
    world = moving_world()
    look_at(world)
    (disks,) = [step for step in row_of(world).plan.steps if step.after.get("layer") == "managedDisk"]
    agree(world)
    entity = workspace_of(world)["properties"]["encryption"]["entities"]["managedDisk"]

    assert (disks.after["rotates"], entity["rotationToLatestKeyVersionEnabled"]) == (True, True)


def test_the_finding_says_which_layers_an_exemption_covers() -> None:
    """A layer that comes to it later is beyond what was exempted."""
    world = moving_world(layers=frozenset({"managedDisk"}))
    look_at(world)
    assert row_of(world).finding.evidence["beyond"] == ["managedDisk"]
    world.choices = replace(world.choices, layers=Choices().layers)
    look_at(world)

    assert row_of(world).finding.evidence["beyond"] == ["managedServices", "dbfsRoot", "managedDisk"]


def test_a_customers_key_whose_vault_azure_does_not_tell_is_not_overwritten() -> None:
    """It says Microsoft.Keyvault and no more: not a platform key, and no target."""
    world = moving_world()
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": None}
    workspace_of(world)["properties"]["encryption"] = {"entities": {"managedServices": entity}}
    look_at(world)
    standing = {it["layer"]: it["reason"] for it in row_of(world).finding.evidence["layers"]}

    assert standing["managedServices"] == "VaultNotSeen"
    assert not any(step.after.get("layer") == "managedServices" for step in row_of(world).plan.steps)


def test_events_on_the_way_leave_no_findings_behind() -> None:
    """Our own writes wake us in the middle: no row, no ticket for a layer that the next step sees to."""
    world = moving_world()
    look_at(world)
    write = world.arm.write

    def echoed(request: Request, correlation: str) -> bool:
        is_done = write(request, correlation)
        if request.is_long:
            world.clock.advance(61)
            evaluate(world, evaluation(world, workspace_id()))
        return is_done

    world.arm.write = echoed  # type: ignore[method-assign]
    agree(world)
    confirm(world, stored_of(world), "dana", "done")
    run(world)
    left = [it.row for it in world.records.rows.values() if it.row.control == "DBX-CMK"]

    assert [(it.subject, it.state) for it in left] == [("", State.RESOLVED)]


def test_steps_that_take_long_do_not_add_up_to_a_failure() -> None:
    """Ten minutes each and nobody tells of their end: each step has its own nine tries."""
    world = moving_world()
    look_at(world)
    write = world.arm.write
    ready = [world.clock.now()]

    def slow(request: Request, correlation: str) -> bool:
        write(request, correlation)
        if request.is_long:
            ready[0] = world.clock.now() + timedelta(minutes=10)
        return not request.is_long

    read = world.arm.read

    def reading(target: ids.ResourceId) -> Mapping[str, Any] | None:
        body = read(target)
        if body and target.kind == ids.WORKSPACE and world.clock.now() < ready[0]:
            return {**body, "properties": {**body["properties"], "provisioningState": "Updating"}}
        return body

    world.arm.write, world.arm.read = slow, reading  # type: ignore[method-assign]
    agree(world)

    assert row_of(world).decision.reason == "AwaitsConfirmation"
    assert world.records.poison_list() == []


def test_a_layer_that_nobody_asked_for_does_not_fail_a_migration() -> None:
    """Only managed services are wanted; DBFS is on a key that cannot be seen. What was asked for is done."""
    world = moving_world(layers=frozenset({"managedServices"}))
    key = {
        "keySource": "Microsoft.Keyvault",
        "keyvaulturi": "https://kv-far.vault.azure.net",
        "KeyName": "k",
        "keyversion": "1",
    }
    workspace_of(world)["properties"]["parameters"]["encryption"] = {"type": "Object", "value": key}
    workspace_of(world)["properties"]["storageAccountIdentity"] = {"principalId": "5" * 8, "tenantId": TENANT}
    look_at(world)
    agree(world)

    assert row_of(world).state is State.RESOLVED


def test_a_storm_of_events_while_azure_is_at_work_gives_nothing_up() -> None:
    """A workspace that is being changed for ten minutes, and an event every twenty seconds."""
    world = moving_world()
    workspace_of(world)["properties"]["provisioningState"] = "Updating"
    for _ in range(30):
        world.clock.advance(20)
        evaluate(world, evaluation(world, workspace_id()))
    workspace_of(world)["properties"]["provisioningState"] = "Succeeded"
    world.queue.sent.clear()
    look_at(world)

    assert world.records.poison_list() == []
    assert row_of(world).state is State.AWAITING_APPROVAL


def test_plain_workspaces_are_left_in_peace() -> None:
    """Out of scope, and a key that nobody can see: no false red."""
    world = moving_world()
    body = plain_workspace()
    at = {"keyVaultUri": "https://kv-far.vault.azure.net/", "keyName": "k", "keyVersion": "1"}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
    body["properties"]["encryption"] = {"entities": {"managedServices": entity}}
    world.arm.put({**body, "tags": {}})
    look_at(world)

    assert [it.row for it in world.records.rows.values() if it.row.control == "DBX-CMK"] == []


def test_a_key_that_is_disabled_later_is_found_by_the_sweep() -> None:
    """Nobody tells the workspace: the night looks at it, and the layers say what is wrong."""
    world = moving_world()
    look_at(world)
    agree(world)
    confirm(world, stored_of(world), "dana", "done")
    run(world)
    assert row_of(world).state is State.RESOLVED
    (path,) = [it for it in world.arm.resources if "/keys/cmk-" in it]
    world.arm.resources[path]["properties"]["attributes"]["enabled"] = False
    world.clock.advance(86_400)
    sweep(world)
    run(world, rounds=100)

    assert {it: row_of(world, it).finding.reason for it in sorted(LAYERS)} == dict.fromkeys(
        sorted(LAYERS), "KeyIsDisabled"
    )
    assert row_of(world).verdict != "Compliant" or row_of(world).state is not State.RESOLVED


def test_what_stood_in_the_way_is_gone_and_somebody_says_so() -> None:
    """A lock kept it a ticket; taken off, a retry has it looked at anew, and it can be approved."""
    world = moving_world()
    lock = {
        "name": "audit",
        "properties": {"level": "ReadOnly"},
        "id": f"{workspace_id()}/providers/Microsoft.Authorization/locks/audit",
    }
    world.grants.lock_bodies.append(lock)
    look_at(world)
    assert (row_of(world).state, row_of(world).decision.reason) == (State.OBSERVED, "Locked")
    world.grants.lock_bodies.clear()
    retry(world, stored_of(world), Cause("person", "r", "dana"))
    run(world)

    assert row_of(world).state is State.AWAITING_APPROVAL


def test_a_message_that_is_poisoned_after_its_step_does_not_end_the_migration() -> None:
    """Its worker died five times, the last time after its step was saved: the next one is sent, nothing has failed."""
    world = moving_world()
    look_at(world)
    row = row_of(world)
    yes = Yes("amit", row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1))
    approve(world, stored_of(world), yes)
    apply(world, delivery(world.queue.take("apply"), world.clock.now()))
    poisoned = delivery(world.queue.take("apply"), world.clock.now(), "another id, as the host gives it")
    world.queue.sent.clear()
    drain(world, "apply", poisoned)
    assert row_of(world).state is State.QUEUED
    run(world, rounds=100)

    assert row_of(world).decision.reason == "AwaitsConfirmation"


def test_where_nothing_is_to_be_moved_only_what_the_workspace_names_is_read() -> None:
    """Its vault and its key. What would stand in the way of a migration is of no use once there is none to come."""
    world = moving_world()
    look_at(world)
    agree(world)
    confirm(world, stored_of(world), "dana", "restarted")
    run(world)
    assert row_of(world).state is State.RESOLVED

    world.arm.calls.clear()
    target = ids.parse(workspace_id())
    found = gather(world, target, world.records.known(target).memory)

    key = next(path for path in world.arm.resources if "/keys/" in path)
    assert world.arm.calls == [("GET", target.key), ("GET", vault_id().lower()), ("GET", key)]
    assert found.hindrances is None
