"""What is read around a vault whose access is to be narrowed: policies, roles with their holders, locks, denials, the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage, vault

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
HOLDER = IDENTITIES["reader"]["principal_id"]
NAME = "84848484-0000-4000-8000-{:012d}"
GROUP_NAME = "rg-narrow-and-wide"  # with the word by which filters are joined


@pytest.fixture
def place(stage: Stage) -> str:
    """A vault."""
    where = f"{stage.group(GROUP_NAME)}/providers/Microsoft.KeyVault/vaults/kv-narrow"
    assert stage.call("PUT", where, vault(enableRbacAuthorization=True)).status_code in {200, 201}
    return where


def listed(stage: Stage, path: str, text: str = "", version: str = API) -> list[dict[str, Any]]:
    """All rows of a list, over its pages."""
    page = stage.call("GET", path, version=version, params={"$filter": text} if text else {}).json()
    found = list(page["value"])
    while page.get("nextLink"):
        page = stage.call("GET", page["nextLink"]).json()
        found += page["value"]
    return found


def give(stage: Stage, scope: str, number: int, principal: str = HOLDER) -> str:
    """Give the narrow role, as the writer when it is a service principal's; returns the id."""
    role = f"{AUTH}/roleDefinitions/{NARROW}"
    kind, who = ("ServicePrincipal", "writer") if principal == HOLDER else ("Group", "owner")
    body = {"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": kind}}
    path = f"{scope}{AUTH}/roleAssignments/{NAME.format(number)}"
    answer = stage.call("PUT", path, body, version=API, who=who)
    assert answer.status_code == 201, answer.text
    return path


def test_replace_leaves_one_entry_of_two(stage: Stage, place: str) -> None:
    """A stored vault may hold two of the same identity, whatever their case; an application's entry is another one."""
    stranger, application = "0b7ec700-0000-4000-8000-0000000000aa", "0a991c00-0000-4000-8000-0000000000aa"

    def entry(oid: str, *keys: str, **more: str) -> dict[str, Any]:
        return {"tenantId": TENANT, "objectId": oid, "permissions": {"keys": list(keys)}, **more}

    compound = entry(stranger, "sign", applicationId=application)
    stored = stage.tell("GET", f"/resource?id={place}")
    properties = {
        **stored["properties"],
        "enableRbacAuthorization": False,
        "accessPolicies": [entry(stranger, "all"), compound, entry(stranger.upper(), "get", "purge")],
    }
    stage.tell("POST", "/seed", {"resources": [{**stored, "properties": properties}]})
    wanted = entry(stranger, "get", "wrapKey", "unwrapKey")
    body = {"properties": {"accessPolicies": [wanted]}}
    answer = stage.call("PUT", f"{place}/accessPolicies/replace", body, version="2023-07-01")
    held = stage.call("GET", place).json()["properties"]["accessPolicies"]

    assert answer.status_code == 200
    assert answer.json()["properties"]["accessPolicies"] == [wanted]
    assert sorted(held, key=str) == sorted([wanted, compound], key=str)


def test_assignments_above_at_and_below_come_in_pages(stage: Stage, place: str) -> None:
    """Without a filter; each exactly once, whatever the size of a page; groups count where it is asked who is assigned."""
    team = "99999999-0000-4000-8000-00000000000e"
    stage.tell("POST", "/seed", {"principals": [{"id": team, "type": "Group", "members": [HOLDER]}]})
    scopes = (f"/subscriptions/{SUB}", place.split("/providers", maxsplit=1)[0], place, f"{place}/keys/one")
    made = [give(stage, scope, number) for number, scope in enumerate(scopes)]
    made.append(give(stage, place, 9, team))
    stage.tell("POST", "/knobs", {"page_size": 2})
    first = stage.call("GET", f"{place}{AUTH}/roleAssignments", version=API).json()
    found = [each["id"] for each in listed(stage, f"{place}{AUTH}/roleAssignments")]
    assigned = [each["id"] for each in listed(stage, f"{place}{AUTH}/roleAssignments", f"assignedTo('{HOLDER}')")]
    for each in made:
        stage.call("DELETE", each, version=API)

    assert (len(first["value"]), "nextLink" in first) == (2, True)
    assert sorted(each for each in found if "84848484" in each) == sorted(made)
    assert len(found) == len(set(found))
    assert sorted(each for each in assigned if "84848484" in each) == sorted(made)


def test_roles_are_listed_by_type_at_a_vault(stage: Stage, place: str) -> None:
    """Custom and built-in ones, over pages."""
    stage.tell("POST", "/knobs", {"page_size": 3})
    custom = listed(stage, f"{place}{AUTH}/roleDefinitions", "type eq 'CustomRole'")
    builtin = listed(stage, f"{place}{AUTH}/roleDefinitions", "type eq 'BuiltInRole'")

    names = {each["properties"]["roleName"] for each in custom}
    assert {f"cmkwarden {each}" for each in ("Reader", "Writer", "Grants", "Key User")} <= names
    assert {each["properties"]["type"] for each in custom} == {"CustomRole"}
    assert {each["properties"]["type"] for each in builtin} == {"BuiltInRole"}
    assert NARROW in {each["name"] for each in builtin}


def test_locks_and_denials_are_listed_with_inherited_ones(stage: Stage, place: str) -> None:
    """Above, at and below the vault; atScope() leaves out what is below."""
    scopes = (f"/subscriptions/{SUB}", place.split("/providers", maxsplit=1)[0], place, f"{place}/keys/one")
    locks = [f"{scope}{AUTH}/locks/narrow" for scope in scopes]
    denials = [f"{scope}{AUTH}/denyAssignments/{NAME.format(number)}" for number, scope in enumerate(scopes[1:])]
    nobody = [{"id": "99999999-0000-4000-8000-0000000000dd", "type": "ServicePrincipal"}]
    bodies = [
        {"id": each, "properties": {"denyAssignmentName": "narrow", "permissions": [], "principals": nobody}}
        for each in denials
    ]
    stage.tell("POST", "/seed", {"resources": bodies})
    for each in locks:
        stage.call("PUT", each, {"properties": {"level": "CanNotDelete"}}, version="2016-09-01")
    stage.tell("POST", "/knobs", {"page_size": 1})
    held = {
        text: [each["id"] for each in listed(stage, f"{place}{AUTH}/locks", text, "2016-09-01")]
        for text in ("", "atScope()")
    }
    denied = {
        text: [each["id"] for each in listed(stage, f"{place}{AUTH}/denyAssignments", text)]
        for text in ("", "atScope()")
    }
    gone = [stage.call("DELETE", each, version="2016-09-01").status_code for each in locks]

    assert gone == [200] * 4
    assert [sorted(held[text]) for text in ("", "atScope()")] == [sorted(locks), sorted(locks[:3])]
    ours = {text: sorted(each for each in rows if "84848484" in each) for text, rows in denied.items()}
    assert ours == {"": sorted(denials), "atScope()": sorted(denials[:2])}


def test_the_log_tells_who_gave_a_role_below_a_vault(stage: Stage, place: str) -> None:
    """Between two times, of one group; the caller's object id is among the claims."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    path = give(stage, f"{place}/keys/logged", 20)
    stage.call("DELETE", path, version=API)
    times = f"eventTimestamp ge '{began:%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '{{:%Y-%m-%dT%H:%M:%SZ}}'"
    log = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"

    def rows(until: datetime, group: str) -> list[dict[str, Any]]:
        text = f"{times.format(until)} and resourceGroupName eq '{group}'"
        found = listed(stage, log, text, "2015-04-01")
        return [each for each in found if each["resourceId"] == path and each["status"]["value"] == "Succeeded"]

    later = datetime.now(UTC) + timedelta(minutes=1)
    taken, given = rows(later, GROUP_NAME)
    oid = "http://schemas.microsoft.com/identity/claims/objectidentifier"

    assert given["operationName"]["value"] == "Microsoft.Authorization/roleAssignments/write"
    assert given["claims"][oid] == IDENTITIES["writer"]["principal_id"]
    assert taken["operationName"]["value"] == "Microsoft.Authorization/roleAssignments/delete"
    assert taken["claims"][oid] != given["claims"][oid]
    assert rows(began, GROUP_NAME) == rows(later, "rg-insights") == []
