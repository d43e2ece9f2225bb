"""User-assigned identities and disk encryption sets, as the recordings have them."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.msi import ManagedServiceIdentityClient

from tests.simulator.arm.stage import SUB, TENANT, Stage
from tests.simulator.arm.vaultdoor import made_vault

MSI = "Microsoft.ManagedIdentity/userAssignedIdentities"
MSI_API = "2024-11-30"
DES_API = "2020-12-01"


def test_an_identity_is_made_with_a_principal_of_its_own(stage: Stage) -> None:
    """The real client creates, reads, tags, lists and deletes it; a second PUT keeps the principal."""
    stage.group("rg-ids")
    client = ManagedServiceIdentityClient(stage.owner(), SUB, **stage.sdk()).user_assigned_identities
    sent: Any = {"location": "westeurope", "tags": {"a": "b"}}

    made = client.create_or_update("rg-ids", "id-life", sent)
    again = client.create_or_update("rg-ids", "id-life", {"location": "westeurope"})
    change: Any = {"tags": {"c": "d"}}
    client.update("rg-ids", "id-life", change)
    read = client.get("rg-ids", "id-life")
    here = [each.name for each in client.list_by_resource_group("rg-ids")]
    everywhere = [each.name for each in client.list_by_subscription()]
    client.delete("rg-ids", "id-life")

    assert made.id == f"/subscriptions/{SUB}/resourcegroups/rg-ids/providers/{MSI}/id-life"
    assert (made.tenant_id, again.principal_id) == (TENANT, made.principal_id)
    assert uuid.UUID(made.principal_id) != uuid.UUID(made.client_id)
    assert (again.tags, read.tags) == ({}, {"c": "d"})
    assert here == ["id-life"]
    assert "id-life" in everywhere
    with pytest.raises(HttpResponseError) as gone:
        client.get("rg-ids", "id-life")
    assert gone.value.status_code == 404
    assert stage.call("DELETE", made.id, version=MSI_API).status_code == 204


@pytest.mark.parametrize(
    ("version", "more"),
    [("2015-08-31-preview", "clientSecretUrl"), ("2023-01-31", ""), ("2024-11-30", "isolationScope")],
)
def test_each_version_shows_its_own_fields(stage: Stage, reference: Path, version: str, more: str) -> None:
    """Status, fields of the body and of its properties, and the Location are those of a recorded creation."""
    lines = (reference / "arm_traffic/user_assigned_identities.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    one = next(each for each in records if (each["method"], each["api_version"]) == ("PUT", version))
    where = f"{stage.group('rg-ids')}/providers/{MSI}/id-{version}"

    answer = stage.call("PUT", where, one["request_body"], version=version)

    assert answer.status_code == one["status"]
    assert set(answer.json()) == set(one["response_body"])
    assert set(answer.json()["properties"]) == set(one["response_body"]["properties"])
    assert answer.headers["Location"] == answer.json()["id"]
    assert "/resourcegroups/" in answer.json()["id"]
    assert not more or more in answer.json()["properties"]


def test_a_preview_tells_what_uses_an_identity(stage: Stage) -> None:
    """Only the preview versions know it; rows are those that have it assigned, in any case of the id."""
    group = stage.group("rg-ids")
    where = f"{group}/providers/{MSI}/id-used"
    identity = stage.call("PUT", where, {"location": "westeurope"}, version=MSI_API).json()["id"]
    user = f"{group}/providers/Microsoft.Web/sites/app-1"
    assigned = {"type": "UserAssigned", "userAssignedIdentities": {identity.upper(): {}}}
    stage.tell("POST", "/seed", {"resources": [{"id": user, "location": "westeurope", "identity": assigned}]})

    told = stage.call("POST", f"{where}/listAssociatedResources", version="2022-01-31-preview").json()
    stable = stage.call("POST", f"{where}/listAssociatedResources", version=MSI_API)

    assert told["totalCount"] == 1
    assert told["value"] == [
        {
            "id": user,
            "name": "app-1",
            "type": "microsoft.web/sites",
            "resourceGroup": "rg-ids",
            "subscriptionId": SUB,
            "subscriptionDisplayName": "main",
        }
    ]
    assert stable.status_code == 404


def test_a_set_answers_as_recorded(stage: Stage, reference: Path) -> None:
    """PUT, poll and GET of a disk encryption set have the fields of the recorded ones."""
    lines = (reference / "arm_traffic/disk_encryption_sets.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    put = next(each for each in records if (each["method"], each["api_version"]) == ("PUT", DES_API))
    get = next(each for each in records if (each["method"], each["api_version"]) == ("GET", DES_API))
    where = f"{stage.group('rg-des')}/providers/Microsoft.Compute/diskEncryptionSets/des-1"

    made = stage.call("PUT", where, put["request_body"], version=DES_API)
    polled = stage.call("GET", made.headers["azure-asyncoperation"]).json()
    output = stage.call("GET", made.headers["location"]).json()
    read = stage.call("GET", where, version=DES_API).json()

    assert (made.status_code, made.json()) == (put["status"], put["response_body"])
    assert polled["status"] == "Succeeded"
    assert polled["properties"]["output"] == output == read
    assert set(read) == set(get["response_body"])
    assert set(read["identity"]) == set(get["response_body"]["identity"])
    assert set(read["properties"]) >= set(get["response_body"]["properties"])
    assert read["properties"]["rotationToLatestKeyVersionEnabled"] is True


def test_a_set_keeps_its_principal_while_its_key_changes(stage: Stage) -> None:
    """PUT and PATCH of another key; the list shows it; DELETE takes it away."""
    vault = made_vault(stage, "kv-des-1")
    group = stage.group("rg-des")
    where = f"{group}/providers/Microsoft.Compute/diskEncryptionSets/des-2"

    def key(name: str) -> dict[str, Any]:
        return {"sourceVault": {"id": vault}, "keyUrl": f"https://kv-des-1.vault.azure.net/keys/{name}/{'a' * 32}"}

    sent = {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"activeKey": key("one")},
    }
    stage.call("PUT", where, sent, version=DES_API)
    first = stage.call("GET", where, version=DES_API).json()

    patch = stage.call("PATCH", where, {"properties": {"activeKey": key("two")}}, version=DES_API)
    second = stage.call("GET", where, version=DES_API).json()
    listed = stage.call("GET", f"{group}/providers/Microsoft.Compute/diskEncryptionSets", version=DES_API).json()
    deleted = stage.call("DELETE", where, version=DES_API)

    assert (patch.status_code, patch.json()["properties"]["provisioningState"]) == (202, "Updating")
    assert second["properties"]["activeKey"] == key("two")
    assert second["identity"] == first["identity"]
    assert uuid.UUID(first["identity"]["principalId"])
    assert "des-2" in [each["name"] for each in listed["value"]]
    assert deleted.status_code == 202
    assert stage.call("GET", where, version=DES_API).status_code == 404
    assert stage.call("DELETE", where, version=DES_API).status_code == 204


def test_a_set_without_a_key_is_refused(stage: Stage) -> None:
    """The active key is what it is for."""
    where = f"{stage.group('rg-des')}/providers/Microsoft.Compute/diskEncryptionSets/des-3"

    answer = stage.call("PUT", where, {"location": "westeurope", "properties": {}}, version=DES_API)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidParameter")
