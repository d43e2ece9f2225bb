"""Disk encryption sets: which key encrypts the disks of which subscription, and with whose rights.

Shaped as recorded (disk_encryption_sets.jsonl). Writing one asks no vault anything: a set that names a key it may not use
is accepted, and fails where it is used (AZURE 0, hazard 1). Every change is an operation that is done at once.
"""

import uuid

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.clock import stamp
from simulator.arm.providers.pages import listed
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.router import fold

SETS = "Microsoft.Compute/diskEncryptionSets"
TYPE = "EncryptionAtRestWithCustomerKey"


def create(call: Call) -> Answer:
    """PUT: 202 with what was sent, `Updating`; the set itself is there as soon as somebody looks."""
    sent, old = call.body(), call.sim.world.get(call.target.id)
    properties = sent.get("properties") or {}
    _check(sent, properties)
    before = (old or {}).get("properties") or {}
    made: Json = {
        "activeKey": properties["activeKey"],
        "encryptionType": properties.get("encryptionType") or before.get("encryptionType") or TYPE,
    }
    if properties.get("rotationToLatestKeyVersionEnabled") is not None:
        made["rotationToLatestKeyVersionEnabled"] = properties["rotationToLatestKeyVersionEnabled"]
    body: Json = {
        "name": (old or {}).get("name", call.target.name),
        "id": (old or {}).get("id", call.target.path),
        "type": SETS,
        "location": (old or {}).get("location", sent["location"]),
        **({"tags": sent["tags"]} if sent.get("tags") is not None else {}),
        "identity": _identity(call, sent.get("identity") or {}, (old or {}).get("identity") or {}),
        "properties": {**made, "provisioningState": "Succeeded"},
    }
    call.sim.world.put(body)
    return _accepted(call, body, {**sent, "properties": {**properties, "provisioningState": "Updating"}}, old)


def update(call: Call) -> Answer:
    """PATCH: key, rotation, identity and tags as far as they are sent."""
    sent, old = call.body(), call.found()
    names = ("activeKey", "encryptionType", "rotationToLatestKeyVersionEnabled")
    given = {name: value for name, value in (sent.get("properties") or {}).items() if name in names}
    body = {**old, "properties": {**old["properties"], **given, "provisioningState": "Succeeded"}}
    if sent.get("tags") is not None:
        body["tags"] = sent["tags"]
    if sent.get("identity"):
        body["identity"] = _identity(call, sent["identity"], old.get("identity") or {})
    call.sim.world.put(body)
    shown = {**body, "properties": {**body["properties"], "provisioningState": "Updating"}}
    return _accepted(call, body, shown, old)


def delete(call: Call) -> Answer:
    """DELETE: 202, or 204 when there was none."""
    old = call.sim.world.get(call.target.id)
    if old is None:
        return Answer(204)
    call.sim.world.drop(call.target.path)
    return _accepted(call, None, None, old)


def read_operation(call: Call) -> Answer:
    """GET of an operation: what it made, under `output`; with `monitor=true` just that."""
    state = call.sim.world.operations.get(call.target.name)
    if state is None:
        raise Refused(404, "NotFound", f"The operation '{call.target.name}' was not found.")
    if "monitor" in call.query:
        return Answer(200, (state.get("properties") or {}).get("output"))
    return Answer(200, state)


def _accepted(call: Call, body: Json | None, shown: Json | None, old: Json | None) -> Answer:
    mark, now = str(uuid.uuid4()), stamp().replace("Z", "+00:00")
    state: Json = {"startTime": now, "endTime": now, "status": "Succeeded", "name": mark}
    call.sim.world.operations[mark] = {**state, "properties": {"output": body}} if body else state
    location = (body or old or {}).get("location")
    where = f"/subscriptions/{call.target.subscription}/providers/Microsoft.Compute/locations/{location}"
    poll = f"{call.base}{where}/DiskOperations/{mark}"
    return Answer(
        202,
        shown,
        {
            "azure-asyncoperation": f"{poll}?api-version={call.version}",
            "location": f"{poll}?monitor=true&api-version={call.version}",
        },
        existed=old is not None,
    )


def _identity(call: Call, sent: Json, old: Json) -> Json:
    """A system-assigned identity keeps its principal; a new one gets one."""
    kind = str(sent.get("type") or old.get("type") or "SystemAssigned")
    made: Json = {"type": kind}
    if "systemassigned" in fold(kind):
        made["principalId"] = old.get("principalId") or str(uuid.uuid4())
        made["tenantId"] = call.sim.config.tenant
    if sent.get("userAssignedIdentities"):
        made["userAssignedIdentities"] = {
            name: _assigned(call, name) for name in sent["userAssignedIdentities"] if name is not None
        }
    return made


def _assigned(call: Call, name: str) -> Json:
    properties = (call.sim.world.get(name) or {}).get("properties") or {}
    return {"principalId": properties.get("principalId"), "clientId": properties.get("clientId")}


def _check(sent: Json, properties: Json) -> None:
    if not sent.get("location"):
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")
    key = properties.get("activeKey")
    if not isinstance(key, dict) or not key.get("keyUrl"):
        text = "Required parameter 'diskEncryptionSet.properties.activeKey.keyUrl' is missing (null)."
        raise Refused(400, "InvalidParameter", text, target="diskEncryptionSet.properties.activeKey.keyUrl")


KINDS = (
    Kind(
        SETS,
        item={"GET": get, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": listed},
    ),
    Kind("Microsoft.Compute/locations/DiskOperations", item={"GET": read_operation}),
)
