"""The planted workspaces, as data: every shape that matters, and what each client's own rule says of it.

The findings were worked out by hand from what the clients document, and from nothing of this project:

- Cloud Custodian, value filters of our policies (custodian.py): M the managed services layer names no key, D the managed
  disk layer names no key, F the DBFS root's key source is not a vault.
- Prowler: C `databricks_workspace_cmk_encryption_enabled` fails unless the managed disk layer has a vault's key; it looks
  at no other layer. Azure CLI has no rules: our query asks it for M, D and F.
"""

from dataclasses import dataclass, field

from simulator.arm.answer import Json
from simulator.clients.vaults import GROUP, PLACE, SUBSCRIPTION

KEY_VERSION = "0123456789abcdef0123456789abcdef"
KEY: Json = {
    "keyVaultUri": "https://kvp-all-on.vault.azure.net/",
    "keyName": "databricks",
    "keyVersion": KEY_VERSION,
}
LAYER: Json = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": KEY}
# The casing in which the service keeps this one layer (LOCAL 8).
ROOT: Json = {
    "keySource": "Microsoft.Keyvault",
    "KeyName": "databricks",
    "keyversion": KEY_VERSION,
    "keyvaulturi": "https://kvp-all-on.vault.azure.net",
}
NETWORK: Json = {
    "enableNoPublicIp": {"type": "Bool", "value": True},
    "customVirtualNetworkId": {"type": "String", "value": "/subscriptions/x/resourceGroups/n/providers/y/z/v"},
    "customPublicSubnetName": {"type": "String", "value": "public"},
    "customPrivateSubnetName": {"type": "String", "value": "private"},
}
NETWORKED: Json = {
    "parameters": NETWORK,
    "publicNetworkAccess": "Disabled",
    "requiredNsgRules": "NoAzureDatabricksRules",
}
LOWER = "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.databricks/workspaces/{name}"
UPPER = "/subscriptions/{subscription}/resourceGroups/PLANTED/providers/Microsoft.DATABRICKS/Workspaces/{name}"
OTHER_SOURCE: Json = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": KEY}
GONE = "gone"  # a member that is not there at all


@dataclass(frozen=True, slots=True)
class Workspace:
    """One planted workspace: the layers that have a key (M, D, F), and what each client finds wrong with it."""

    name: str
    layers: str
    custodian: str
    prowler: str
    place: str = PLACE
    properties: Json = field(default_factory=dict)
    top: Json = field(default_factory=dict)


def _entities(**layers: object) -> Json:
    return {"encryption": {"entities": layers}}


def _root(value: Json) -> Json:
    return {"parameters": {"encryption": {"type": "Object", "value": value}}}


WORKSPACES = (
    # Every combination of the three layers, plain.
    Workspace("dbwp-none", "", "MDF", "C"),
    Workspace("dbwp-m", "M", "DF", "C"),
    Workspace("dbwp-d", "D", "MF", ""),
    Workspace("dbwp-f", "F", "MD", "C"),
    Workspace("dbwp-md", "MD", "F", ""),
    Workspace("dbwp-mf", "MF", "D", "C"),
    Workspace("dbwp-df", "DF", "M", ""),
    Workspace("dbwp-mdf", "MDF", "", ""),
    # The same in a network of its own.
    Workspace("dbwp-net-none", "", "MDF", "C", properties=NETWORKED),
    Workspace("dbwp-net-m", "M", "DF", "C", properties=NETWORKED),
    Workspace("dbwp-net-d", "D", "MF", "", properties=NETWORKED),
    Workspace("dbwp-net-f", "F", "MD", "C", properties=NETWORKED),
    Workspace("dbwp-net-md", "MD", "F", "", properties=NETWORKED),
    Workspace("dbwp-net-mf", "MF", "D", "C", properties=NETWORKED),
    Workspace("dbwp-net-df", "DF", "M", "", properties=NETWORKED),
    Workspace("dbwp-net-mdf", "MDF", "", "", properties=NETWORKED),
    # The same under ids in other casings.
    Workspace("dbwp-low-none", "", "MDF", "C", LOWER),
    Workspace("dbwp-low-m", "M", "DF", "C", LOWER),
    Workspace("dbwp-low-d", "D", "MF", "", LOWER),
    Workspace("dbwp-low-f", "F", "MD", "C", LOWER),
    Workspace("DBWP-UP-MD", "MD", "F", "", UPPER),
    Workspace("DBWP-UP-MF", "MF", "D", "C", UPPER),
    Workspace("DBWP-UP-DF", "DF", "M", "", UPPER),
    Workspace("DBWP-UP-MDF", "MDF", "", "", UPPER),
    # Layers that are begun, emptied, or spelt otherwise.
    Workspace("dbwp-prepared", "", "MDF", "C", properties={"parameters": {"prepareEncryption": {"value": True}}}),
    Workspace("dbwp-root-default", "", "MDF", "C", properties=_root({"keySource": "Default"})),
    Workspace("dbwp-root-cased", "", "MD", "C", properties=_root({**ROOT, "keySource": "microsoft.keyvault"})),
    Workspace("dbwp-typeless", "", "MD", "C", properties={"parameters": {"encryption": {"value": ROOT}}}),
    Workspace("dbwp-disk-keyless", "", "MDF", "C", properties=_entities(managedDisk={"keySource": "Default"})),
    Workspace(
        "dbwp-disk-rotating",
        "",
        "MF",
        "",
        properties=_entities(managedDisk={**LAYER, "rotationToLatestKeyVersionEnabled": True}),
    ),
    Workspace(
        "dbwp-source-cased",
        "",
        "F",
        "",
        properties=_entities(managedServices=OTHER_SOURCE, managedDisk=OTHER_SOURCE),
    ),
    Workspace("dbwp-services-null", "", "MF", "", properties=_entities(managedServices=None, managedDisk=LAYER)),
    Workspace("dbwp-entities-empty", "", "MDF", "C", properties=_entities()),
    Workspace("dbwp-entities-null", "", "MDF", "C", properties={"encryption": {"entities": None}}),
    # Other kinds of workspace.
    Workspace("dbwp-serverless", "", "MDF", "C", properties={"computeMode": "Serverless", "parameters": GONE}),
    Workspace(
        "dbwp-serverless-m",
        "",
        "DF",
        "C",
        properties={"computeMode": "Serverless", "parameters": GONE, **_entities(managedServices=LAYER)},
    ),
    Workspace("dbwp-2018", "", "MDF", "C", properties={"parameters": GONE, "updatedBy": GONE}, top={"sku": GONE}),
    Workspace("dbwp-standard", "", "MDF", "C", top={"sku": {"name": "standard"}, "tags": None}),
    Workspace("dbwp-failed", "MD", "F", "", properties={"provisioningState": "Failed"}),
    Workspace("dbwp-trial", "", "MDF", "C", top={"sku": {"name": "trial"}, "tags": {"Team": "Risk"}}),
)
# The key's newest version: legal in Azure, and too much for Prowler (prowler.py).
VERSIONLESS = Workspace(
    "dbwp-e-newest",
    "",
    "MF",
    "",
    properties=_entities(managedDisk={**LAYER, "keyVaultProperties": {**KEY, "keyVersion": GONE}}),
)


def body(workspace: Workspace, subscription: str = SUBSCRIPTION) -> Json:
    """The workspace as Azure shows it."""
    kind = "Microsoft.Databricks/workspaces"
    name = workspace.name
    layers = {"M": "managedServices", "D": "managedDisk"}
    entities = {layers[each]: LAYER for each in workspace.layers if each in layers}
    parameters: Json = {"enableFedRampCertification": {"type": "Bool", "value": False}}
    properties: Json = {
        "managedResourceGroupId": f"/subscriptions/{subscription}/resourceGroups/managed-{name}",
        **({"encryption": {"entities": entities}} if entities else {}),
        "provisioningState": "Succeeded",
        "authorizations": [],
        "createdBy": {"oid": "0b7ec700-0000-4000-8000-0000000000ff"},
        "updatedBy": {"oid": "0b7ec700-0000-4000-8000-0000000000ff"},
        "workspaceId": "1234567890123456",
        "workspaceUrl": "adb-1234567890123456.16.azuredatabricks.net",
        "createdDateTime": "2024-05-06T07:08:09.1234567Z",
        **workspace.properties,
    }
    if properties.get("parameters") != GONE:
        properties["parameters"] = {**parameters, **(workspace.properties.get("parameters") or {})}
        if "F" in workspace.layers:
            properties["parameters"]["encryption"] = {"type": "Object", "value": ROOT}
    whole: Json = {
        "id": workspace.place.format(subscription=subscription, group=GROUP, type=kind, name=name),
        "name": name,
        "type": kind,
        "location": "westeurope",
        "sku": {"name": "premium"},
        "tags": {},
        **workspace.top,
        "properties": properties,
    }
    pruned: Json = _without_gone(whole)
    return pruned


def _without_gone(value: object) -> Json:
    if not isinstance(value, dict):
        return value  # type: ignore[return-value]
    return {name: _without_gone(each) for name, each in value.items() if each != GONE}
