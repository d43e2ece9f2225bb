"""Azure Monitor on the control plane: diagnostic settings and the Activity Log."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage, vault

SETTINGS = "providers/Microsoft.Insights/diagnosticSettings"
LOG = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
SINK = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w"
BODY = {"properties": {"workspaceId": SINK, "logs": [{"categoryGroup": "audit", "enabled": True}]}}


def made(stage: Stage, name: str) -> str:
    """A vault; returns its id."""
    path = f"{stage.group('rg-insights')}/providers/Microsoft.KeyVault/vaults/{name}"
    assert stage.call("PUT", path, vault()).status_code == 200
    return path


def test_a_diagnostic_setting_lives_on_its_resource(stage: Stage) -> None:
    """PUT, GET, list, DELETE; category groups are there from the version that brought them on."""
    path = made(stage, "kv-diag")
    put = stage.call("PUT", f"{path}/{SETTINGS}/audit", BODY, version="2021-05-01-preview")
    new = stage.call("GET", f"{path}/{SETTINGS}", version="2021-05-01-preview").json()["value"]
    old = stage.call("GET", f"{path}/{SETTINGS}", version="2017-05-01-preview").json()["value"]
    gone = [
        stage.call("DELETE", f"{path}/{SETTINGS}/audit", version="2021-05-01-preview").status_code for _ in range(2)
    ]

    assert put.status_code == 200
    assert put.json() == new[0]
    assert new[0]["properties"]["workspaceId"] == SINK
    assert new[0]["properties"]["storageAccountId"] is None
    assert new[0]["properties"]["logs"] == [
        {
            "category": None,
            "categoryGroup": "audit",
            "enabled": True,
            "retentionPolicy": {"enabled": False, "days": 0},
        }
    ]
    assert "categoryGroup" not in old[0]["properties"]["logs"][0]
    assert gone == [200, 204]


def test_a_setting_without_a_sink_or_a_resource_is_refused(stage: Stage) -> None:
    """In Monitor's envelope, without `error` around it; what does not exist has no settings."""
    path = made(stage, "kv-diag2")
    nowhere = stage.call("PUT", f"{path}/{SETTINGS}/x", {"properties": {"logs": []}}, version="2021-05-01-preview")
    missing = stage.call("GET", f"{path}-none/{SETTINGS}", version="2021-05-01-preview")

    assert (nowhere.status_code, nowhere.json()["code"]) == (400, "BadRequest")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_no_alerts_is_an_empty_list(stage: Stage) -> None:
    """As Prowler asks for them."""
    where = f"/subscriptions/{SUB}/providers/Microsoft.Insights/activityLogAlerts"

    assert stage.call("GET", where, version="2020-10-01").json() == {"value": []}


def since(minutes: float = 10) -> str:
    """The start of a filter."""
    return f"eventTimestamp ge '{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}'"


def log(stage: Stage, more: str = "", **params: str) -> list[dict[str, Any]]:
    """Rows of the Activity Log."""
    query = {"$filter": since() + more, **params}
    return list(stage.call("GET", LOG, version="2015-04-01", params=query).json()["value"])


def test_a_write_has_two_rows_that_say_who_did_it(stage: Stage) -> None:
    """One when it begins and one when it has ended, newest first, with caller, claims, status and correlation."""
    path = made(stage, "kv-log1")
    headers = {"x-ms-correlation-request-id": "corr-1"}
    stage.call("PATCH", path, {"tags": {}}, who="writer", headers=headers)
    ended, began = log(stage, " and correlationId eq 'corr-1'")

    assert (ended["eventName"]["value"], began["eventName"]["value"]) == ("EndRequest", "BeginRequest")
    assert (ended["status"]["value"], began["status"]["value"]) == ("Succeeded", "Started")
    assert ended["operationName"]["value"] == "Microsoft.KeyVault/vaults/write"
    assert ended["resourceId"] == path
    assert ended["caller"] == IDENTITIES["writer"]["client_id"]
    oid = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    assert ended["claims"][oid] == IDENTITIES["writer"]["principal_id"]
    assert (ended["tenantId"], ended["subscriptionId"]) == (TENANT, SUB)
    assert re.fullmatch(rf"{path}/events/[0-9a-f-]{{36}}/ticks/\d{{18}}", ended["id"])
    assert ended["subStatus"] == {"value": "OK", "localizedValue": "OK (HTTP Status Code: 200)"}


def test_what_was_refused_has_failed(stage: Stage) -> None:
    """With code and message."""
    path = made(stage, "kv-log2")
    refused = stage.call("DELETE", path, who="reader")
    row = log(stage, f" and resourceUri eq '{path}' and status eq 'Failed'")[0]

    assert refused.status_code == 403
    assert (row["level"], row["subStatus"]["value"]) == ("Error", "Forbidden")
    assert row["properties"]["statusMessage"]["error"]["code"] == "AuthorizationFailed"


def test_filters_pages_and_selection(stage: Stage) -> None:
    """By resource with what hangs under it, by group and provider and time; nextLink leads on; $select narrows."""
    path = made(stage, "kv-log3")
    stage.call("PUT", f"{path}/{SETTINGS}/audit", BODY, version="2021-05-01-preview")
    of_it = log(stage, f" and resourceUri eq '{path}'")
    of_group = log(stage, " and resourceGroupName eq 'RG-insights' and resourceProvider eq 'microsoft.insights'")
    stage.tell("POST", "/knobs", {"page_size": 3})
    reply = stage.call("GET", LOG, version="2015-04-01", params={"$filter": since(), "$select": "caller"}).json()
    second = stage.call("GET", reply["nextLink"]).json()
    future = datetime.now(UTC) + timedelta(hours=1)
    later = stage.call(
        "GET", LOG, version="2015-04-01", params={"$filter": f"eventTimestamp ge '{future:%Y-%m-%dT%H:%M:%SZ}'"}
    )

    assert [row["operationName"]["value"] for row in of_it][::2] == [
        "Microsoft.Insights/diagnosticSettings/write",
        "Microsoft.KeyVault/vaults/write",
    ]
    assert {row["resourceProviderName"]["value"] for row in of_group} == {"Microsoft.Insights"}
    assert reply["value"] == [{"caller": "olga.owner@example.com"}] * 3
    assert len(second["value"]) == 3
    assert later.json()["value"] == []


@pytest.mark.parametrize("text", ["", "status eq 'Failed'", "eventTimestamp ge '2001-01-01T00:00:00Z'", "nonsense"])
def test_a_filter_without_a_start_that_can_be_had_is_refused(stage: Stage, text: str) -> None:
    """A start is asked for, and 90 days are kept."""
    answer = stage.call("GET", LOG, version="2015-04-01", params={"$filter": text})

    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


def test_the_log_may_lag(stage: Stage) -> None:
    """By the knob, moved on by the clock."""
    stage.tell("POST", "/knobs", {"activity_lag": 120})
    path = made(stage, "kv-log4")
    before = log(stage, f" and resourceUri eq '{path}'")
    stage.tell("POST", "/clock", {"advance": 121})

    assert before == []
    assert len(log(stage, f" and resourceUri eq '{path}'")) == 2


def test_the_log_needs_a_right_of_its_own(stage: Stage) -> None:
    """An identity without it is refused."""
    params = {"$filter": since()}
    answer = stage.call("GET", LOG, who="azure_databricks", version="2015-04-01", params=params)

    assert answer.status_code == 403
    assert "Microsoft.Insights/eventtypes/values/read" in answer.json()["error"]["message"]
