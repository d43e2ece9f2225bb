"""Who may do what, and what a lock forbids."""

from typing import Any

import pytest

from simulator.arm.rights import Role
from simulator.arm.roles import BUILTIN
from tests.simulator.arm.stage import IDENTITIES, OTHER_SUB, SUB, Stage, vault

ROLES_API = "2022-04-01"
LOCKS_API = "2016-09-01"
READER_ROLE = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
WRITER = IDENTITIES["writer"]["principal_id"]
DATABRICKS = IDENTITIES["azure_databricks"]["principal_id"]


@pytest.fixture
def home(stage: Stage) -> str:
    """A group with a vault `kv` of its own for these tests."""
    where = stage.group("rg-access")
    stage.call("PUT", f"{where}/providers/Microsoft.KeyVault/vaults/kv-access", vault())
    return where


def assign(stage: Stage, scope: str, principal: str, role: str, name: str, who: str = "owner") -> Any:
    """PUT a role assignment."""
    body = {
        "properties": {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal,
        }
    }
    return stage.call(
        "PUT", f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", body, version=ROLES_API, who=who
    )


def test_a_refusal_names_client_action_and_scope(stage: Stage, home: str) -> None:
    """The wording and the header are ARM's."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-access"

    answer = stage.call("PATCH", path, {}, who="reader")

    reader = IDENTITIES["reader"]
    assert answer.status_code == 403
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert answer.json()["error"] == {
        "code": "AuthorizationFailed",
        "message": f"The client '{reader['client_id']}' with object id '{reader['principal_id']}' does not have "
        f"authorization to perform action 'Microsoft.KeyVault/vaults/write' over scope '{path}' or the scope is "
        "invalid. If access was recently granted, please refresh your credentials.",
    }


def test_the_writer_cannot_read_a_workspace(stage: Stage, home: str) -> None:
    """Its role holds vaults only; the refusal comes before the answer that nothing is there."""
    path = f"{home}/providers/Microsoft.Databricks/workspaces/ws"

    assert stage.call("GET", path, who="writer").status_code == 403
    assert stage.call("GET", path, who="reader").status_code == 404


def test_a_right_is_inherited_downward_only(stage: Stage, home: str) -> None:
    """Reader at a group reads the vault in it, not the subscription's list; with the assignment it ends."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-access"
    everywhere = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults"
    name = "55555555-0000-4000-8000-000000000001"
    before = stage.call("GET", path, who="azure_databricks").status_code
    made = assign(stage, home, DATABRICKS, READER_ROLE, name)

    assert before == 403
    assert made.status_code == 201
    assert stage.call("GET", path, who="azure_databricks").status_code == 200
    assert stage.call("GET", everywhere, who="azure_databricks").status_code == 403
    assert stage.call("DELETE", made.json()["id"], version=ROLES_API).status_code == 200
    assert stage.call("DELETE", made.json()["id"], version=ROLES_API).status_code == 204
    assert stage.call("GET", path, who="azure_databricks").status_code == 403


def test_an_assignment_takes_effect_when_the_clock_says(stage: Stage, home: str) -> None:
    """Listed at once, effective later."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-access"
    stage.tell("POST", "/knobs", {"propagation_seconds": 600})
    made = assign(stage, path, DATABRICKS, READER_ROLE, "55555555-0000-4000-8000-000000000002")
    listed = stage.call("GET", made.json()["id"], version=ROLES_API)
    early = stage.call("GET", path, who="azure_databricks")
    stage.tell("POST", "/clock", {"advance": 601})
    late = stage.call("GET", path, who="azure_databricks")

    stage.call("DELETE", made.json()["id"], version=ROLES_API)
    assert (listed.status_code, early.status_code, late.status_code) == (200, 403, 200)


def test_the_same_grant_twice_is_a_conflict(stage: Stage, home: str) -> None:
    """409 without the other one's id; the same name with another principal is a 400."""
    first = assign(stage, home, WRITER, READER_ROLE, "55555555-0000-4000-8000-000000000003")
    twin = assign(stage, home, WRITER, READER_ROLE, "55555555-0000-4000-8000-000000000004")
    other = assign(stage, home, DATABRICKS, READER_ROLE, "55555555-0000-4000-8000-000000000003")
    stage.call("DELETE", first.json()["id"], version=ROLES_API)

    assert first.json()["properties"]["createdBy"] is None
    assert twin.status_code == 409
    assert twin.json() == {"error": {"code": "RoleAssignmentExists", "message": "The role assignment already exists."}}
    assert (other.status_code, other.json()["error"]["code"]) == (400, "RoleAssignmentUpdateNotPermitted")


def test_assignments_at_a_scope_show_what_reaches_it(stage: Stage, home: str) -> None:
    """A vault's list has the inherited ones; `principalId eq` picks one principal's."""
    scope = f"{home}/providers/Microsoft.KeyVault/vaults/kv-access"
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments"

    everyone = stage.call("GET", path, version=ROLES_API).json()["value"]
    writer = stage.call("GET", path, version=ROLES_API, params={"$filter": f"principalId eq '{WRITER}'"}).json()[
        "value"
    ]

    assert len(everyone) >= 3
    assert [each["properties"]["principalId"] for each in writer] == [
        WRITER
    ] * 3  # its own role, grants.json and linked.json


def test_role_definitions_are_found_by_id_and_name(stage: Stage) -> None:
    """Built-in roles answer at any scope, and new custom ones join them."""
    where = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions"
    named = stage.call("GET", where, version=ROLES_API, params={"$filter": "roleName eq 'Reader'"}).json()["value"]
    custom = {
        "roleName": "Probe",
        "permissions": [{"actions": ["*/read"]}],
        "assignableScopes": [f"/subscriptions/{SUB}"],
    }
    name = "66666666-0000-4000-8000-000000000001"
    made = stage.call("PUT", f"{where}/{name}", {"properties": custom}, version=ROLES_API)

    assert [each["name"] for each in named] == [READER_ROLE]
    assert stage.call("GET", f"{where}/{CONTRIBUTOR}", version=ROLES_API).status_code == 200
    assert made.status_code == 201
    assert stage.call("GET", f"{where}/{name}", version=ROLES_API).json()["properties"]["type"] == "CustomRole"


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        ("Owner", "Microsoft.Authorization/roleAssignments/write", True),
        ("Contributor", "Microsoft.KeyVault/vaults/write", True),
        ("Contributor", "microsoft.authorization/roleassignments/WRITE", False),
        ("Reader", "Microsoft.KeyVault/vaults/read", True),
        ("Reader", "Microsoft.KeyVault/vaults/write", False),
        ("Key Vault Contributor", "Microsoft.KeyVault/vaults/accessPolicies/write", True),
        ("Key Vault Contributor", "Microsoft.KeyVault/locations/deletedVaults/purge/action", False),
        ("Key Vault Crypto Service Encryption User", "Microsoft.KeyVault/vaults/read", False),
    ],
)
def test_wildcards_and_exceptions_of_built_in_roles(role: str, action: str, allowed: bool) -> None:
    """`*` matches across segments, notActions take back, case does not count."""
    body = next(each for each in BUILTIN if each.name == role).body("")

    assert Role(body).allows(action.lower()) is allowed


def test_a_lock_forbids_what_its_level_says(stage: Stage, home: str) -> None:
    """CanNotDelete: no delete; ReadOnly: no write either; a child's lock holds the group; removing it frees."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-access"
    lock = f"{path}/providers/Microsoft.Authorization/locks/hold"
    made = stage.call("PUT", lock, {"properties": {"level": "CanNotDelete", "notes": "n"}}, version=LOCKS_API)
    write_when_kept = stage.call("PATCH", path, {})
    delete_when_kept = stage.call("DELETE", path)
    delete_group = stage.call("DELETE", home)
    stage.call("PUT", lock, {"properties": {"level": "ReadOnly"}}, version=LOCKS_API)
    write_when_frozen = stage.call("PATCH", path, {})
    freed = stage.call("DELETE", lock, version=LOCKS_API)

    assert made.status_code == 201
    assert write_when_kept.status_code == 200
    assert delete_when_kept.json()["error"] == {
        "code": "ScopeLocked",
        "message": f"The scope '{path}' cannot perform delete operation because following scope(s) are locked: "
        f"'{path}'. Please remove the lock and try again.",
    }
    assert delete_group.status_code == 409
    assert write_when_frozen.status_code == 409
    assert "cannot perform write operation" in write_when_frozen.json()["error"]["message"]
    assert freed.status_code == 200
    assert stage.call("PATCH", path, {}).status_code == 200


def test_a_lock_on_the_subscription_reaches_every_vault(stage: Stage) -> None:
    """Locks are inherited and listed from above."""
    where = stage.group("rg-locked", OTHER_SUB)
    path = f"{where}/providers/Microsoft.KeyVault/vaults/kv-locked"
    stage.call("PUT", path, vault())
    lock = f"/subscriptions/{OTHER_SUB}/providers/Microsoft.Authorization/locks/all"
    stage.tell("POST", "/seed", {"resources": [{"id": lock, "properties": {"level": "ReadOnly"}}]})

    answer = stage.call("PATCH", path, {})
    listed = stage.call("GET", f"{path}/providers/Microsoft.Authorization/locks", version=LOCKS_API).json()
    stage.call("DELETE", lock, version=LOCKS_API)

    assert answer.status_code == 409
    assert f"'/subscriptions/{OTHER_SUB}'" in answer.json()["error"]["message"]
    assert [each["id"] for each in listed["value"]] == [lock]
