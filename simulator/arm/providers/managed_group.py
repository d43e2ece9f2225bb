"""What Databricks keeps in a workspace's managed resource group: the storage account, the disk encryption set.

It comes and goes with the workspace; `managedBy` names its owner, which is what keeps others from changing it (AZURE 1.4).
The identities that a workspace shows are those of these two resources, so they are born here.
"""

import uuid

from simulator.arm.answer import Json
from simulator.arm.keyuse import find_vault
from simulator.arm.providers.workspace import dbfs_key, entity, parameter, properties
from simulator.arm.router import fold, route
from simulator.arm.sim import Sim
from simulator.arm.world import group_body


def taken(sim: Sim, workspace: Json) -> bool:
    """Whether the group that a new workspace asks for is there already, and not its own from an earlier try."""
    group = _group(sim, workspace)
    return group is not None and not _owns(workspace, group)


def claim(sim: Sim, workspace: Json) -> None:
    """Make the group, before anything is in it."""
    target = route(str(properties(workspace)["managedResourceGroupId"]))
    body = group_body(target.subscription, target.names[-1], str(workspace["location"]))
    sim.world.put({**body, "managedBy": workspace["id"]})


def grow(sim: Sim, workspace: Json) -> Json:
    """The workspace with the identities that its layers bring, even for a key that does not exist (AZURE 0, hazard 1)."""
    added: Json = {}
    if parameter(workspace, "prepareEncryption") and not properties(workspace).get("storageAccountIdentity"):
        added["storageAccountIdentity"] = _identity(sim)
    if entity(workspace, "managedDisk") and not properties(workspace).get("managedDiskIdentity"):
        added["managedDiskIdentity"] = _identity(sim)
    if entity(workspace, "managedDisk") and not properties(workspace).get("diskEncryptionSetId"):
        group = properties(workspace).get("managedResourceGroupId", "")
        name = f"dbdiskencryptionset{uuid.uuid4().hex[:13]}"
        added["diskEncryptionSetId"] = f"{group}/providers/Microsoft.Compute/diskEncryptionSets/{name}"
    return {**workspace, "properties": {**properties(workspace), **added}}


def fill(sim: Sim, workspace: Json) -> None:
    """Bring the managed resources to what the finished workspace says."""
    if not properties(workspace).get("managedResourceGroupId"):
        return
    if _group(sim, workspace) is None:
        claim(sim, workspace)
    if parameter(workspace, "storageAccountName"):
        sim.world.put(_storage(workspace))
    if properties(workspace).get("diskEncryptionSetId"):
        sim.world.put(_encryption_set(sim, workspace))


def clear(sim: Sim, workspace: Json) -> None:
    """Take the group away with all that is in it; a group that is somebody else's stays."""
    group = _group(sim, workspace)
    if group and _owns(workspace, group):
        sim.world.drop(str(group["id"]))


def _group(sim: Sim, workspace: Json) -> Json | None:
    return sim.world.get(str(properties(workspace).get("managedResourceGroupId") or ""))


def _owns(workspace: Json, group: Json) -> bool:
    return fold(str(group.get("managedBy") or "")) == fold(str(workspace["id"]))


def _identity(sim: Sim) -> Json:
    return {"principalId": str(uuid.uuid4()), "tenantId": sim.config.tenant, "type": "SystemAssigned"}


def _storage(workspace: Json) -> Json:
    """The account behind DBFS."""
    name = str(parameter(workspace, "storageAccountName"))
    named = dbfs_key(workspace)
    encryption: Json = {
        "requireInfrastructureEncryption": bool(parameter(workspace, "requireInfrastructureEncryption")),
        "keySource": "Microsoft.Storage",
    }
    if fold(str(named.get("keySource", ""))) == "microsoft.keyvault":
        encryption["keySource"] = "Microsoft.Keyvault"
        encryption["keyvaultproperties"] = {
            "keyvaulturi": named.get("keyvaulturi"),
            "keyname": named.get("KeyName"),
            "keyversion": named.get("keyversion") or "",
        }
    body: Json = {
        **_resource(workspace, f"Microsoft.Storage/storageAccounts/{name}"),
        "kind": "StorageV2",
        "sku": {"name": parameter(workspace, "storageAccountSkuName") or "Standard_GRS", "tier": "Standard"},
        "properties": {"encryption": encryption, "provisioningState": "Succeeded"},
    }
    identity = properties(workspace).get("storageAccountIdentity")
    return {**body, "identity": identity} if identity else body


def _encryption_set(sim: Sim, workspace: Json) -> Json:
    """The set behind managed disks, in the shape of disk_encryption_sets.jsonl."""
    layer = entity(workspace, "managedDisk")
    named = layer["keyVaultProperties"]
    vault = find_vault(sim, str(named["keyVaultUri"]))
    uri = str(named["keyVaultUri"]).rstrip("/")
    active: Json = {"sourceVault": {"id": vault["id"]}} if vault else {}
    active["keyUrl"] = f"{uri}/keys/{named['keyName']}/{named['keyVersion']}"
    name = route(str(properties(workspace)["diskEncryptionSetId"])).name
    return {
        **_resource(workspace, f"Microsoft.Compute/diskEncryptionSets/{name}"),
        "identity": properties(workspace)["managedDiskIdentity"],
        "properties": {
            "activeKey": active,
            "encryptionType": "EncryptionAtRestWithCustomerKey",
            "rotationToLatestKeyVersionEnabled": bool(layer.get("rotationToLatestKeyVersionEnabled")),
            "provisioningState": "Succeeded",
        },
    }


def _resource(workspace: Json, what: str) -> Json:
    """The head of a resource in the group."""
    kind, _, name = what.rpartition("/")
    return {
        "id": f"{properties(workspace)['managedResourceGroupId']}/providers/{what}",
        "name": name,
        "type": kind,
        "location": workspace["location"],
        "tags": {"application": "databricks", "databricks-environment": "true"},
    }
