"""Steps on a workspace. Only a whole PUT changes encryption, and what it leaves out is gone (AZURE 0.2, 1.7).

So the body is made from what was read right before the write: all of it, less what the service owns, plus the change.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.core.errors import BadInput
from shared.core.facts.workspace import Layer, Workspace
from shared.core.steps import Request, Step

UPGRADE = "workspace.upgrade"
PREPARE = "workspace.prepare"
ENCRYPT = "workspace.encrypt"
REPOINT = "workspace.repoint"
RESTART = "compute.restart"
ON_WORKSPACE = frozenset({UPGRADE, PREPARE, ENCRYPT, REPOINT})

KEY_SOURCE = "Microsoft.Keyvault"  # spelt so where it names a source (data/INDEX.md 3)
PREMIUM = "premium"
# What a PUT may send, of the workspace and of its properties (AZURE 1.7; Azure CLI sends the same: docs/decisions/0023).
_KEPT = ("location", "sku", "tags")
_KEPT_PROPERTIES = (
    "computeMode", "managedResourceGroupId", "authorizations", "parameters", "encryption", "publicNetworkAccess",
    "requiredNsgRules", "accessConnector", "defaultStorageFirewall", "enhancedSecurityCompliance", "defaultCatalog",
    "uiDefinitionUri",
)  # fmt: skip
# Parameters that only Azure sets. The last is one of workspaces from 2021 and before: no specification knows it.
_READ_ONLY = frozenset({"resourceTags", "enableFedRampCertification", "relayNamespaceName"})

_FOR_EVER = {
    "managedServices": "managed services never go back to a platform key: undoing it takes a new workspace",
    "managedDisk": (
        "managed disks never go back to a platform key: undoing it takes a new workspace. Until the next step has taken "
        "effect no new cluster starts: plan for minutes under access policies, for up to ten under roles"
    ),
}
_TAKES = "the workspace is updating for one to three minutes; running clusters go on"
_STAYS = (
    "leave the version before it enabled for 24 hours at least: until then Azure may still read with it. It is also the way "
    "back: a person points the layer at it again"
)


def upgrade(workspace: Workspace) -> Step:
    """Take the workspace to the Premium plan: customer-managed keys need it."""
    return Step(
        kind=UPGRADE,
        resource=str(workspace.id),
        before={"sku": workspace.sku or None},
        after={"sku": PREMIUM},
        permission="Microsoft.Databricks/workspaces/write",
        note="Premium costs more for each DBU; whether Azure lets a workspace with its own keys go back is not known",
    )


def prepare(workspace: Workspace) -> Step:
    """Give the workspace's storage account an identity, which is to ask for the key."""
    return Step(
        kind=PREPARE,
        resource=str(workspace.id),
        before={"prepareEncryption": workspace.is_prepared},
        after={"prepareEncryption": True},
        permission="Microsoft.Databricks/workspaces/write",
        note=_TAKES,
    )


def encrypt(workspace: Workspace, layer: Layer, host: str, name: str, version: str) -> Step:
    """Put one layer on a key; `name` and `version` may be references."""
    return Step(
        kind=ENCRYPT,
        resource=str(workspace.id),
        before={"layer": layer.name, "keySource": "Default"},
        after={"layer": layer.name, "vault": f"https://{host}/", "key": name, "version": version, **_rotates(layer)},
        permission="Microsoft.Databricks/workspaces/write",
        irreversible=layer.name in _FOR_EVER,
        note=_FOR_EVER.get(layer.name, f"can go back to a platform key by hand; {_TAKES}"),
    )


def repoint(workspace: Workspace, layer: Layer, version: str) -> Step:
    """Put one layer on another version of the key that it is on."""
    key = layer.key
    assert key is not None  # noqa: S101 - only a layer on a customer-managed key has versions
    at = {"layer": layer.name, "vault": f"https://{key.host}/", "key": key.name}
    return Step(
        kind=REPOINT,
        resource=str(workspace.id),
        before={**at, "version": key.version},
        after={**at, "version": version},
        permission="Microsoft.Databricks/workspaces/write",
        note=f"{_TAKES}; {_STAYS}",
    )


def is_repointing(kinds: Iterable[str]) -> bool:
    """Whether a plan of these kinds of step only puts layers on newer versions: it makes no key, and refers to none."""
    return set(kinds) == {REPOINT}


def _rotates(layer: Layer) -> dict[str, bool]:
    """Disks alone can follow the key to its newest version; the approver sees that they do."""
    return {"rotates": True} if layer.name == "managedDisk" else {}


def restart(workspace: Workspace) -> Step:
    """Have a person restart the compute: disks of running machines stay under the platform key until then."""
    return Step(
        kind=RESTART,
        resource=str(workspace.id),
        before={},
        after={"restarted": "all clusters, pools and SQL warehouses"},
        permission="",
        note="running clusters, pools and SQL warehouses stop for some minutes: choose the time with their owner",
        by_hand=True,
    )


def request(step: Step, current: Mapping[str, Any]) -> Request:
    """PUT the workspace as it was read just now, with the one change of the step."""
    body = sendable(current)
    _CHANGES[step.kind](body, step.after)
    return Request("PUT", step.resource, body, is_long=True)


def sendable(current: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a PUT must send to change nothing. Raises BadInput where the body is not whole."""
    properties = current.get("properties")
    if not isinstance(properties, Mapping) or not current.get("location") or not current.get("sku"):
        raise BadInput("BadArmAnswer", "a workspace came without location, sku or properties: a PUT would lose them")
    kept = {name: properties[name] for name in _KEPT_PROPERTIES if properties.get(name) is not None}
    parameters = kept.get("parameters")
    if isinstance(parameters, Mapping):
        kept["parameters"] = {
            name: {"value": it["value"]}
            for name, it in parameters.items()
            if name not in _READ_ONLY and isinstance(it, Mapping) and "value" in it
        }
    whole = {name: current[name] for name in _KEPT if current.get(name) is not None}
    return {**whole, "properties": kept}


def _upgraded(body: dict[str, Any], after: Mapping[str, Any]) -> None:
    body["sku"] = {"name": after["sku"]}


def _prepared(body: dict[str, Any], after: Mapping[str, Any]) -> None:
    parameters = body["properties"].get("parameters") or {}
    body["properties"]["parameters"] = {**parameters, "prepareEncryption": {"value": after["prepareEncryption"]}}


def _encrypted(body: dict[str, Any], after: Mapping[str, Any]) -> None:
    if after["layer"] == "dbfsRoot":
        key = {
            "keySource": KEY_SOURCE,
            "KeyName": after["key"],
            "keyversion": after["version"],
            "keyvaulturi": after["vault"],
        }
        parameters = body["properties"].get("parameters") or {}
        body["properties"]["parameters"] = {**parameters, "encryption": {"value": key}}
        return
    at = {"keyVaultUri": after["vault"], "keyName": after["key"], "keyVersion": after["version"]}
    entity: dict[str, Any] = {"keySource": KEY_SOURCE, "keyVaultProperties": at}
    if "rotates" in after:
        entity["rotationToLatestKeyVersionEnabled"] = after["rotates"]
    encryption = body["properties"].get("encryption") or {}
    entities = {**(encryption.get("entities") or {}), after["layer"]: entity}
    body["properties"]["encryption"] = {**encryption, "entities": entities}


def _repointed(body: dict[str, Any], after: Mapping[str, Any]) -> None:
    entities = (body["properties"].get("encryption") or {}).get("entities") or {}
    # What the layer's owner has said of its rotation stays as it is, also where that is "no".
    said = (entities.get(after["layer"]) or {}).get("rotationToLatestKeyVersionEnabled")
    _encrypted(body, after if said is None else {**after, "rotates": said})


_CHANGES: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    UPGRADE: _upgraded,
    PREPARE: _prepared,
    ENCRYPT: _encrypted,
    REPOINT: _repointed,
}
