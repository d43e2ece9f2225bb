"""Schedule instances: every assignment shows as one, and a seeded one stands in place of what follows from it."""

from typing import Any

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient

from tests.simulator.arm.stage import IDENTITIES, SUB, Stage, vault

API, ROLES_API = "2020-10-01", "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
INSTANCES = f"{AUTH}/roleAssignmentScheduleInstances"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
HOLDER = IDENTITIES["reader"]["principal_id"]
NAMES = [f"85858585-0000-4000-8000-{number:012d}" for number in range(3)]


@pytest.fixture
def place(stage: Stage) -> str:
    """A vault with the same role given above it, at it and below it."""
    where = f"{stage.group('rg-schedules')}/providers/Microsoft.KeyVault/vaults/kv-schedules"
    assert stage.call("PUT", where, vault(enableRbacAuthorization=True)).status_code in {200, 201}
    for scope, name in zip((where.split("/providers", maxsplit=1)[0], where, f"{where}/keys/one"), NAMES, strict=True):
        role = f"{AUTH}/roleDefinitions/{ADMINISTRATOR}"
        body = {"properties": {"roleDefinitionId": role, "principalId": HOLDER, "principalType": "ServicePrincipal"}}
        assert stage.call("PUT", f"{scope}{AUTH}/roleAssignments/{name}", body, version=ROLES_API).status_code == 201
    return where


def listed(stage: Stage, scope: str, text: str = "", who: str = "owner") -> list[dict[str, Any]]:
    """The instances of the assignments that these tests made."""
    params = {"$filter": text} if text else {}
    answer = stage.call("GET", f"{scope}{INSTANCES}", version=API, params=params, who=who)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["value"]
    return [each for each in rows if "85858585" in each["properties"]["originRoleAssignmentId"]]


def test_an_assignment_shows_as_an_instance_without_end(stage: Stage, place: str) -> None:
    """All fields of the client's model but the expanded ones; atScope() leaves out what is below."""
    found = listed(stage, place, "atScope()")
    everything = listed(stage, place)
    origin = f"{place}{AUTH}/roleAssignments/{NAMES[1]}"
    made = stage.call("GET", origin, version=ROLES_API).json()["properties"]

    assert [each["properties"]["scope"] for each in found] == [place.split("/providers", maxsplit=1)[0], place]
    assert [each["properties"]["scope"] for each in everything][2:] == [f"{place}/keys/one"]
    assert found[1]["id"] == f"{place}{INSTANCES}/{found[1]['name']}"
    assert found[1]["type"] == "Microsoft.Authorization/roleAssignmentScheduleInstances"
    assert found[1]["properties"] == {
        "scope": place,
        "roleDefinitionId": made["roleDefinitionId"],
        "principalId": HOLDER,
        "principalType": "ServicePrincipal",
        "roleAssignmentScheduleId": None,
        "originRoleAssignmentId": origin,
        "linkedRoleEligibilityScheduleId": None,
        "linkedRoleEligibilityScheduleInstanceId": None,
        "status": "Provisioned",
        "startDateTime": made["createdOn"],
        "endDateTime": None,
        "assignmentType": "Assigned",
        "memberType": "Direct",
        "condition": None,
        "conditionVersion": None,
        "createdOn": made["createdOn"],
    }


def test_a_seeded_instance_stands_in_place_of_what_follows_from_its_assignment(stage: Stage, place: str) -> None:
    """Bound in time and from PIM; the others stay, and with the assignment it is gone."""
    where = f"{place}/keys/one"
    origin = f"{where}{AUTH}/roleAssignments/{NAMES[2]}"
    instance = {
        "id": f"{where}{INSTANCES}/85858585-0000-4000-8000-0000000000ff",
        "type": "Microsoft.Authorization/roleAssignmentScheduleInstances",
        "properties": {
            "originRoleAssignmentId": origin.upper(),
            "scope": where,
            "assignmentType": "Activated",
            "endDateTime": "2099-01-01T00:00:00Z",
        },
    }
    assert stage.tell("POST", "/seed", {"resources": [instance]})["refused"] == []
    seen = [(each["properties"]["assignmentType"], each["properties"]["endDateTime"]) for each in listed(stage, place)]
    stage.call("DELETE", origin, version=ROLES_API)

    assert seen == [("Assigned", None), ("Assigned", None), ("Activated", "2099-01-01T00:00:00Z")]
    assert len(listed(stage, place)) == 2


def test_the_official_client_reads_them(stage: Stage, place: str) -> None:
    """With pages and times as the client of 2020-10-01 knows them."""
    stage.tell("POST", "/knobs", {"page_size": 1})
    with AuthorizationManagementClient(stage.owner(), SUB, api_version=API, **stage.sdk()) as client:
        pages = client.role_assignment_schedule_instances.list_for_scope(place.lstrip("/"), filter="atScope()")
        found = [each for each in pages if "85858585" in str(each.origin_role_assignment_id)]

    assert [(each.status, each.assignment_type, each.end_date_time) for each in found] == [
        ("Provisioned", "Assigned", None)
    ] * 2
    assert all(each.start_date_time for each in found)


def test_they_need_a_right_of_their_own(stage: Stage, place: str) -> None:
    """Writing roles does not include it."""
    answer = stage.call("GET", f"{place}{INSTANCES}", version=API, who="writer")

    assert answer.status_code == 403
    assert "Microsoft.Authorization/roleAssignmentScheduleInstances/read" in answer.json()["error"]["message"]
