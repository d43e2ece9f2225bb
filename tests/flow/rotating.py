"""What the tests of rotation share: a workspace whose layers are on a key, and versions of that key."""

from datetime import timedelta
from typing import Any

from shared.core.ports import Stored
from shared.core.record import Remediation, remediation_id
from shared.flow.approve import Yes, approve
from tests.access import DATABRICKS, NARROW, assignment
from tests.bricks import identity, key_body
from tests.fakes import World, vault_id, workspace_id
from tests.flow.conftest import run
from tests.flow.moving import moving_world, workspace_of

OLD, NEW, NEXT = "1" * 32, "2" * 32, "3" * 32
KEY = f"{vault_id()}/keys/k".lower()
POLICY = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P300D"}, "action": {"type": "rotate"}}]}


def make(world: World, version: str, age: timedelta = timedelta(0), **attributes: Any) -> None:
    """Make a version of the key, so long ago: it is the newest from now on."""
    body = key_body(KEY, "kv-one", "k", world.clock.now() - age, version, rotationPolicy=POLICY, attributes=attributes)
    world.arm.resources[KEY] = world.arm.resources[f"{KEY}/versions/{version}"] = body


def rotating_world(**choices: Any) -> World:
    """Return a world with a workspace that has all layers on a sound key of one version, 300 days old; disks do not follow."""
    world = moving_world(rbac=True, key_vaults=(), **choices)
    make(world, OLD, timedelta(days=300))
    at = {"keyVaultUri": "https://kv-one.vault.azure.net/", "keyName": "k", "keyVersion": OLD}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
    properties = workspace_of(world)["properties"]
    disks = {**entity, "rotationToLatestKeyVersionEnabled": False}
    properties["encryption"] = {"entities": {"managedServices": entity, "managedDisk": disks}}
    root = {"keySource": "Microsoft.Keyvault", "keyvaulturi": at["keyVaultUri"], "KeyName": "k", "keyversion": OLD}
    properties["parameters"] |= {
        "prepareEncryption": {"type": "Bool", "value": True},
        "encryption": {"type": "Object", "value": root},
    }
    properties["storageAccountIdentity"] = identity(workspace_id(), "storage")
    properties["managedDiskIdentity"] = identity(workspace_id(), "disks")
    who = [DATABRICKS, *(properties[it]["principalId"] for it in ("storageAccountIdentity", "managedDiskIdentity"))]
    world.grants.assigned += [
        assignment(vault_id(), principal, NARROW, name=f"a0000001-0000-4000-8000-00000000000{n}")
        for n, principal in enumerate(who)
    ]
    return world


def versions(world: World) -> dict[str, str]:
    """Return the version that each layer is on."""
    properties = workspace_of(world)["properties"]
    found = {name: it["keyVaultProperties"]["keyVersion"] for name, it in properties["encryption"]["entities"].items()}
    return found | {"dbfsRoot": properties["parameters"]["encryption"]["value"]["keyversion"]}


def stored_of(world: World, subject: str = "") -> Stored | None:
    """Return the stored row of the versions in use, or of the key of a layer."""
    return world.records.rows.get(remediation_id("KEY-ROTATION", workspace_id().lower(), subject))


def row_of(world: World, subject: str = "") -> Remediation:
    """Return that row, which must be there."""
    stored = stored_of(world, subject)
    assert stored is not None
    return stored.row


def agree(world: World) -> None:
    """Say yes to the plan, and let everything happen that follows."""
    stored = stored_of(world)
    assert stored is not None
    approve(world, stored, Yes("amit", stored.row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1)))
    run(world, rounds=300)


def puts(world: World) -> int:
    """Return how often the workspace was written."""
    return world.arm.calls.count(("PUT", workspace_id().lower()))
