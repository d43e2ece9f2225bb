"""The body of a workspace: what a PUT makes of it, what the first answer tells of it, what an api-version shows.

Pure functions of bodies. Shapes are those of databricks_workspaces.jsonl and of the recorded sequences; who may do
what, and what runs when, is decided elsewhere.
"""

import random
import uuid
from typing import Any

from simulator.arm.answer import Json
from simulator.arm.clock import stamp

TYPE = "Microsoft.Databricks/workspaces"
# The Databricks resource provider owns the managed group (recorded in every workspace).
AUTHORIZATIONS = [
    {
        "principalId": "9a74af6f-d153-4348-988a-e2672920bee9",
        "roleDefinitionId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    }
]
# What only the service sets: a PUT that sends them, or leaves them out, changes nothing (LOCAL 8).
OWNED = (
    *("isUcEnabled", "workspaceId", "workspaceUrl", "createdBy", "createdDateTime", "updatedBy", "authorizations"),
    *("storageAccountIdentity", "managedDiskIdentity", "diskEncryptionSetId", "provisioningState"),
    *("privateEndpointConnections", "privateLinkAssets"),
)
# What the first answer of a Hybrid workspace leaves out even where the workspace has it (INDEX, shape 5).
NOT_AT_FIRST = (
    *("parameters", "workspaceId", "workspaceUrl", "storageAccountIdentity", "diskEncryptionSetId"),
    *("managedDiskIdentity", "privateLinkAssets"),
)
READ_ONLY = ("resourceTags", "enableFedRampCertification")  # parameters that come back whatever is sent
FIRST = "2018-04-01"
MODERN = "2025-10"  # from here on bodies have computeMode, and a PUT needs it (AZURE 0, hazard 8)


def an_object(value: Any) -> Json:
    """The value where it is an object, else an empty one: seeded bodies are not always what they should be."""
    return value if isinstance(value, dict) else {}


def properties(body: Json | None) -> Json:
    """The properties of a body, at least an empty object."""
    return an_object((body or {}).get("properties"))


def entity(body: Json | None, name: str) -> Json:
    """`managedServices` or `managedDisk`, at least an empty object."""
    return an_object(an_object(an_object(properties(body).get("encryption")).get("entities")).get(name))


def parameter(body: Json | None, name: str) -> Any:
    """The value of a parameter, None where there is none."""
    return an_object(an_object(properties(body).get("parameters")).get(name)).get("value")


def dbfs_key(body: Json | None) -> Json:
    """The key behind DBFS with its key source, at least an empty object."""
    return an_object(parameter(body, "encryption"))


def is_serverless(body: Json | None) -> bool:
    """Whether it has no compute of its own; a missing computeMode is Hybrid, as before 2025."""
    return str(properties(body).get("computeMode") or "").lower() == "serverless"


def region(location: str) -> str:
    """A location as ARM writes it back: 'West Europe' is westeurope."""
    return location.replace(" ", "").lower()


def made(sent: Json, old: Json | None, *, path: str, by: Json, system: Json, version: str) -> Json:
    """The workspace once everything is done, without the identities, which belong to what lies in the managed group."""
    before = properties(old)
    if not before.get("workspaceId"):  # a new one, or one whose creation failed
        before = {**_born(sent, by, version), **before}
    given = {name: value for name, value in properties(sent).items() if name not in OWNED and value is not None}
    body: Json = {
        "properties": {
            **given,
            "computeMode": properties(old).get("computeMode") or given.get("computeMode") or "Hybrid",
            **{name: before[name] for name in OWNED if name in before},
            "authorizations": AUTHORIZATIONS,
            "updatedBy": by,
            "provisioningState": "Succeeded",
        },
        "id": old["id"] if old else path,
        "name": (old or {}).get("name") or path.rsplit("/", 1)[-1],
        "type": TYPE,
        **({"sku": sku} if (sku := sent.get("sku") or (old or {}).get("sku")) else {}),
        "location": region(str(sent["location"])),
        "systemData": system,
    }
    if not is_serverless(body):
        body["properties"]["parameters"] = _parameters(
            an_object(given.get("parameters")), an_object(before.get("parameters"))
        )
        if old and version >= MODERN:  # appears with the first update (test_databricks_v1, _esc)
            body["properties"].setdefault("privateLinkAssets", [])
    if sent.get("tags"):  # a PUT without tags wipes them (AZURE 1.7)
        body["tags"] = sent["tags"]
    return body


def first(sent: Json, done: Json, old: Json | None, version: str) -> Json:
    """The 201 of a PUT, and what GET shows until it is over: not all that is true (AZURE 0, hazard 10)."""
    state = "Updating" if old else "Accepted"
    if is_serverless(done) and old:  # test_databricks_serverless: nothing is missing from this one
        return {**done, "properties": {**done["properties"], "provisioningState": state}}
    shown = {name: value for name, value in done["properties"].items() if name not in NOT_AT_FIRST}
    shown["provisioningState"] = state
    if entity(done, "managedDisk"):
        shown["managedDiskIdentity"] = {}
    if old:
        shown["createdBy"] = properties(sent).get("createdBy") or {}
        shown["createdDateTime"] = stamp()
        if an_object(properties(sent).get("parameters")):
            shown["parameters"] = _echoed(properties(sent)["parameters"], old, version)
    return {**done, "properties": shown}


def view(body: Json, version: str) -> Json:
    """What an api-version shows of it: computeMode is younger than 2025-10-01-preview (INDEX, shape 6).

    The first one knows neither systemData nor isUcEnabled (its document, and azure-mgmt-databricks-1.0.0's recording).
    """
    if version >= MODERN:
        return body
    hidden = {"computeMode", "isUcEnabled"} if version == FIRST else {"computeMode"}
    rest = {name: each for name, each in body.items() if name != "systemData" or version != FIRST}
    return {**rest, "properties": {name: each for name, each in properties(body).items() if name not in hidden}}


def _born(sent: Json, by: Json, version: str) -> Json:
    """What a new workspace has from the start."""
    number = random.randrange(10**15, 10**16)
    serverless = is_serverless(sent)
    born: Json = {
        "isUcEnabled": serverless,
        "workspaceId": str(number),
        "workspaceUrl": f"adb-{number}.{number % 20}.azuredatabricks.net",
        "createdBy": by,
        "createdDateTime": stamp(),
    }
    return born if serverless else {**born, "parameters": _defaults(version, properties(sent))}


def _defaults(version: str, given: Json) -> Json:
    """Parameters that nobody sent, as recorded with the api-versions of their day."""
    names: Json = {
        "enableFedRampCertification": False,
        "enableNoPublicIp": version >= "2023",
        "prepareEncryption": False,
        "requireInfrastructureEncryption": False,
        "resourceTags": {"application": "databricks", "databricks-environment": "true"},
        "storageAccountName": f"dbstorage{uuid.uuid4().hex[:13]}",
        "storageAccountSkuName": "Standard_GRS",
    }
    if version < MODERN and not (given.get("parameters") or {}).get("customVirtualNetworkId"):
        names |= {"natGatewayName": "nat-gateway", "publicIpName": "nat-gw-public-ip", "vnetAddressPrefix": "10.139"}
    return _typed({name: {"value": value} for name, value in names.items()})


def _parameters(sent: Json, before: Json) -> Json:
    """What stays and what is new; DBFS back on Microsoft's key keeps nothing of the old key (AZURE 1.4)."""
    given = {name: value for name, value in _typed(sent).items() if name not in READ_ONLY}
    merged = {**before, **given}
    if str(an_object(an_object(given.get("encryption")).get("value")).get("keySource", "")).lower() == "default":
        merged["encryption"] = {"type": "Object", "value": {"keySource": "Default"}}
    return dict(sorted(merged.items()))


def _echoed(sent: Json, old: Json, version: str) -> Json:
    """Parameters as they were sent, without types, save one that has its own since 2025 (test_databricks_v1)."""
    echoed = {name: value for name, value in sent.items() if isinstance(value, dict) and "value" in value}
    for name in READ_ONLY:
        echoed.pop(name, None)
    if "enableNoPublicIp" in echoed and version >= MODERN:
        echoed["enableNoPublicIp"] = {"type": "Bool", **echoed["enableNoPublicIp"]}
    key = dbfs_key(old)
    if "encryption" in echoed and key:  # Default comes with the old key's fields until it is done (INDEX, shape 3)
        echoed["encryption"] = {"value": {**key, **an_object(echoed["encryption"]["value"])}}
    return echoed


def _typed(parameters: Json) -> Json:
    """Requests may leave out `type`; later answers carry it (INDEX, shape 2)."""
    kinds = {bool: "Bool", dict: "Object", str: "String"}
    return {
        name: {"type": kinds.get(type(value["value"]), "String"), **value}
        for name, value in parameters.items()
        if isinstance(value, dict) and "value" in value
    }
