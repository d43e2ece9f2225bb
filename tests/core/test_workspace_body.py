"""What is PUT to a workspace: field for field what Azure has accepted for the same change, and of any workspace all but the change.

The recordings are those of Azure CLI's own tests; what differs from them stands in `ALSO_SENT`, each with its reason.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from shared.core import moves, parse
from shared.core.errors import BadInput
from shared.core.facts import KeyRef, Workspace
from shared.core.moves import workspace as steps
from shared.core.steps import Step
from tests.fakes import workspace_id
from tests.reference import needs_reference, put_schema, sequence, spec_request

CLI = "azure-cli-extensions__test_databricks_"
# What Azure CLI sends and we do not: path, what it sends, and why it makes no difference.
ALSO_SENT: Mapping[str, tuple[dict[str, Any], str]] = {
    "properties.createdBy": ({}, "read-only; its SDK sends an empty object for what it may not send"),
    "properties.updatedBy": ({}, "the same"),
    "properties.storageAccountIdentity": ({}, "the same; only a workspace that was prepared has one"),
    "properties.parameters.resourceTags": (
        {},
        "the same: only Azure sets it, and the same PUT was accepted without it",
    ),
}
# Which workspace was read, what was sent then, and the step for the same change.
PAIRS = ["update disks", "v1 tier"]
VERSION = "0" * 32


def _read(cassette: str, number: int) -> dict[str, Any]:
    body: dict[str, Any] = sequence(CLI + cassette)[number]["response_body"]
    return body


def _sent(cassette: str, number: int) -> dict[str, Any]:
    body: dict[str, Any] = sequence(CLI + cassette)[number]["request_body"]
    return body


def _pair(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what we send for a recorded change, and what Azure CLI sent."""
    if name == "update disks":
        before, sent = _read("update", 11), _sent("update", 13)
        return _made(before, _encrypt(before, "managedDisk", "test-vault-name", "test-cmk-key")), sent
    before, sent = _read("v1", 13), _sent("v1", 15)
    # The recording goes down a plan, the step goes up: the body says nothing else.
    return _made(before, replace(steps.upgrade(parse.workspace(before)), after={"sku": "standard"})), sent


def _encrypt(before: dict[str, Any], layer: str, vault: str, key: str, version: str = VERSION) -> Step:
    workspace = parse.workspace(before)
    return steps.encrypt(workspace, workspace.layer(layer), f"{vault}.vault.azure.net", key, version)


def _made(before: Mapping[str, Any], step: Step) -> dict[str, Any]:
    return json.loads(json.dumps(moves.request(step, before).body))  # type: ignore[no-any-return]


def _differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each place where two bodies differ, and what stands there; None for nothing."""
    both = [it for it in (ours, theirs) if it is not None]
    if all(isinstance(it, dict) for it in both) and (len(both) == 2 or any(both)):
        for name in sorted({*(ours or {}), *(theirs or {})}):
            yield from _differences((ours or {}).get(name), (theirs or {}).get(name), f"{path}.{name}".lstrip("."))
    elif ours != theirs:
        yield path, ours, theirs


def _unexplained(ours: Any, theirs: Any) -> list[tuple[str, Any, Any]]:
    known = {path: sent for path, (sent, _) in ALSO_SENT.items()}
    return [it for it in _differences(ours, theirs) if not (it[1] is None and it[0] in known and it[2] == known[it[0]])]


def _leaves(body: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in body.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))


def _without(body: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    left = copy.deepcopy(body)
    at = left
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return left


@needs_reference
@pytest.mark.parametrize("name", PAIRS)
def test_a_change_is_asked_for_as_azure_cli_asked(name: str) -> None:
    """What we make of the workspace that Azure CLI had read is what it sent, and Azure accepted."""
    ours, theirs = _pair(name)

    assert _unexplained(ours, theirs) == []


@needs_reference
@pytest.mark.parametrize("name", PAIRS)
def test_each_field_of_a_recorded_change_counts(name: str) -> None:
    """Whatever we left out or sent beyond it would be seen: no difference is let through that is not listed."""
    ours, theirs = _pair(name)

    for path in _leaves(ours):
        assert _unexplained(_without(ours, path), theirs), path
    assert _unexplained({**ours, "kind": "x"}, theirs)
    assert _unexplained(ours, {**theirs, "properties": {**theirs["properties"], "createdBy": {"oid": "x"}}})


@needs_reference
@pytest.mark.parametrize(("cassette", "read", "wrote"), [("esc", 14, 16), ("serverless", 7, 9)])
def test_what_changes_nothing_is_what_azure_cli_sends_beside_its_change(cassette: str, read: int, wrote: int) -> None:
    """Of a change that is none of ours, all but the change is what we would send: hybrid and serverless."""
    ours, theirs = steps.sendable(_read(cassette, read)), _sent(cassette, wrote)
    changed = {"enhancedSecurityCompliance": theirs["properties"]["enhancedSecurityCompliance"]}

    assert _unexplained({**ours, "properties": {**ours["properties"], **changed}}, theirs) == []
    assert {".".join(path.split(".")[:2]) for path, *_ in _unexplained(ours, theirs)} == {
        f"properties.{it}" for it in changed
    }


@needs_reference
@pytest.mark.parametrize(
    ("cassette", "wrote", "read", "layer"),
    [("create_v1", 0, 13, "managedDisk"), ("create_v2", 7, 19, "managedServices")],
)
def test_a_layer_is_put_on_a_key_in_the_words_of_its_creation(cassette: str, wrote: int, read: int, layer: str) -> None:
    """A workspace that was made with a key on a layer was made with the entity that our step adds to one without."""
    sent, before = _sent(cassette, wrote), _read(cassette, read)
    del before["properties"]["encryption"]
    at = sent["properties"]["encryption"]["entities"][layer]["keyVaultProperties"]
    vault = at["keyVaultUri"].removeprefix("https://").split(".")[0]

    ours = _made(before, _encrypt(before, layer, vault, at["keyName"], at["keyVersion"]))

    assert ours["properties"]["encryption"] == sent["properties"]["encryption"]
    assert (ours["sku"], ours["location"]) == (sent["sku"], sent["location"])


@needs_reference
@pytest.mark.parametrize("example", ["PrepareEncryption", "EnableEncryption", "WorkspaceManagedDiskEncryptionUpdate"])
def test_a_change_is_asked_for_as_the_official_example_asks(example: str) -> None:
    """For preparing and for DBFS, of which no recording is at hand: the example, less the change, plus our step, is the example."""
    theirs = spec_request(f"databricks_{example}")
    before = {"id": workspace_id(), **copy.deepcopy(theirs)}
    parameters = before["properties"].get("parameters", {})
    if example == "PrepareEncryption":
        del parameters["prepareEncryption"]
        step = steps.prepare(parse.workspace(before))
    elif example == "EnableEncryption":
        del parameters["encryption"]
        step = _encrypt(before, "dbfsRoot", "myKeyVault", "myKeyName")
    else:
        del before["properties"]["encryption"]
        step = _encrypt(before, "managedDisk", "test-vault-name", "test-cmk-key")

    assert _made(before, step) == theirs


# Any workspace. What a PUT may say, from AZURE 1.7 and not from the product:
MAY_SEND = {
    "computeMode", "managedResourceGroupId", "authorizations", "parameters", "encryption", "publicNetworkAccess",
    "requiredNsgRules", "accessConnector", "defaultStorageFirewall", "enhancedSecurityCompliance", "defaultCatalog",
}  # fmt: skip
GUIDS = st.uuids().map(str)
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda it: st.lists(it) | st.dictionaries(WORDS, it),
    max_leaves=5,
)
TEXT = st.text(max_size=20).filter(lambda it: not it.startswith("["))  # that would be an expression of a template
WRAPPED = (
    "storageAccountName",
    "storageAccountSkuName",
    "customVirtualNetworkId",
    "vnetAddressPrefix",
    "natGatewayName",
    "loadBalancerId",
)
KEYS = st.fixed_dictionaries(
    {"keyVaultUri": st.just("https://kv-old.vault.azure.net/"), "keyName": WORDS, "keyVersion": WORDS}
)
SERVICES = st.fixed_dictionaries({"keySource": st.just("Microsoft.Keyvault"), "keyVaultProperties": KEYS})
DISKS = st.fixed_dictionaries(
    {
        "keySource": st.just("Microsoft.Keyvault"),
        "keyVaultProperties": KEYS,
        "rotationToLatestKeyVersionEnabled": st.booleans(),
    }
)
ROOT = st.just({"keySource": "Default"}) | st.fixed_dictionaries({
    "keySource": st.just("Microsoft.Keyvault"), "KeyName": WORDS, "keyversion": WORDS, "keyvaulturi": st.just("https://kv-old.vault.azure.net/"),
})  # fmt: skip


def _wrapped(kind: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"value": value}, optional={"type": st.just(kind)})


def _parameters() -> st.SearchStrategy[dict[str, Any]]:
    flags = {
        name: _wrapped("Bool", st.booleans())
        for name in (
            "prepareEncryption",
            "requireInfrastructureEncryption",
            "enableNoPublicIp",
            "enableFedRampCertification",
        )
    }
    texts = {name: _wrapped("String", TEXT) for name in WRAPPED}
    tags = {"resourceTags": _wrapped("Object", st.dictionaries(WORDS, TEXT))}
    # The first is real, of old workspaces, and in no specification; the second may come one day, and is the owner's then.
    unknown = {"relayNamespaceName": _wrapped("String", TEXT), "somethingNew": _wrapped("String", TEXT)}
    return st.fixed_dictionaries(
        {}, optional={**flags, **texts, **tags, **unknown, "encryption": _wrapped("Object", ROOT)}
    )


def _properties() -> st.SearchStrategy[dict[str, Any]]:
    switch = st.fixed_dictionaries({"value": st.sampled_from(["Enabled", "Disabled"])})
    nobody: st.SearchStrategy[dict[str, Any]] = st.just({})
    identity = nobody | st.fixed_dictionaries(
        {"principalId": GUIDS, "tenantId": GUIDS, "type": st.just("SystemAssigned")}
    )
    person = st.fixed_dictionaries({}, optional={"oid": GUIDS, "puid": WORDS, "applicationId": GUIDS})
    sent = {
        "managedResourceGroupId": TEXT,
        "authorizations": st.lists(st.fixed_dictionaries({"principalId": GUIDS, "roleDefinitionId": GUIDS}), max_size=2),
        "parameters": st.none() | _parameters(),
        "encryption": st.none() | st.fixed_dictionaries({"entities": st.fixed_dictionaries({}, optional={"managedServices": SERVICES, "managedDisk": DISKS})}),
        "publicNetworkAccess": st.sampled_from(["Enabled", "Disabled"]),
        "requiredNsgRules": st.sampled_from(["AllRules", "NoAzureDatabricksRules"]),
        "accessConnector": st.fixed_dictionaries({"id": TEXT, "identityType": st.just("SystemAssigned")}),
        "defaultStorageFirewall": st.sampled_from(["Enabled", "Disabled"]),
        "enhancedSecurityCompliance": st.fixed_dictionaries({}, optional={"automaticClusterUpdate": switch, "enhancedSecurityMonitoring": switch}),
        "defaultCatalog": st.fixed_dictionaries({}, optional={"initialName": TEXT, "initialType": st.just("UnityCatalog")}),
    }  # fmt: skip
    served = {
        "provisioningState": st.just("Succeeded"), "workspaceId": WORDS, "workspaceUrl": WORDS, "createdBy": person,
        "updatedBy": person, "createdDateTime": WORDS, "isUcEnabled": st.booleans(), "storageAccountIdentity": identity,
        "managedDiskIdentity": identity, "diskEncryptionSetId": TEXT, "privateEndpointConnections": st.just([]),
        "privateLinkAssets": st.just([]), "somethingNew": JSON,
    }  # fmt: skip
    return st.fixed_dictionaries({"computeMode": st.sampled_from(["Hybrid", "Serverless"])}, optional=sent | served)


WORKSPACES = st.fixed_dictionaries(
    {
        "id": st.just(workspace_id()), "name": st.just("dbw-one"), "type": st.just("Microsoft.Databricks/workspaces"),
        "location": st.just("westeurope"), "properties": _properties(),
        "sku": st.fixed_dictionaries({"name": st.sampled_from(["standard", "premium", "trial"])}, optional={"tier": WORDS}),
    },
    optional={"tags": st.none() | st.dictionaries(WORDS, TEXT), "systemData": JSON, "kind": WORDS, "etag": WORDS},
)  # fmt: skip


def _every_step(workspace: Workspace) -> Iterator[tuple[Step, Workspace]]:
    """Yield each step, and the workspace that it should make."""
    yield steps.upgrade(workspace), replace(workspace, sku="premium")
    yield steps.prepare(workspace), replace(workspace, is_prepared=True)
    for layer in workspace.layers:
        after = replace(layer, key=KeyRef("kv-one.vault.azure.net", "k", VERSION))
        changed = tuple(after if it.name == layer.name else it for it in workspace.layers)
        yield _step_for(workspace, layer.name), replace(workspace, layers=changed)


def _step_for(workspace: Workspace, layer: str) -> Step:
    return steps.encrypt(workspace, workspace.layer(layer), "kv-one.vault.azure.net", "k", VERSION)


def _said(workspace: Workspace) -> tuple[Any, ...]:
    """Return what a PUT says of a workspace: not its state, nor its identities, which Azure makes."""
    keys = [(layer.name, layer.key) for layer in workspace.layers]
    return workspace.location, dict(workspace.tags), workspace.sku, keys, workspace.is_serverless, workspace.is_prepared


def _place(step: Step) -> str:
    """Return where alone a step may change a body."""
    if step.kind == steps.ENCRYPT:
        layer = step.after["layer"]
        return "properties.parameters.encryption" if layer == "dbfsRoot" else f"properties.encryption.entities.{layer}"
    return {steps.UPGRADE: "sku", steps.PREPARE: "properties.parameters.prepareEncryption"}[step.kind]


@given(WORKSPACES)
def test_a_request_keeps_everything_and_changes_one_thing(body: dict[str, Any]) -> None:
    """Of any workspace, whatever a PUT may say is said again, but for the one change; what Azure owns is not."""
    untouched, workspace = copy.deepcopy(body), parse.workspace(body)
    for step, wanted in _every_step(workspace):
        sent = _made(body, step)

        assert set(sent) <= {"location", "sku", "tags", "properties"}
        assert set(sent["properties"]) <= MAY_SEND
        assert _said(parse.workspace({"id": body["id"], **sent})) == _said(wanted)
        assert all(path.startswith(_place(step)) for path, *_ in _differences(sent, _kept(body))), step.kind
    assert body == untouched


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    """Return what a PUT should say where nothing changes, worked out here once more."""
    properties = {name: value for name, value in body["properties"].items() if name in MAY_SEND and value is not None}
    if "parameters" in properties:
        own = {
            name: it
            for name, it in properties["parameters"].items()
            if name not in {"resourceTags", "enableFedRampCertification", "relayNamespaceName"}
        }
        properties["parameters"] = {name: {"value": it["value"]} for name, it in own.items()}
    tags = {} if body.get("tags") is None else {"tags": body["tags"]}
    return {"location": body["location"], "sku": body["sku"], **tags, "properties": properties}


@needs_reference
@given(WORKSPACES)
def test_a_request_fits_the_official_schema(body: dict[str, Any]) -> None:
    """Microsoft's own schema of 2026-01-01 takes what we send."""
    for step, _ in _every_step(parse.workspace(body)):
        errors = list(_validator().iter_errors({**_made(body, step), **NAMED}))

        assert [(error.json_path, error.message[:200]) for error in errors] == []


NAMED = {"name": "dbw-one", "apiVersion": "2026-01-01", "type": "Microsoft.Databricks/workspaces"}


@cache
def _validator() -> Any:
    return Draft4Validator(put_schema("2026-01-01", "Microsoft.Databricks", "workspaces"))


@needs_reference
@pytest.mark.parametrize(
    ("path", "value"),
    [(("computeMode",), "Both"), (("parameters", "prepareEncryption"), True), (("encryption",), {"managedDisk": {}}), (("parameters", "encryption"), {"value": {"keySource": "Mine"}})],
)  # fmt: skip
def test_the_official_schema_refuses_what_is_wrong(path: tuple[str, ...], value: Any) -> None:
    """The schema that we are measured by can say no."""
    properties: dict[str, Any] = {"computeMode": "Hybrid", "parameters": {}}
    at = properties
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value

    assert not _validator().is_valid({"location": "westeurope", "properties": properties, **NAMED})


@pytest.mark.parametrize("missing", ["location", "sku", "properties"])
def test_half_a_body_is_never_sent_back(missing: str) -> None:
    """A PUT made from it would lose what was not read."""
    whole = {"location": "westeurope", "sku": {"name": "premium"}, "properties": {"computeMode": "Hybrid"}}

    assert steps.sendable(whole) == whole
    with pytest.raises(BadInput, match="a PUT would lose them"):
        steps.sendable({**whole, missing: None})
