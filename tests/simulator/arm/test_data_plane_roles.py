"""Roles at a vault's own address: what is given through ARM decides there too, through groups, denials and delay."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.mgmt.authorization import AuthorizationManagementClient

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage
from tests.simulator.arm.vaultdoor import ROLES, at, made_vault, seeded_key

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
WRITER = IDENTITIES["writer"]["principal_id"]
USER_ROLE = f"{ROLES}/e147488a-f6f5-4113-8e2d-b22465e65bf6"
TEAM = "eeeeeeee-0000-4000-8000-000000000001"
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}


@pytest.fixture
def read(stage: Stage) -> Iterator[Callable[[], int]]:
    """A vault that goes by roles, with one key: the status of the writer's reading it."""
    stage.group("rg-keys")
    identity = made_vault(stage, "kv-roles", enableRbacAuthorization=True)
    seeded_key(stage, identity, "one")
    yield lambda: at(stage, "kv-roles", "GET", "/keys/one").status_code
    for each in stage.call("GET", f"{identity}{AUTH}/roleAssignments", version=API).json()["value"]:
        if each["name"].startswith("eeeeeeee"):
            stage.call("DELETE", each["id"], version=API)


def give(stage: Stage, scope: str, principal: str = WRITER) -> str:
    """Let somebody use keys; returns the id of the assignment."""
    path = f"{scope}{AUTH}/roleAssignments/eeeeeeee-0000-4000-8000-00000000000a"
    made = stage.call(
        "PUT", path, {"properties": {"roleDefinitionId": USER_ROLE, "principalId": principal}}, version=API
    )
    assert made.status_code == 201, made.text
    return path


VAULT = f"/subscriptions/{SUB}/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-roles"


@pytest.mark.parametrize(
    "scope",
    [
        f"/providers/Microsoft.Management/managementGroups/{TENANT}",
        f"/subscriptions/{SUB}",
        f"/subscriptions/{SUB}/resourcegroups/RG-KEYS",
        VAULT,
        f"{VAULT}/keys/one",
    ],
)
def test_a_role_reaches_the_key_from_above(stage: Stage, read: Callable[[], int], scope: str) -> None:
    """At every level, and no longer than it is held."""
    before = read()
    made = give(stage, scope)
    during = read()
    stage.call("DELETE", made, version=API)

    assert (before, during, read()) == (403, 200, 403)


def test_roles_given_in_arm_are_felt_later_at_the_vault(stage: Stage, read: Callable[[], int]) -> None:
    """And so is their end (AZURE 3.2: up to ten minutes)."""
    stage.tell("POST", "/knobs", {"propagation_seconds": 600})
    made = give(stage, VAULT)
    seen = [read()]
    stage.tell("POST", "/clock", {"advance": 601})
    seen.append(read())
    stage.call("DELETE", made, version=API)
    seen.append(read())
    stage.tell("POST", "/clock", {"advance": 601})

    assert [*seen, read()] == [403, 200, 200, 403]


def test_groups_count_in_both_models(stage: Stage, read: Callable[[], int]) -> None:
    """A role for the group, and an access policy for the group."""
    give(stage, VAULT, _team(stage, WRITER))
    by_role = read()
    entry = {"tenantId": TENANT, "objectId": TEAM, "permissions": {"keys": ["get"]}}
    policies = made_vault(stage, "kv-roles-2", accessPolicies=[entry])
    seeded_key(stage, policies, "one")
    by_policy = at(stage, "kv-roles-2", "GET", "/keys/one").status_code
    _team(stage)
    left = read(), at(stage, "kv-roles-2", "GET", "/keys/one").status_code

    assert (by_role, by_policy, left) == (200, 200, (403, 403))


def _team(stage: Stage, *members: str) -> str:
    group = {"id": TEAM, "type": "Group", "displayName": "team", "members": list(members)}
    stage.tell("POST", "/seed", {"principals": [group]})
    return TEAM


def test_a_denial_of_data_actions_is_felt_at_the_vault(stage: Stage, read: Callable[[], int]) -> None:
    """And shown by the official client."""
    give(stage, VAULT)
    permissions = [{"actions": [], "notActions": [], "dataActions": ["Microsoft.KeyVault/*"], "notDataActions": []}]
    denial = f"{VAULT}{AUTH}/denyAssignments/eeeeeeee-0000-4000-8000-00000000000d"
    properties = {
        "denyAssignmentName": "No keys",
        "permissions": permissions,
        "principals": [EVERYBODY],
        "scope": VAULT,
    }
    before = read()
    stage.tell("POST", "/seed", {"resources": [{"id": denial, "properties": properties}]})
    during = read()
    with AuthorizationManagementClient(_Owner(stage), SUB, **stage.sdk()) as client:
        (found,) = client.deny_assignments.list_for_scope(VAULT, filter="atScope()")
    stage.tell("POST", "/seed", {"resources": [{"id": denial, "properties": {**properties, "permissions": []}}]})

    assert (before, during, read()) == (200, 403, 200)
    assert (found.deny_assignment_name, found.permissions[0].data_actions) == ("No keys", ["Microsoft.KeyVault/*"])
    assert found.principals[0].id == EVERYBODY["id"]


class _Owner:
    """A credential that hands out the owner's token."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """The token, good for a while."""
        from azure.core.credentials import AccessToken

        return AccessToken(self._stage.token("owner"), 4_000_000_000)
