"""Access connectors for Azure Databricks: an identity with a name, made at once (databricks_access_connectors.jsonl).

A user-assigned identity is looked up in the world; one that is not there gets ids that stay the same.
"""

import uuid

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.pages import listed
from simulator.arm.providers.shape import Call, Kind, get
from simulator.arm.providers.stamps import system_data
from simulator.arm.providers.workspace import region

TYPE = "Microsoft.Databricks/accessConnectors"


def create(call: Call) -> Answer:
    """PUT: 201 for a new one, 200 for one that was there."""
    sent = call.body()
    if not sent.get("location"):
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")
    old = call.sim.world.get(call.target.id)
    body: Json = {
        "id": old["id"] if old else call.target.path,
        "name": (old or {}).get("name") or call.target.name,
        "type": TYPE,
        "location": region(str(sent["location"])),
        **_identified(call, sent, old),
        **({"tags": sent["tags"]} if sent.get("tags") else {}),
        "properties": {**(sent.get("properties") or {}), "provisioningState": "Succeeded"},
        "systemData": system_data(call, old),
    }
    call.sim.world.put(body)
    return Answer(200 if old else 201, body, existed=old is not None)


def update(call: Call) -> Answer:
    """PATCH of tags and identity (openapi, AccessConnectorPatchUpdate.json)."""
    sent, old = call.body(), call.found()
    tags = {"tags": sent["tags"]} if isinstance(sent.get("tags"), dict) else {}
    identity = _identified(call, sent, old) if "identity" in sent else {}
    body = {**old, **tags, **identity, "systemData": system_data(call, old)}
    call.sim.world.put(body)
    return Answer(200, body)


def delete(call: Call) -> Answer:
    """DELETE: 200 without a body; 204 when there was none."""
    return Answer(200 if call.sim.world.drop(call.target.path) else 204)


def _identified(call: Call, sent: Json, old: Json | None) -> Json:
    asked = sent.get("identity")
    if not isinstance(asked, dict):
        return {}
    kinds = {each.strip().lower() for each in str(asked.get("type", "None")).split(",")}
    identity: Json = {}
    had = (old or {}).get("identity") or {}
    if "systemassigned" in kinds:
        identity["principalId"] = had.get("principalId") or str(uuid.uuid4())
        identity["tenantId"] = call.sim.config.tenant
    if "userassigned" in kinds:
        identity["userAssignedIdentities"] = {
            each: _user_assigned(call, each) for each in asked.get("userAssignedIdentities") or {}
        }
    return {"identity": {**identity, "type": asked.get("type", "None")}}


def _user_assigned(call: Call, identity: str) -> Json:
    known = (call.sim.world.get(identity) or {}).get("properties") or {}
    made = {
        name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{identity.lower()}|{name}")) for name in ("principalId", "clientId")
    }
    return {name: known.get(name) or made[name] for name in ("principalId", "clientId")}


KINDS = (
    Kind(
        TYPE,
        item={"GET": get, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": listed},
    ),
)
