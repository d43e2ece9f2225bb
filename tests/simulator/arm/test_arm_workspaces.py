"""The life of a workspace: the long PUT, what is shown meanwhile, tags, deletion, and what lies in its managed group."""

import re
from typing import Any

import pytest
from azure.mgmt.databricks.models import Workspace

from tests.simulator.arm.bricks import (
    API,
    GROUP,
    PREVIEW,
    client,
    dbfs,
    done,
    hybrid,
    layer,
    outcome,
    place,
    put,
    serverless,
    shown,
    values,
)
from tests.simulator.arm.stage import SUB, TENANT, Stage, until

SIGNED = r"/subscriptions/[^/]+/resourceGroups/rg-bricks/providers/Microsoft\.Databricks/locations/westeurope/"
SIGNED += r"operationStatuses/[A-Za-z0-9_-]{100,}\?api-version=2026-01-01&t=\d{18}&c=[\w-]{2000,}&s=[\w-]+&h=[\w-]+"
BORN = {"parameters", "workspaceId", "workspaceUrl"}


@pytest.fixture
def slow(stage: Stage) -> Stage:
    """A workspace takes a minute, which passes when the test says so."""
    stage.tell("POST", "/knobs", {"workspace_seconds": 60})
    return stage


def pass_a_minute(stage: Stage) -> None:
    """Let what is pending fall due."""
    stage.tell("POST", "/clock", {"advance": 61})


@pytest.mark.parametrize("version", [API, PREVIEW])
def test_the_sdk_creates_updates_and_deletes(stage: Stage, version: str) -> None:
    """The pollers follow the operations and end with the finished workspace."""
    name = f"ws-sdk-{version}"
    workspaces = client(stage, version).workspaces
    model: Any = Workspace(hybrid(name, tags={"owner": "team"}))

    made = workspaces.begin_create_or_update(GROUP, name, model).result(10)
    tagged: Any = {"tags": {"owner": "other"}}
    workspaces.begin_update(GROUP, name, tagged).result(10)
    listed = [each.name for each in workspaces.list_by_resource_group(GROUP)]
    after = workspaces.get(GROUP, name)
    workspaces.begin_delete(GROUP, name, force_deletion=True).result(10)

    assert made.properties.provisioning_state == "Succeeded"
    assert str(made.properties.workspace_url).endswith(".azuredatabricks.net")
    assert after.tags == {"owner": "other"}
    assert name in listed
    assert stage.call("GET", place(stage, name), version=version).status_code == 404
    assert stage.call("DELETE", place(stage, name), version=version).status_code == 204


def test_the_operation_is_signed_and_says_202_until_it_is_200(slow: Stage) -> None:
    """No Location on the PUT, one on every poll, each signed afresh; Retry-After nowhere."""
    made = put(slow, "ws-long1", hybrid("ws-long1"))
    operation = made.headers["Azure-AsyncOperation"]
    polls = [slow.call("GET", operation) for _ in range(2)]
    pass_a_minute(slow)
    late = slow.call("GET", operation)

    assert made.status_code == 201
    assert "Location" not in made.headers
    assert re.fullmatch(re.escape(slow.arm) + SIGNED, operation)
    assert [(each.status_code, each.json()) for each in polls] == [(202, {"status": "Accepted"})] * 2
    assert polls[0].headers["Location"] != polls[1].headers["Location"]
    assert (late.status_code, late.json()) == (200, {"status": "Succeeded"})
    assert not any("Retry-After" in each.headers for each in (made, late, *polls))


def test_the_first_answer_is_not_all_that_is_true(slow: Stage) -> None:
    """Parameters, URL and identities come when it is done; until then GET shows what the PUT answered."""
    layers = {"entities": {"managedDisk": layer("kvb-none1")}}
    body = hybrid("ws-first1", encryption=layers, parameters={"prepareEncryption": {"value": True}})
    made = put(slow, "ws-first1", body).json()["properties"]
    meanwhile = shown(slow, "ws-first1")["properties"]
    pass_a_minute(slow)
    after = shown(slow, "ws-first1")["properties"]

    assert made["provisioningState"] == "Accepted"
    assert made["managedDiskIdentity"] == {}
    assert not {*BORN, "storageAccountIdentity", "diskEncryptionSetId"} & set(made)
    assert meanwhile == made
    assert set(after) - set(made) == {*BORN, "storageAccountIdentity", "diskEncryptionSetId"}
    assert after["parameters"]["prepareEncryption"] == {"type": "Bool", "value": True}
    assert after["storageAccountIdentity"]["tenantId"] == TENANT


def test_an_update_echoes_what_was_sent(slow: Stage) -> None:
    """As the CLI sends it: empty owners come back empty, types are missing, createdDateTime is now."""
    name = "ws-echo1"
    put(slow, name, hybrid(name))
    pass_a_minute(slow)
    before = shown(slow, name)["properties"]
    parameters = {"enableNoPublicIp": {"value": True}, "prepareEncryption": {"value": True}, "resourceTags": {}}
    sent = hybrid(name, parameters=parameters, createdBy={}, updatedBy={}, storageAccountIdentity={})
    made = put(slow, name, sent)
    pass_a_minute(slow)
    after = shown(slow, name)["properties"]

    echo = made.json()["properties"]
    assert (made.status_code, echo["provisioningState"], echo["createdBy"]) == (201, "Updating", {})
    assert echo["parameters"] == {
        "enableNoPublicIp": {"type": "Bool", "value": True},
        "prepareEncryption": {"value": True},
    }
    assert echo["createdDateTime"] > before["createdDateTime"]
    assert "storageAccountIdentity" not in echo
    for each in ("workspaceId", "workspaceUrl", "createdBy", "createdDateTime"):
        assert after[each] == before[each]
    assert values({"properties": after})["storageAccountName"] == values({"properties": before})["storageAccountName"]
    assert after["privateLinkAssets"] == []


def test_a_put_without_tags_wipes_them(stage: Stage) -> None:
    """And a PATCH sets nothing else."""
    done(stage, "ws-tags1", hybrid("ws-tags1", tags={"a": "1"}))
    before = shown(stage, "ws-tags1")
    patched = stage.call("PATCH", place(stage, "ws-tags1"), {"tags": {"b": "2"}, "sku": {"name": "x"}}, version=API)
    outcome(stage, patched)
    after = shown(stage, "ws-tags1")

    assert (patched.status_code, patched.content) == (202, b"")
    assert {"Azure-AsyncOperation", "Location"} <= set(patched.headers)
    assert (before["tags"], after["tags"]) == ({"a": "1"}, {"b": "2"})
    assert (after["properties"], after["sku"]) == (before["properties"], before["sku"])
    assert "tags" not in done(stage, "ws-tags1", hybrid("ws-tags1"))


def test_the_first_api_version_answers_at_once(stage: Stage) -> None:
    """2018-04-01, recorded in 2020: an update is 200 with the whole body, and so is a PATCH."""
    body = hybrid("ws-old1")
    del body["properties"]["computeMode"]
    made = done(stage, "ws-old1", body, "2018-04-01")
    again = put(stage, "ws-old1", body, "2018-04-01")
    patched = stage.call("PATCH", place(stage, "ws-old1"), {"tags": {"a": "b"}}, version="2018-04-01")

    assert (again.status_code, patched.status_code) == (200, 200)
    assert again.json()["properties"]["workspaceUrl"] == made["properties"]["workspaceUrl"]
    assert patched.json()["tags"] == {"a": "b"}
    assert "computeMode" not in made["properties"]
    assert shown(stage, "ws-old1", PREVIEW)["properties"]["computeMode"] == "Hybrid"


def test_a_serverless_workspace_keeps_nothing_back(slow: Stage) -> None:
    """No parameters, no managed group; the answer to its update is whole."""
    put(slow, "ws-less1", serverless())
    pass_a_minute(slow)
    before = shown(slow, "ws-less1")["properties"]
    echo = put(slow, "ws-less1", serverless(publicNetworkAccess="Disabled")).json()["properties"]
    pass_a_minute(slow)

    assert not {"parameters", "managedResourceGroupId"} & set(before)
    assert before["isUcEnabled"] is True
    assert (echo["provisioningState"], echo["workspaceUrl"]) == ("Updating", before["workspaceUrl"])
    assert echo["createdDateTime"] == before["createdDateTime"]


def test_the_managed_group_comes_and_goes_with_the_workspace(slow: Stage) -> None:
    """The account is there when it is done; DELETE is 202 with a Location and no body, and takes all of it away."""
    name = "ws-group1"
    group = f"/subscriptions/{SUB}/resourceGroups/mrg-{name}"
    put(slow, name, hybrid(name, encryption={"entities": {"managedDisk": layer("kvb-none2")}}))
    at_once = slow.call("GET", group).status_code
    pass_a_minute(slow)
    made = shown(slow, name)
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{values(made)['storageAccountName']}"
    stored = slow.call("GET", account).json()
    disk = slow.call("GET", made["properties"]["diskEncryptionSetId"]).json()
    gone = slow.call("DELETE", place(slow, name) + "?forceDeletion=false", version=API, params={})
    going = shown(slow, name)["properties"]["provisioningState"]
    pass_a_minute(slow)

    assert at_once == 200
    assert (stored["name"][:9], stored["properties"]["encryption"]["keySource"]) == ("dbstorage", "Microsoft.Storage")
    assert disk["identity"] == made["properties"]["managedDiskIdentity"]
    assert disk["properties"]["activeKey"]["keyUrl"].startswith("https://kvb-none2.vault.azure.net/keys/cmk/0123")
    assert (gone.status_code, gone.content, "Azure-AsyncOperation" in gone.headers) == (202, b"", False)
    assert slow.call("GET", gone.headers["Location"]).json() == {"status": "Succeeded"}
    assert going == "Deleting"
    assert [slow.call("GET", each).status_code for each in (place(slow, name), group, account)] == [404, 404, 404]


def test_a_deleted_group_takes_the_managed_groups_along(stage: Stage) -> None:
    """Also while a workspace in it is being made: nothing rises from the dead."""
    home = stage.group("rg-doomed")
    path = f"{home}/providers/Microsoft.Databricks/workspaces/ws-doom1"
    stage.tell("POST", "/knobs", {"workspace_seconds": 60})
    stage.call("PUT", path, hybrid("ws-doom1"), version=API)

    stage.call("DELETE", home)
    pass_a_minute(stage)
    stage.group("rg-doomed")

    assert stage.call("GET", path, version=API).status_code == 404
    assert stage.call("GET", f"/subscriptions/{SUB}/resourceGroups/mrg-ws-doom1").status_code == 404


def test_a_seeded_workspace_can_be_updated(stage: Stage) -> None:
    """A body that was never made here has no account and no group yet; both come with the first PUT."""
    path = place(stage, "ws-seed1")
    body = {**hybrid("ws-seed1"), "id": path, "name": "ws-seed1", "type": "Microsoft.Databricks/workspaces"}
    body["properties"] |= {"workspaceId": "1", "workspaceUrl": "adb-1.1.azuredatabricks.net"}
    stage.tell("POST", "/seed", {"resources": [body]})

    after = done(stage, "ws-seed1", hybrid("ws-seed1", parameters={"prepareEncryption": {"value": True}}))

    assert after["properties"]["workspaceUrl"] == "adb-1.1.azuredatabricks.net"
    assert after["properties"]["storageAccountIdentity"]["type"] == "SystemAssigned"
    assert stage.call("GET", f"/subscriptions/{SUB}/resourceGroups/mrg-ws-seed1").status_code == 200


def test_a_second_put_fails_alone(slow: Stage) -> None:
    """Its own operation ends in ConcurrentUpdateError, the first goes on; so for PATCH and DELETE."""
    name = "ws-two1"
    put(slow, name, hybrid(name))
    pass_a_minute(slow)
    first = put(slow, name, hybrid(name, tags={"from": "first"}))
    late = [
        put(slow, name, hybrid(name, tags={"from": "second"})),
        slow.call("PATCH", place(slow, name), {"tags": {}}, version=API),
        slow.call("DELETE", place(slow, name), version=API),
    ]
    pass_a_minute(slow)

    assert [each.status_code for each in late] == [201, 202, 202]
    for each in late:
        assert outcome(slow, each) == {
            "status": "Failed",
            "error": {
                "code": "ConcurrentUpdateError",
                "message": "Call to Microsoft.Databricks/workspaces failed. Error message: Workspace update could not "
                "be completed because it has been updated by another process.",
                "details": [],
            },
        }
    assert outcome(slow, first) == {"status": "Succeeded"}
    assert (shown(slow, name)["tags"], shown(slow, name)["properties"]["provisioningState"]) == (
        {"from": "first"},
        "Succeeded",
    )


@pytest.mark.parametrize(("knob", "before", "after"), [("accepted", 1, 1), ("completed", 0, 1), ("both", 1, 2)])
def test_the_event_comes_when_the_knob_says(slow: Stage, knob: str, before: int, after: int) -> None:
    """At acceptance, at completion, or twice."""
    name = f"ws-when-{knob}"
    slow.tell("POST", "/knobs", {"workspace_event": knob})
    put(slow, name, serverless())
    path = place(slow, name)
    early = until(lambda: slow.host.about(path)) if before else slow.host.about(path)
    pass_a_minute(slow)
    until(lambda: len(slow.host.about(path)) == after)

    assert len(early) == before


def test_a_failed_update_sends_no_event_at_its_end(slow: Stage) -> None:
    """ResourceWriteSuccess would be a lie."""
    slow.tell("POST", "/knobs", {"workspace_event": "completed"})
    put(slow, "ws-quiet1", hybrid("ws-quiet1", parameters=dbfs("kvb-none3")))
    pass_a_minute(slow)
    slow.call("PUT", place(slow, "ws-quiet2"), serverless(), version=API)
    pass_a_minute(slow)
    until(lambda: slow.host.about(place(slow, "ws-quiet2")))

    assert shown(slow, "ws-quiet1")["properties"]["provisioningState"] == "Failed"
    assert slow.host.about(place(slow, "ws-quiet1")) == []
