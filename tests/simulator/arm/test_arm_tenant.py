"""What clients look up before they do anything: subscriptions, tenants, places, providers, groups, the generic list."""

from typing import Any

import pytest

from tests.simulator.arm.stage import SUB, TENANT, Stage, until, vault

S = f"/subscriptions/{SUB}"


def values(stage: Stage, path: str, version: str = "2022-12-01", **params: str) -> list[Any]:
    """The `value` of a list."""
    reply = stage.call("GET", path, version=version, params={f"${name}": value for name, value in params.items()})
    assert reply.status_code == 200, reply.text
    return list(reply.json()["value"])


def test_subscriptions_in_old_and_new_form(stage: Stage) -> None:
    """Older versions know no tenant; newer ones count."""
    old = stage.call("GET", "/subscriptions", version="2016-06-01").json()
    new = stage.call("GET", "/subscriptions", version="2022-12-01").json()
    mine = next(each for each in new["value"] if each["subscriptionId"] == SUB)

    assert all("tenantId" not in each for each in old["value"])
    assert "count" not in old
    assert new["count"] == {"type": "Total", "value": len(new["value"])}
    assert (mine["tenantId"], mine["state"], mine["displayName"]) == (TENANT, "Enabled", "main")
    assert "tenantId" not in stage.call("GET", S, version="2016-06-01").json()


def test_the_tenant_and_the_places(stage: Stage) -> None:
    """In the forms of both ages."""
    assert values(stage, "/tenants", "2016-06-01") == [{"id": f"/tenants/{TENANT}", "tenantId": TENANT}]
    assert values(stage, "/tenants")[0]["tenantType"] == "AAD"
    assert values(stage, f"{S}/locations")[0]["metadata"]["regionType"] == "Physical"
    assert values(stage, f"{S}/locations", "2016-06-01")[0]["longitude"] == "4.9"


def test_providers_name_their_types_and_versions(stage: Stage) -> None:
    """As `az resource show` looks them up: the newest version that is no preview."""
    one = stage.call("GET", f"{S}/providers/microsoft.databricks", version="2024-11-01").json()
    workspaces = next(each for each in one["resourceTypes"] if each["resourceType"] == "workspaces")
    everything = {each["namespace"] for each in values(stage, f"{S}/providers", "2024-11-01")}
    tenant = stage.call("GET", "/providers/Microsoft.KeyVault", version="2024-11-01").json()
    none = stage.call("GET", f"{S}/providers/Microsoft.Nothing", version="2024-11-01")

    assert (one["id"], one["registrationState"]) == (f"{S}/providers/Microsoft.Databricks", "Registered")
    assert next(each for each in workspaces["apiVersions"] if "preview" not in each) == "2026-01-01"
    assert "West Europe" in workspaces["locations"]
    assert {"Microsoft.KeyVault", "Microsoft.Insights", "Microsoft.Resources"} <= everything
    assert (tenant["namespace"], "registrationState" in tenant) == ("Microsoft.KeyVault", False)
    assert (none.status_code, none.json()["error"]["code"]) == (404, "InvalidResourceNamespace")


def test_a_provider_can_be_registered(stage: Stage) -> None:
    """By those who may."""
    path = f"{S}/providers/Microsoft.KeyVault/register"

    assert stage.call("POST", path, version="2021-04-01").json()["registrationState"] == "Registered"
    assert stage.call("POST", path, who="reader", version="2021-04-01").status_code == 403


def test_a_group_is_there_or_not(stage: Stage) -> None:
    """HEAD answers 204 or 404 without a body; PATCH sets the tags; the location stays."""
    group = stage.group("rg-here")
    head = stage.call("HEAD", group, version="2022-09-01")
    missing = stage.call("HEAD", f"{S}/resourceGroups/rg-gone", version="2022-09-01")
    tagged = stage.call("PATCH", group, {"tags": {"a": "b"}}, version="2022-09-01")
    moved = stage.call("PUT", group, {"location": "eastus"}, version="2022-09-01")

    assert (head.status_code, missing.status_code, missing.content) == (204, 404, b"")
    assert (tagged.status_code, tagged.json()["tags"]) == (200, {"a": "b"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceGroupLocation")


def test_deleting_a_group_takes_its_time(stage: Stage) -> None:
    """202 with a Location that answers 202 until it is over; everything in it has an event."""
    stage.tell("POST", "/knobs", {"group_seconds": 60})
    group = stage.group("rg-going")
    path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-going"
    stage.call("PUT", path, vault())
    until(lambda: stage.host.about(path))
    stage.host.posts.clear()
    answer = stage.call("DELETE", group, version="2022-09-01")
    during = stage.call("GET", answer.headers["Location"])
    state = stage.call("GET", group).json()["properties"]["provisioningState"]
    stage.tell("POST", "/clock", {"advance": 61})
    after = stage.call("GET", answer.headers["Location"])

    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (202, b"", "15")
    assert f"{S}/operationresults/eyJqb2JJZCI6IlJFU09VUkNFR1JPVVBERUxFVElPTkpPQi" in answer.headers["Location"]
    assert (during.status_code, during.headers["Location"]) == (202, answer.headers["Location"])
    assert state == "Deleting"
    assert (after.status_code, after.content) == (200, b"")
    assert stage.call("GET", group).status_code == 404
    assert until(lambda: stage.host.about(path))[0]["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"


def test_groups_by_tag(stage: Stage) -> None:
    """Name in any case, value exactly."""
    for name, value in (("rg-tag1", "One"), ("rg-tag2", "Two")):
        stage.call("PATCH", stage.group(name), {"tags": {"Which": value}})
    one = values(stage, f"{S}/resourceGroups", filter="tagName eq 'which' and tagValue eq 'One'")
    both = values(stage, f"{S}/resourceGroups", filter="tagName eq 'WHICH'")

    assert [each["name"] for each in one] == ["rg-tag1"]
    assert [each["name"] for each in both] == ["rg-tag1", "rg-tag2"]


@pytest.fixture
def listed(stage: Stage) -> Stage:
    """Three resources in a group of their own."""
    group = f"{S}/resourceGroups/rg-listed/providers"
    made = {"createdAt": "2026-02-03T04:05:06Z"}
    bodies = [
        {"id": f"{group}/Microsoft.KeyVault/vaults/kv-listed", "tags": {"Env": "it's"}, "location": "eastus",
         "systemData": made, "properties": {"provisioningState": "RegisteringDns"}},
        {"id": f"{group}/Microsoft.KeyVault/vaults/kv-other", "location": "westeurope"},
        {"id": f"{group}/Microsoft.Databricks/workspaces/w-listed", "location": "eastus"},
    ]  # fmt: skip
    stage.tell("POST", "/seed", {"resources": bodies})
    return stage


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["w-listed", "kv-listed", "kv-other"]),
        ("resourceType eq 'microsoft.keyvault/vaults'", ["kv-listed", "kv-other"]),
        ("resourceType eq 'Microsoft.KeyVault/vaults' and location eq 'eastus'", ["kv-listed"]),
        ("name eq 'W-LISTED'", ["w-listed"]),
        ("tagName eq 'env' and tagValue eq 'it''s'", ["kv-listed"]),
        ("tagName eq 'env' and tagValue eq 'IT''S'", []),
        ("resourceGroup eq 'RG-listed' and name eq 'kv-other'", ["kv-other"]),
    ],
)
def test_the_generic_list_filters(listed: Stage, text: str, names: list[str]) -> None:
    """In order of ids, and without properties."""
    rows = values(listed, f"{S}/resourceGroups/rg-listed/resources", filter=text)

    assert [row["name"] for row in rows] == names
    assert all("properties" not in row for row in rows)


def test_the_generic_list_expands_and_pages(listed: Stage) -> None:
    """`$expand` brings three more fields, `$top` makes pages whose links keep it."""
    first = listed.call(
        "GET",
        f"{S}/resourceGroups/rg-listed/resources",
        params={"$expand": "createdTime,changedTime,provisioningState", "$top": "2"},
    ).json()
    second = listed.call("GET", first["nextLink"]).json()

    assert first["value"][1]["createdTime"] == "2026-02-03T04:05:06Z"
    assert first["value"][1]["provisioningState"] == "RegisteringDns"
    assert [row["name"] for row in second["value"]] == ["kv-other"]
    assert "changedTime" in second["value"][0]


@pytest.mark.parametrize("text", ["size eq '1'", "name = 'x'", "name eq 'a' and name eq 'b'"])
def test_another_filter_is_refused(listed: Stage, text: str) -> None:
    """Rather than ignored."""
    answer = listed.call("GET", f"{S}/resources", params={"$filter": text})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFilterInQueryString")
