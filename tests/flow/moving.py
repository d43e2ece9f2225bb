"""What the tests of a migration share: a workspace on platform keys, a vault where its keys may live, people who agree."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from remediators import REMEDIATORS
from shared.core import ids
from shared.core.choices import KeyVault
from shared.core.ports import Stored
from shared.core.record import Remediation, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from tests.access import DATABRICKS, TENANT, Access
from tests.fakes import World, vault_body, vault_id, workspace_id
from tests.flow.conftest import evaluation, run

TAGS = {"data-sensitivity": "confidential", "Owner": "ada@example.com"}


def plain_workspace(name: str = "dbw-one", sku: str = "premium", **properties: Any) -> dict[str, Any]:
    """Return the body of a hybrid workspace on platform keys, as Azure shows one (AZURE 1.2)."""
    own = {
        "computeMode": "Hybrid",
        "managedResourceGroupId": f"/subscriptions/s/resourceGroups/databricks-rg-{name}",
        "provisioningState": "Succeeded",
        "workspaceId": "7405612144183724",
        "authorizations": [{"principalId": "9a74af6f-d153-4348-988a-e2672920bee9", "roleDefinitionId": "8e3af657"}],
        "parameters": {
            "prepareEncryption": {"type": "Bool", "value": False},
            "enableNoPublicIp": {"type": "Bool", "value": True},
            "resourceTags": {"type": "Object", "value": {"application": "databricks"}},
            "enableFedRampCertification": {"type": "Bool", "value": False},
        },
        "publicNetworkAccess": "Enabled",
        **properties,
    }
    whole: dict[str, Any] = {"id": workspace_id(name), "name": name, "location": "westeurope", "tags": dict(TAGS)}
    return {**whole, "sku": {"name": sku}, "properties": {k: v for k, v in own.items() if v is not None}}


def moving_world(*, rbac: bool = False, chosen: bool = True, protected: bool = True, **choices: Any) -> World:
    """Return a world with a plain workspace and a vault for its keys."""
    at = ids.parse(vault_id())
    place = KeyVault(at, at.subscription, "westeurope") if chosen else KeyVault(at)
    own = {
        "databricks": DATABRICKS,
        "key_vaults": (place,),
        "settle": timedelta(minutes=30),
        "tenant": TENANT,
        **choices,
    }
    world = World(**own)
    world.remediators = REMEDIATORS
    body = vault_body(
        tags={}, enablePurgeProtection=True if protected else None, tenantId=TENANT, accessPolicies=[],
        enableRbacAuthorization=rbac,
    )  # fmt: skip
    world.give(Access(body))
    world.arm.put(plain_workspace())
    return world


def workspace_of(world: World) -> dict[str, Any]:
    """Return the workspace as it stands."""
    return world.arm.resources[workspace_id().lower()]


def stored_of(world: World, subject: str = "") -> Stored:
    """Return the stored row of the workspace's migration, or of a layer."""
    return world.records.rows[remediation_id("DBX-CMK", workspace_id().lower(), subject)]


def row_of(world: World, subject: str = "") -> Remediation:
    """Return the row of the workspace's migration, or of a layer."""
    return stored_of(world, subject).row


def look_at(world: World) -> None:
    """Look at the workspace, and let everything happen that follows."""
    world.clock.advance(60)
    evaluate(world, evaluation(world, workspace_id()))
    run(world, rounds=300)


def agree(world: World, person: str = "amit", **changed: Any) -> None:
    """Say yes to the plan of the migration, and let everything happen that follows."""
    row = row_of(world)
    yes = Yes(person, row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1))
    approve(world, stored_of(world), replace(yes, **changed))
    run(world, rounds=300)


def layers_of(world: World) -> dict[str, str]:
    """Return the name of the key of each layer, by layer."""
    properties = workspace_of(world)["properties"]
    entities = (properties.get("encryption") or {}).get("entities") or {}
    found = {layer: it["keyVaultProperties"]["keyName"] for layer, it in entities.items()}
    root = (properties["parameters"].get("encryption") or {}).get("value") or {}
    return found | ({"dbfsRoot": root["KeyName"]} if root.get("keySource") == "Microsoft.Keyvault" else {})
