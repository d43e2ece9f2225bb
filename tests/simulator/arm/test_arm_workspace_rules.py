"""What a workspace PUT is refused for at once, with the recorded and reported texts."""

from typing import Any

import pytest

from tests.simulator.arm.bricks import (
    API,
    DATABRICKS,
    PREVIEW,
    dbfs,
    done,
    grant,
    hybrid,
    key_vault,
    layer,
    place,
    put,
    serverless,
    shown,
)
from tests.simulator.arm.stage import Stage

NOT_SERVERLESS = "FeatureNotSupportedForServerlessWorkspace"
INCOMPLETE = {
    "code": "InvalidEncryptionEntitiesKeyVaultValue",
    "message": "The keysource is specified as keyvault but keyvault details are not correctly provided.",
}


def error(answer: Any) -> dict[str, Any]:
    """What a refusal says."""
    assert answer.status_code == 400, answer.text
    said: dict[str, Any] = answer.json()["error"]
    return said


def disk(kv: str = "kvb-none") -> dict[str, Any]:
    """The encryption of managed disks."""
    return {"entities": {"managedDisk": layer(kv)}}


def test_a_sku_that_is_none(stage: Stage) -> None:
    """recorded_serverless_400_errors.json, 0."""
    assert error(put(stage, "ws-bad1", {**serverless(), "sku": {"name": "Pxlekmx"}})) == {
        "code": "InvalidDatabricksSku",
        "message": "The SKU is invalid. The allowed SKUs are: ''Standard', 'Premium', 'Trial''.",
    }


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"parameters": {"enableNoPublicIp": {"value": True}}}, "Parameters"),
        ({"requiredNsgRules": "AllRules"}, "RequiredNsgRules"),
        ({"managedResourceGroupId": "/subscriptions/x/resourceGroups/y"}, "ManagedResourceGroupId"),
        ({"accessConnector": {"id": "/x", "identityType": "SystemAssigned"}}, "AccessConnector"),
        ({"defaultStorageFirewall": "Enabled"}, "DefaultStorageFirewall"),
        ({"encryption": disk()}, "ManagedDisk"),
    ],
)
def test_what_serverless_cannot_have(stage: Stage, properties: dict[str, Any], named: str) -> None:
    """The first two are recorded, the others said to be the same (AZURE 1.4)."""
    assert error(put(stage, "ws-bad2", serverless(**properties))) == {
        "code": NOT_SERVERLESS,
        "message": f"The property '{named}' is not supported for Serverless Workspace",
    }


@pytest.mark.parametrize(("version", "status"), [(API, 400), (PREVIEW, 400), ("2024-05-01", 201)])
def test_compute_mode_is_needed_from_2025_10_on(stage: Stage, version: str, status: int) -> None:
    """INDEX, shape 6: 2024-05-01 does not know it."""
    name = f"ws-mode-{version}"
    body = hybrid(name)
    del body["properties"]["computeMode"]

    assert put(stage, name, body, version).status_code == status


def test_compute_mode_and_group_are_fixed(stage: Stage) -> None:
    """And so is double encryption; the region is ARM's own business."""
    done(stage, "ws-fix1", hybrid("ws-fix1"))
    other = hybrid("ws-fix1", managedResourceGroupId="/subscriptions/x/resourceGroups/other")
    double = hybrid("ws-fix1", parameters={"requireInfrastructureEncryption": {"value": True}})
    same = hybrid("ws-fix1", parameters={"requireInfrastructureEncryption": {"value": False}})
    moved = put(stage, "ws-fix1", {**hybrid("ws-fix1"), "location": "northeurope"})

    assert "computeMode" in error(put(stage, "ws-fix1", serverless()))["message"]
    mismatch = error(put(stage, "ws-fix1", other))
    assert mismatch["code"] == "ApplianceManagedResourceGroupMismatch"
    assert mismatch["message"].endswith("/resourceGroups/mrg-ws-fix1'.")
    assert "requireInfrastructureEncryption" in error(put(stage, "ws-fix1", double))["message"]
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceLocation")
    assert put(stage, "ws-fix1", {**same, "location": "West Europe"}).status_code == 201


def test_a_hybrid_workspace_needs_a_managed_group(stage: Stage) -> None:
    """Without one there is nowhere to put anything."""
    body = hybrid("ws-bad3")
    del body["properties"]["managedResourceGroupId"]

    assert "managedResourceGroupId" in error(put(stage, "ws-bad3", body))["message"]
    assert error(put(stage, "ws-bad3", hybrid("x", managedResourceGroupId="rg")))["code"] == "InvalidRequestContent"


@pytest.mark.parametrize(
    "properties",
    [
        {"encryption": {"entities": {"managedDisk": {"keySource": "Microsoft.Keyvault"}}}},
        {"encryption": {"entities": {"managedServices": layer("kvb-none", version="")}}},
        {"encryption": {"entities": {"managedServices": {**layer("kvb-none"), "keySource": "Default"}}}},
        {"parameters": {"encryption": {"value": {"keySource": "Microsoft.Keyvault", "KeyName": "k"}}}},
    ],
)
def test_a_key_must_be_named_in_full(stage: Stage, properties: dict[str, Any]) -> None:
    """Azure/azure-powershell#22463."""
    assert error(put(stage, "ws-bad4", hybrid("ws-bad4", **properties))) == INCOMPLETE


@pytest.mark.parametrize("sku", ["standard", "trial"])
def test_a_key_needs_the_premium_plan(stage: Stage, sku: str) -> None:
    """For every layer; from standard to premium one may go at any time."""
    name = f"ws-plan-{sku}"
    for properties in ({"encryption": disk()}, {"parameters": dbfs("kvb-none")}):
        said = error(put(stage, name, hybrid(name, sku=sku, **properties)))
        assert said["code"] == "CustomerManagedKeyNotSupportedForSku"
    done(stage, name, hybrid(name, sku=sku))

    assert done(stage, name, hybrid(name, encryption=disk()))["sku"] == {"name": "premium"}
    assert error(put(stage, name, hybrid(name, sku=sku, encryption=disk())))["code"].startswith("CustomerManagedKey")


def test_the_plan_may_be_lowered_without_a_key(stage: Stage) -> None:
    """Recorded: test_databricks_v1."""
    done(stage, "ws-low1", hybrid("ws-low1"))

    assert done(stage, "ws-low1", hybrid("ws-low1", sku="standard"))["sku"] == {"name": "standard"}


def test_two_layers_cannot_be_left_out(stage: Stage) -> None:
    """The disk's text is reported; that managed services are refused in the same way is our careful reading."""
    vault = key_vault(stage, "kvb-keep1")
    grant(stage, vault, DATABRICKS)
    layers = {"managedServices": layer("kvb-keep1"), "managedDisk": layer("kvb-keep1")}
    before = done(stage, "ws-keep1", hybrid("ws-keep1", encryption={"entities": layers}))
    no_disk = {"entities": {"managedServices": layers["managedServices"]}}
    no_services = {"entities": {"managedDisk": layers["managedDisk"]}}

    assert error(put(stage, "ws-keep1", hybrid("ws-keep1", encryption=no_disk))) == {
        "code": "DiskEncryptionPropertiesRequired",
        "message": "Existing Disk Encryption Properties must be specified in the PUT request",
    }
    said = error(put(stage, "ws-keep1", hybrid("ws-keep1", encryption=no_services)))
    assert said["code"] == "ManagedServicesEncryptionPropertiesRequired"
    assert shown(stage, "ws-keep1") == before


@pytest.mark.parametrize(
    "body",
    [
        {"location": 7},
        {"location": "westeurope", "properties": {"computeMode": "Both"}},
        {"location": "westeurope", "sku": "premium"},
        {"location": "westeurope", "properties": {"computeMode": "Hybrid", "parameters": []}},
        {"location": "westeurope", "properties": {"computeMode": "Hybrid", "encryption": {"entities": {"x": 1}}}},
        {"location": "westeurope", "properties": {"computeMode": "Hybrid", "parameters": {"encryption": {"value": 1}}}},
    ],
)
def test_rubbish_is_refused_not_stumbled_over(stage: Stage, body: dict[str, Any]) -> None:
    """A wrong type is 400, never 500, and makes nothing."""
    error(put(stage, "ws-rubbish", body))

    assert stage.call("GET", place(stage, "ws-rubbish"), version=API).status_code == 404


def test_odd_values_that_say_nothing_change_nothing(stage: Stage) -> None:
    """Null where a value may be missing, and a seeded body with lists for objects: the PUT works all the same."""
    path = place(stage, "ws-odd1")
    odd = {"parameters": [], "encryption": "none", "workspaceId": "7", "computeMode": "Hybrid"}
    stage.tell("POST", "/seed", {"resources": [{"id": path, "location": "westeurope", "properties": odd}]})
    nulls: dict[str, Any] = {"encryption": {"value": None}, "prepareEncryption": {"value": None}, "resourceTags": None}

    after = done(stage, "ws-odd1", hybrid("ws-odd1", parameters=nulls, accessConnector=None))["properties"]

    assert (after["workspaceId"], "accessConnector" in after, "storageAccountIdentity" in after) == ("7", False, False)
