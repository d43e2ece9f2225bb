"""User-assigned identities: made with a principal of their own, which exists from then on.

Shaped as recorded (user_assigned_identities.jsonl): the id says `resourcegroups` whatever was sent, a new one answers 201
with a relative Location, and newer and the oldest versions show one field more each.
"""

import uuid

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.pages import ids, page
from simulator.arm.providers.shape import Call, Kind
from simulator.arm.router import fold, route

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
ISOLATION_SINCE = "2024-11-30"
WITH_SECRET_URL = "2015-08-31-preview"
# Only these say what uses an identity (AZURE 0b: it exists only in preview versions; azure-mgmt-msi 7.1.0 has the two).
ASSOCIATIONS = {"2021-09-30-preview", "2022-01-31-preview"}


def create(call: Call) -> Answer:
    """PUT: 201 for a new one. An existing one keeps its principal and takes the tags."""
    sent, old = call.body(), call.sim.world.get(call.target.id)
    if not sent.get("location"):
        raise Refused(400, "LocationRequired", "The location property is required for this definition.")
    if old is not None:
        return Answer(200, _stored(call, {**old, "tags": sent.get("tags") or {}}))
    identity = _written(call.target.path)
    body: Json = {
        "location": sent["location"],
        "tags": sent.get("tags") or {},
        "id": identity,
        "name": call.target.name,
        "type": IDENTITIES,
        "properties": {
            "isolationScope": (sent.get("properties") or {}).get("isolationScope") or "None",
            "tenantId": call.sim.config.tenant,
            "principalId": str(uuid.uuid4()),
            "clientId": str(uuid.uuid4()),
        },
    }
    return Answer(201, _stored(call, body), {"Location": identity}, existed=False)


def update(call: Call) -> Answer:
    """PATCH: tags, and the isolation scope."""
    sent, old = call.body(), call.found()
    body = {**old, "tags": sent["tags"]} if sent.get("tags") is not None else old
    scope = (sent.get("properties") or {}).get("isolationScope")
    if scope:
        body = {**body, "properties": {**body["properties"], "isolationScope": scope}}
    return Answer(200, _stored(call, body))


def read(call: Call) -> Answer:
    """GET."""
    return Answer(200, shown(call.found(), call.version))


def delete(call: Call) -> Answer:
    """DELETE: 200, or 204 when there was none."""
    return Answer(200 if call.sim.world.drop(call.target.path) else 204)


def list_identities(call: Call) -> Answer:
    """GET of a subscription's or a group's."""
    answer = page(call, ids(call, call.target.kind))
    found = (call.sim.world.get(each) for each in answer.body["value"])
    answer.body["value"] = [shown(body, call.version) for body in found if body]
    return answer


def list_associated(call: Call) -> Answer:
    """POST …/listAssociatedResources: what has this identity assigned; only preview versions know it."""
    if call.version not in ASSOCIATIONS:
        raise Refused(
            404,
            "InvalidResourceType",
            "The resource type 'userAssignedIdentities/listAssociatedResources' could not be found in the namespace "
            f"'Microsoft.ManagedIdentity' for api version '{call.version}'.",
        )
    identity = call.target.id.rpartition("/")[0]
    if call.sim.world.get(identity) is None:
        raise call.missing()
    rows = [_associated(call, body) for body in call.sim.world.below("/subscriptions/") if _has(body, identity)]
    rows.sort(key=lambda row: fold(row["id"]))
    skipped = int(call.query.get("$skip") or 0) if "$skiptoken" not in call.query else 0
    answer = page(call, rows[skipped:])
    answer.body["totalCount"] = len(rows)
    return answer


def list_federated(call: Call) -> Answer:
    """GET of federated credentials: those that were seeded."""
    target = call.target
    found = call.sim.world.ids(target.kind, target.subscription, f"{target.id}/")
    return page(call, [call.sim.world.get(each) for each in found])


def shown(body: Json, version: str) -> Json:
    """An identity as this api-version shows it."""
    properties = dict(body.get("properties") or {})
    if fold(version)[:10] < ISOLATION_SINCE:
        properties.pop("isolationScope", None)
    if fold(version) == WITH_SECRET_URL and "clientSecretUrl" not in properties:
        asked = f"tid={properties.get('tenantId')}&oid={properties.get('principalId')}&aid={properties.get('clientId')}"
        host = f"https://control-{body.get('location')}.identity.azure.net"
        properties["clientSecretUrl"] = f"{host}{body['id']}/credentials?{asked}"
    return {**body, "properties": properties}


def _stored(call: Call, body: Json) -> Json:
    call.sim.world.put(body)
    return shown(body, call.version)


def _written(path: str) -> str:
    parts = path.split("/")
    return "/".join("resourcegroups" if fold(part) == "resourcegroups" else part for part in parts)


def _has(body: Json, identity: str) -> bool:
    assigned = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    return identity in {fold(str(each)) for each in assigned}


def _associated(call: Call, body: Json) -> Json:
    target = route(body["id"])
    subscription = call.sim.world.get(f"/subscriptions/{target.subscription}") or {}
    return {
        "id": body["id"],
        "name": target.name,
        "type": fold(target.type),
        "resourceGroup": fold(target.group),
        "subscriptionId": target.subscription,
        "subscriptionDisplayName": str(subscription.get("displayName") or ""),
    }


KINDS = (
    Kind(
        IDENTITIES,
        item={"GET": read, "PUT": create, "PATCH": update, "DELETE": delete},
        collection={"GET": list_identities},
    ),
    Kind(f"{IDENTITIES}/listAssociatedResources", collection={"POST": list_associated}, emits=False),
    Kind(f"{IDENTITIES}/federatedIdentityCredentials", collection={"GET": list_federated}),
)
