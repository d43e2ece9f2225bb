"""Workspaces through the real SDK: the long PUT, what it keeps, tags, deletion."""

from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.databricks import AzureDatabricksManagementClient

from tests.simulator.arm.stage import SUB, TENANT, Stage, until

API = "2025-10-01-preview"
DISK = {
    "keySource": "Microsoft.Keyvault",
    "keyVaultProperties": {"keyVaultUri": "https://none.vault.azure.net/", "keyName": "k", "keyVersion": "1" * 32},
    "rotationToLatestKeyVersionEnabled": True,
}


class Owner:
    """A credential that hands out the owner's token."""

    def __init__(self, stage: Stage) -> None:
        self._token = stage.token("owner")

    def get_token(self, *_scopes: str, **_more: Any) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, 4102444800)


def hybrid(**properties: Any) -> dict[str, Any]:
    """The body of a workspace PUT."""
    managed = f"/subscriptions/{SUB}/resourceGroups/managed"
    return {
        "location": "westeurope",
        "sku": {"name": "premium"},
        "tags": {"owner": "team"},
        "properties": {"computeMode": "Hybrid", "managedResourceGroupId": managed, **properties},
    }


@pytest.fixture
def workspaces(stage: Stage) -> str:
    """Where the workspaces of these tests are."""
    return stage.group("rg-spaces") + "/providers/Microsoft.Databricks/workspaces"


def settled(stage: Stage, path: str) -> Any:
    """The workspace once it has succeeded."""

    def ready() -> Any:
        body = stage.call("GET", path, version=API).json()
        return body if body["properties"]["provisioningState"] == "Succeeded" else None

    return until(ready)


def test_the_sdk_creates_a_workspace(stage: Stage, workspaces: str) -> None:
    """The poller follows the operation and ends with the finished workspace."""
    client = AzureDatabricksManagementClient(Owner(stage), SUB, **stage.sdk())
    body: Any = hybrid()

    made = client.workspaces.begin_create_or_update("rg-spaces", "ws-sdk1", body).result(10)

    assert made.properties.provisioning_state == "Succeeded"
    assert made.properties.workspace_url
    assert made.properties.workspace_url.endswith(".azuredatabricks.net")
    assert stage.call("GET", f"{workspaces}/WS-sdk1", version=API).json()["name"] == "ws-sdk1"


def test_put_answers_201_with_a_partial_echo(stage: Stage, workspaces: str) -> None:
    """Accepted, no id nor URL yet, an operation that says 202 and then 200; an update is 201 Updating."""
    stage.tell("POST", "/knobs", {"workspace_seconds": 60})
    made = stage.call("PUT", f"{workspaces}/ws-long1", hybrid(), version=API)
    operation = made.headers["Azure-AsyncOperation"]
    early = stage.call("GET", operation)
    stage.tell("POST", "/clock", {"advance": 61})
    late = stage.call("GET", operation)
    update = stage.call("PUT", f"{workspaces}/ws-long1", hybrid(), version=API)
    stage.tell("POST", "/clock", {"advance": 61})

    assert made.status_code == update.status_code == 201
    assert made.json()["properties"]["provisioningState"] == "Accepted"
    assert "workspaceUrl" not in made.json()["properties"]
    assert (early.status_code, early.json()) == (202, {"status": "Accepted"})
    assert early.headers["Location"].startswith(stage.arm)
    assert (late.status_code, late.json()) == (200, {"status": "Succeeded"})
    assert update.json()["properties"]["provisioningState"] == "Updating"


def test_a_put_keeps_what_the_service_owns(stage: Stage, workspaces: str) -> None:
    """The CLI's GET-modify-PUT sends empty owners and no URL; neither is lost. Tags left out are."""
    path = f"{workspaces}/ws-keep1"
    stage.call("PUT", path, hybrid(), version=API)
    before = settled(stage, path)
    sent = hybrid(createdBy={}, updatedBy={}, parameters={"prepareEncryption": {"value": True}})
    del sent["tags"]

    stage.call("PUT", path, sent, version=API)
    after = settled(stage, path)

    for name in ("workspaceId", "workspaceUrl", "createdBy", "createdDateTime"):
        assert after["properties"][name] == before["properties"][name]
    assert after["properties"]["storageAccountIdentity"]["tenantId"] == TENANT
    assert after["properties"]["parameters"]["prepareEncryption"] == {"type": "Bool", "value": True}
    assert "storageAccountName" in after["properties"]["parameters"]
    assert "tags" not in after


def test_a_disk_key_that_does_not_exist_is_accepted_and_stays(stage: Stage, workspaces: str) -> None:
    """The PUT succeeds and makes the identity; a later PUT without the key is refused."""
    path = f"{workspaces}/ws-disk1"
    stage.call("PUT", path, hybrid(encryption={"entities": {"managedDisk": DISK}}), version=API)
    made = settled(stage, path)["properties"]
    without = stage.call("PUT", path, hybrid(), version=API)

    assert made["managedDiskIdentity"]["type"] == "SystemAssigned"
    assert "/diskEncryptionSets/" in made["diskEncryptionSetId"]
    assert (without.status_code, without.json()["error"]["code"]) == (400, "DiskEncryptionPropertiesRequired")


def test_bad_workspaces_are_refused_in_the_recorded_words(stage: Stage, workspaces: str) -> None:
    """A sku that is none, and parameters for a serverless workspace."""
    sku = stage.call("PUT", f"{workspaces}/ws-bad1", {**hybrid(), "sku": {"name": "Pxlekmx"}}, version=API)
    parameters = {"enableNoPublicIp": {"value": True}}
    serverless = {**hybrid(), "properties": {"computeMode": "Serverless", "parameters": parameters}}
    mixed = stage.call("PUT", f"{workspaces}/ws-bad2", serverless, version=API)

    assert sku.json()["error"] == {
        "code": "InvalidDatabricksSku",
        "message": "The SKU is invalid. The allowed SKUs are: ''Standard', 'Premium', 'Trial''.",
    }
    assert mixed.json()["error"] == {
        "code": "FeatureNotSupportedForServerlessWorkspace",
        "message": "The property 'Parameters' is not supported for Serverless Workspace",
    }


def test_the_sdk_updates_tags_and_deletes(stage: Stage, workspaces: str) -> None:
    """PATCH changes tags only; DELETE is accepted and then done."""
    path = f"{workspaces}/ws-gone1"
    stage.call("PUT", path, hybrid(), version=API)
    before = settled(stage, path)["properties"]
    client = AzureDatabricksManagementClient(Owner(stage), SUB, **stage.sdk())
    tags: Any = {"tags": {"owner": "other"}}

    client.workspaces.begin_update("rg-spaces", "ws-gone1", tags).result(10)
    after = stage.call("GET", path, version=API).json()
    client.workspaces.begin_delete("rg-spaces", "ws-gone1").result(10)

    assert (after["tags"], after["properties"]) == ({"owner": "other"}, before)
    assert stage.call("GET", path, version=API).status_code == 404
    assert stage.call("DELETE", path, version=API).status_code == 204
