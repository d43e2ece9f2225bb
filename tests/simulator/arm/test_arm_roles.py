"""Role definitions: the built-in ones against recordings, custom ones through ARM."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.authorization import AuthorizationManagementClient

from simulator.arm.roles import BUILTIN
from tests.simulator.arm.stage import IDENTITIES, OTHER_SUB, SUB, TENANT, Stage

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
ROLES = f"/subscriptions/{SUB}{AUTH}/roleDefinitions"
READER = IDENTITIES["reader"]["principal_id"]
ROOT = f"/providers/Microsoft.Management/managementGroups/{TENANT}"


def recorded(reference: Path) -> Iterator[dict[str, Any]]:
    """Every recorded built-in role, the newest answer of each last."""
    sample = json.loads((reference / "samples/rbac_builtin_roles_recorded.json").read_text())["roles"]
    found = [role for role in sample.values() if "properties" in role]
    for line in (reference / "arm_traffic/role_definitions.jsonl").read_text().splitlines():
        answer = json.loads(line)["response_body"]
        found += answer.get("value", [answer])
    yield from sorted(found, key=lambda role: str(role["properties"].get("updatedOn")))


def test_built_in_roles_are_the_recorded_ones(reference: Path) -> None:
    """Name, actions, exceptions, data actions and conditions of every role that this tenant knows."""
    newest = {role["name"]: role["properties"] for role in recorded(reference)}
    fields = ("actions", "notActions", "dataActions", "notDataActions", "condition", "conditionVersion")

    for each in BUILTIN:
        ours, theirs = each.body("")["properties"], newest[each.guid]
        assert ours["roleName"] == theirs["roleName"]
        assert len(ours["permissions"]) == len(theirs["permissions"]), each.name
        for mine, real in zip(ours["permissions"], theirs["permissions"], strict=True):
            assert {name: mine.get(name) for name in fields} == {name: real.get(name) for name in fields}, each.name


def test_the_roles_that_people_look_for_are_there() -> None:
    """And one that many believe in is not (AZURE 0, hazard 14)."""
    names = {each.name for each in BUILTIN}

    assert {"Owner", "Key Vault Data Access Administrator", "Storage Blob Data Owner", "Log Analytics Reader"} <= names
    assert "Managed Identity Reader" not in names
    assert len({each.guid for each in BUILTIN}) == len(BUILTIN) == 30


@pytest.fixture
def client(stage: Stage) -> Iterator[AuthorizationManagementClient]:
    """The official client as the owner, with a token that the stage already has."""

    class Owner:
        """A credential that hands out the owner's token."""

        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            """The token, good for a while."""
            from azure.core.credentials import AccessToken

            return AccessToken(stage.token("owner"), 4_000_000_000)

    with AuthorizationManagementClient(Owner(), SUB, **stage.sdk()) as made:
        yield made


def custom(name: str, *scopes: str, **more: Any) -> dict[str, Any]:
    """The body of a custom role."""
    permissions = [{"actions": ["Microsoft.KeyVault/vaults/read"], **more}]
    return {"properties": {"roleName": name, "permissions": permissions, "assignableScopes": list(scopes)}}


def test_the_official_client_manages_a_custom_role(client: AuthorizationManagementClient) -> None:
    """Create, change, read, find, delete; a second delete is a 204, which the client reads as nothing."""
    guid, scope = "77777777-0000-4000-8000-000000000001", f"/subscriptions/{SUB}"
    made = client.role_definitions.create_or_update(
        scope,
        guid,
        {
            "role_name": "Vault peeker",
            "permissions": [{"actions": ["*/read"], "dataActions": ["Microsoft.KeyVault/vaults/keys/read"]}],
            "assignable_scopes": [scope],
        },
    )
    (found,) = client.role_definitions.list(scope, filter="roleName eq 'vault PEEKER'")
    custom_roles = list(client.role_definitions.list(scope, filter="type eq 'CustomRole'"))
    gone = client.role_definitions.delete(scope, guid)

    assert (made.role_type, made.id) == ("CustomRole", f"{scope}{AUTH}/roleDefinitions/{guid}")
    assert found.permissions[0].data_actions == ["Microsoft.KeyVault/vaults/keys/read"]
    assert found.permissions[0].not_actions == []
    assert guid in [each.name for each in custom_roles]
    assert all(each.role_type == "CustomRole" for each in custom_roles)
    assert gone.name == guid
    assert client.role_definitions.delete(scope, guid) is None
    with pytest.raises(HttpResponseError) as error:
        client.role_definitions.get(scope, guid)
    assert error.value.status_code == 404
    assert "RoleDefinitionDoesNotExist" in str(error.value)


def test_a_custom_role_needs_the_right_at_all_its_scopes(stage: Stage) -> None:
    """Whoever may write roles in one group cannot make one for the whole subscription."""
    group, who = stage.group("rg-role-maker"), IDENTITIES["azure_databricks"]["principal_id"]
    assignment = f"{group}{AUTH}/roleAssignments/77777777-0000-4000-8000-00000000000d"
    administrator = f"{AUTH}/roleDefinitions/18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
    body = {"properties": {"roleDefinitionId": administrator, "principalId": who}}
    stage.call("PUT", assignment, body, version=API)
    path = f"{group}{AUTH}/roleDefinitions/77777777-0000-4000-8000-000000000005"
    wide = stage.call("PUT", path, custom("Wide", f"/subscriptions/{SUB}"), version=API, who="azure_databricks")
    narrow = stage.call("PUT", path, custom("Narrow", group), version=API, who="azure_databricks")
    stage.call("DELETE", path, version=API)
    stage.call("DELETE", assignment, version=API)

    assert (wide.status_code, wide.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert narrow.status_code == 201


def test_a_role_in_use_stays(stage: Stage) -> None:
    """RoleDefinitionHasAssignments; and a scope that is used cannot be taken from it."""
    guid, group = "77777777-0000-4000-8000-000000000002", stage.group("rg-role-use")
    stage.call("PUT", f"{ROLES}/{guid}", custom("In use", f"/subscriptions/{SUB}"), version=API)
    assignment = f"{group}{AUTH}/roleAssignments/77777777-0000-4000-8000-00000000000a"
    body = {"properties": {"roleDefinitionId": f"{ROLES}/{guid}", "principalId": READER}}
    given = stage.call("PUT", assignment, body, version=API)
    refused = stage.call("DELETE", f"{ROLES}/{guid}", version=API)
    moved = stage.call("PUT", f"{ROLES}/{guid}", custom("In use", f"/subscriptions/{OTHER_SUB}"), version=API)
    stage.call("DELETE", assignment, version=API)
    freed = stage.call("DELETE", f"{ROLES}/{guid}", version=API)

    assert given.status_code == 201
    assert refused.status_code == 400
    assert refused.json()["error"] == {
        "code": "RoleDefinitionHasAssignments",
        "message": "There are existing role assignments referencing role.",
    }
    assert moved.json()["error"]["code"] == "RoleScopeBeingRemovedContainsAssignments"
    assert f"under scope '{group}'" in moved.json()["error"]["message"]
    assert freed.status_code == 200


def test_a_changed_role_changes_what_its_holders_may(stage: Stage) -> None:
    """At once, without touching the assignment."""
    guid, group = "77777777-0000-4000-8000-000000000003", stage.group("rg-role-change")
    who = IDENTITIES["azure_databricks"]["principal_id"]
    stage.call("PUT", f"{ROLES}/{guid}", custom("Changing", f"/subscriptions/{SUB}"), version=API)
    assignment = f"{group}{AUTH}/roleAssignments/77777777-0000-4000-8000-00000000000b"
    body = {"properties": {"roleDefinitionId": f"{ROLES}/{guid}", "principalId": who}}
    stage.call("PUT", assignment, body, version=API)
    list_of = f"{group}/providers/Microsoft.Databricks/workspaces"
    before = stage.call("GET", list_of, who="azure_databricks").status_code
    wider = custom("Changing", f"/subscriptions/{SUB}", actions=["Microsoft.Databricks/workspaces/read"])
    stage.call("PUT", f"{ROLES}/{guid}", wider, version=API)
    after = stage.call("GET", list_of, who="azure_databricks").status_code
    stage.call("DELETE", assignment, version=API)
    stage.call("DELETE", f"{ROLES}/{guid}", version=API)

    assert (before, after) == (403, 200)


def test_a_role_is_seen_and_given_where_it_may_be_assigned(stage: Stage) -> None:
    """assignableScopes: not beside, not above, and below only with atScopeAndBelow()."""
    guid, group = "77777777-0000-4000-8000-000000000004", stage.group("rg-role-scope")
    stage.call("PUT", f"{ROLES}/{guid}", custom("Only here", group), version=API)

    def names(scope: str, text: str = "type eq 'CustomRole'") -> list[str]:
        answer = stage.call("GET", f"{scope}{AUTH}/roleDefinitions", version=API, params={"$filter": text})
        return [each["name"] for each in answer.json()["value"]]

    def give(scope: str) -> int:
        path = f"{scope}{AUTH}/roleAssignments/77777777-0000-4000-8000-00000000000c"
        body = {"properties": {"roleDefinitionId": f"{AUTH}/roleDefinitions/{guid}", "principalId": READER}}
        answer = stage.call("PUT", path, body, version=API)
        stage.call("DELETE", path, version=API)
        return answer.status_code

    seen = {where: guid in names(where) for where in (group, f"/subscriptions/{SUB}", f"/subscriptions/{OTHER_SUB}")}
    below = guid in names(f"/subscriptions/{SUB}", "atScopeAndBelow() and type eq 'CustomRole'")
    given = [give(group), give(f"/subscriptions/{SUB}"), give(f"/subscriptions/{OTHER_SUB}")]
    stage.call("DELETE", f"{ROLES}/{guid}", version=API)

    assert list(seen.values()) == [True, False, False]
    assert below
    assert given == [201, 404, 404]


def test_ids_of_roles_follow_the_path_that_asks(stage: Stage) -> None:
    """With the subscription where there is one, without anywhere else (INDEX, shape 13)."""
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    vault = f"/subscriptions/{SUB}/resourceGroups/any/providers/Microsoft.KeyVault/vaults/any"
    stage.group("any")
    ids = [
        stage.call("GET", f"{scope}{AUTH}/roleDefinitions/{owner}", version=API).json()["id"]
        for scope in (vault, f"/subscriptions/{SUB}", ROOT, "")
    ]

    assert ids[:2] == [f"{ROLES}/{owner}"] * 2
    assert ids[2:] == [f"{AUTH}/roleDefinitions/{owner}"] * 2


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("not-a-guid", custom("Odd", f"/subscriptions/{SUB}"), 400, "InvalidRoleDefinition"),
        ("77777777-0000-4000-8000-000000000009", custom("No scope"), 400, "InvalidRoleDefinition"),
        ("77777777-0000-4000-8000-000000000009", {"properties": {"roleName": "x"}}, 400, "InvalidRoleDefinition"),
        ("77777777-0000-4000-8000-000000000009", custom("reader", "/"), 409, "RoleDefinitionWithSameNameExists"),
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", custom("Mine", f"/subscriptions/{SUB}"), 403, "RoleDefinitionBuiltIn"),
    ],
)
def test_bad_roles_are_refused(stage: Stage, name: str, body: dict[str, Any], status: int, code: str) -> None:
    """And nothing is stored."""
    answer = stage.call("PUT", f"{ROLES}/{name}", body, version=API)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    stored = stage.call("GET", ROLES, version=API, params={"$filter": "type eq 'CustomRole'"}).json()["value"]
    assert name not in [each["name"] for each in stored]


def test_filters_that_azure_does_not_know_are_refused(stage: Stage) -> None:
    """With Azure's list of what it knows."""
    answer = stage.call("GET", ROLES, version=API, params={"$filter": "description eq 'x'"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UnsupportedQuery")
