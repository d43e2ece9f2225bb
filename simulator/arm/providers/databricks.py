"""Databricks workspaces: the long PUT, tags, deletion. Server-owned fields are kept whatever a PUT says.

A PUT answers 201 with a partial echo and an Azure-AsyncOperation header, for updates too; polls answer 202 until done
(databricks_workspaces.jsonl, AZURE 1.3). Keys and grants behind the encryption layers are not checked here.
"""

import random
import uuid
from typing import Any

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.providers.pages import listed
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.sim import Sim

SKUS = {"standard", "premium", "trial"}
# The Databricks resource provider owns the managed group (recorded in every workspace).
AUTHORIZATIONS = [
    {
        "principalId": "9a74af6f-d153-4348-988a-e2672920bee9",
        "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    }
]
# What only the service sets: a PUT that sends them, or leaves them out, changes nothing (LOCAL 8).
OWNED = (
    "isUcEnabled",
    "workspaceId",
    "workspaceUrl",
    "createdBy",
    "createdDateTime",
    "storageAccountIdentity",
    "managedDiskIdentity",
    "diskEncryptionSetId",
    "privateEndpointConnections",
    "privateLinkAssets",
)
NOT_IN_FIRST_ANSWER = ("workspaceId", "workspaceUrl", "storageAccountIdentity", "diskEncryptionSetId")


def create(call: Call) -> Answer:
    """PUT: 201 Accepted or Updating, then Succeeded."""
    sent = call.body()
    old = call.sim.world.get(call.target.id)
    _check(sent, old)
    body = _made(call, sent, old)
    done = {**body, "properties": {**body["properties"], "provisioningState": "Succeeded"}}
    call.sim.world.put(body)
    operation = _start(call, lambda: call.sim.world.put(done), existed=old is not None)
    first = {**body["properties"]}
    for name in NOT_IN_FIRST_ANSWER:
        first.pop(name, None)
    first["parameters"] = (sent.get("properties") or {}).get("parameters")
    if first["parameters"] is None:
        del first["parameters"]
    return Answer(
        201,
        {**body, "properties": {**first, "createdDateTime": stamp()}},
        {"Azure-AsyncOperation": operation},
        existed=old is not None,
        quiet=call.sim.knobs.workspace_event == "completed",
    )


def update(call: Call) -> Answer:
    """PATCH: tags only (AZURE 1.1)."""
    sent, old = call.body(), call.found()
    body = {**old, "tags": sent.get("tags") or {}}
    call.sim.world.put(body)
    return Answer(200, body)


def delete(call: Call) -> Answer:
    """DELETE: 202 with a Location only; 204 when there was none."""
    old = call.sim.world.get(call.target.id)
    if old is None:
        return Answer(204)
    going = {**(old.get("properties") or {}), "provisioningState": "Deleting"}
    call.sim.world.put({**old, "properties": going})
    path = call.target.path
    operation = _start(call, lambda: _drop(call.sim, path), existed=True)
    quiet = call.sim.knobs.workspace_event == "completed"
    return Answer(202, headers={"Location": operation}, quiet=quiet)


def poll(call: Call) -> Answer:
    """GET of an operation: 202 Accepted until it is over, then 200."""
    state = call.sim.world.operations.get(call.target.name)
    if state is None:
        raise Refused(404, "OperationNotFound", f"The operation '{call.target.name}' was not found.")
    if state["status"] == "Accepted":
        where = f"{call.base}{call.target.path}?api-version={call.version}"
        return Answer(202, {"status": "Accepted"}, {"Location": where})
    return Answer(200, state)


def _start(call: Call, finish: Any, *, existed: bool) -> str:
    """Begin a long operation; returns the URL to poll."""
    name = uuid.uuid4().hex
    sim = call.sim
    sim.world.operations[name] = {"status": "Accepted"}

    def complete() -> None:
        finish()
        sim.world.operations[name] = {"status": "Succeeded"}
        if sim.knobs.workspace_event in {"completed", "both"}:
            call.announce(existed)

    sim.clock.later(sim.knobs.workspace_seconds, complete)
    group = f"/subscriptions/{call.target.subscription}/resourceGroups/{call.target.group}"
    where = f"{group}/providers/Microsoft.Databricks/locations/eastus/operationStatuses/{name}"
    return f"{call.base}{where}?api-version={call.version}"


def _drop(sim: Sim, path: str) -> None:
    sim.world.drop(path)


def _check(sent: Json, old: Json | None) -> None:
    sku = str((sent.get("sku") or {}).get("name", "standard")).lower()
    if sku not in SKUS:
        raise Refused(
            400,
            "InvalidDatabricksSku",
            "The SKU is invalid. The allowed SKUs are: ''Standard', 'Premium', 'Trial''.",
        )
    properties = sent.get("properties") or {}
    if str(properties.get("computeMode", "")).lower() == "serverless" and properties.get("parameters"):
        raise Refused(
            400,
            "FeatureNotSupportedForServerlessWorkspace",
            "The property 'Parameters' is not supported for Serverless Workspace",
        )
    if not sent.get("location"):
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")
    had, has = _disk((old or {}).get("properties") or {}), _disk(properties)
    if had and not has:
        text = "Existing Disk Encryption Properties must be specified in the PUT request"
        raise Refused(400, "DiskEncryptionPropertiesRequired", text)


def _disk(properties: Json) -> Any:
    return ((properties.get("encryption") or {}).get("entities") or {}).get("managedDisk")


def _made(call: Call, sent: Json, old: Json | None) -> Json:
    """The workspace as stored: what was sent, and what the service owns."""
    before: Json = (old.get("properties") or {}) if old else _born(call, sent)
    given = {name: value for name, value in (sent.get("properties") or {}).items() if name not in OWNED}
    owned = {name: before[name] for name in OWNED if name in before}
    properties: Json = {
        **given,
        **owned,
        "authorizations": AUTHORIZATIONS,
        "updatedBy": _who(call),
        "provisioningState": "Updating" if old else "Accepted",
    }
    if isinstance(given.get("parameters"), dict) or isinstance(before.get("parameters"), dict):
        properties["parameters"] = {
            **(before.get("parameters") or {}),
            **_typed(given.get("parameters") or {}),
        }
    _grow(call, properties)
    body: Json = {
        "properties": properties,
        "id": old["id"] if old else call.target.path,
        "name": old.get("name", call.target.name) if old else call.target.name,
        "type": "Microsoft.Databricks/workspaces",
        "sku": sent.get("sku") or {"name": "standard"},
        "location": sent["location"],
    }
    return {**body, "tags": sent["tags"]} if sent.get("tags") else body  # PUT without tags wipes them (AZURE 1.7)


def _born(call: Call, sent: Json) -> Json:
    number = random.randrange(10**15, 10**16)
    serverless = str((sent.get("properties") or {}).get("computeMode", "")).lower() == "serverless"
    born: Json = {
        "isUcEnabled": serverless,
        "workspaceId": str(number),
        "workspaceUrl": f"adb-{number}.{number % 20}.azuredatabricks.net",
        "createdBy": _who(call),
        "createdDateTime": stamp(),
    }
    if not serverless:
        suffix = uuid.uuid4().hex[:13]
        tags = {"application": "databricks", "databricks-environment": "true"}
        born["parameters"] = {
            "enableFedRampCertification": {"type": "Bool", "value": False},
            "resourceTags": {"type": "Object", "value": tags},
            "storageAccountName": {"type": "String", "value": f"dbstorage{suffix}"},
        }
    return born


def _grow(call: Call, properties: Json) -> None:
    """Identities that come with a layer, even for a key that does not exist (AZURE 0, hazard 1; AZURE 1.2)."""
    prepare = (properties.get("parameters") or {}).get("prepareEncryption")
    if isinstance(prepare, dict) and prepare.get("value"):
        properties.setdefault("storageAccountIdentity", _identity(call))
    if _disk(properties):
        if not properties.get("managedDiskIdentity"):
            properties["managedDiskIdentity"] = _identity(call)
        group = properties.get("managedResourceGroupId", "")
        name = f"dbdiskencryptionset{uuid.uuid4().hex[:13]}"
        properties.setdefault("diskEncryptionSetId", f"{group}/providers/Microsoft.Compute/diskEncryptionSets/{name}")


def _identity(call: Call) -> Json:
    return {"principalId": str(uuid.uuid4()), "tenantId": call.sim.config.tenant, "type": "SystemAssigned"}


def _typed(parameters: Json) -> Json:
    """Requests may leave out `type`; later answers carry it (INDEX, shape 2)."""
    kinds = {bool: "Bool", dict: "Object", str: "String"}
    return {
        name: {"type": kinds.get(type(value.get("value")), "String"), **value}
        for name, value in parameters.items()
        if isinstance(value, dict)
    }


def _who(call: Call) -> Json:
    return {"oid": call.caller.oid, "applicationId": str(call.caller.claims.get("appid", ""))}


KINDS = (
    Kind(
        "Microsoft.Databricks/workspaces",
        item={"GET": get, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": listed},
    ),
    Kind("Microsoft.Databricks/locations/operationStatuses", item={"GET": poll}),
)
