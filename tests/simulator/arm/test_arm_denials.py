"""What stands above the roles: deny assignments, linked resources and locks."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.arm.stage import IDENTITIES, OTHER_SUB, SUB, Stage, vault

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
CONTRIBUTOR, OWNER = "b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
GUEST = IDENTITIES["azure_databricks"]["principal_id"]
EVERYBODY = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
WORKSPACE = f"/subscriptions/{SUB}/resourceGroups/rg-bricks/providers/Microsoft.Databricks/workspaces/ws-deny"
MANAGED = f"/subscriptions/{SUB}/resourceGroups/mrg-deny"
STORE = f"{MANAGED}/providers/Microsoft.KeyVault/vaults/kv-managed"


def deny(scope: str, name: str, **properties: Any) -> dict[str, Any]:
    """A deny assignment to seed."""
    permissions = [{"actions": ["*/write"], "notActions": [], "dataActions": [], "notDataActions": []}]
    needed = {"denyAssignmentName": f"No {name}", "permissions": permissions, "principals": [EVERYBODY]}
    guid = f"dddddddd-0000-4000-8000-{name:0>12}"
    return {"id": f"{scope}{AUTH}/denyAssignments/{guid}", "properties": {**needed, "scope": scope, **properties}}


@pytest.fixture
def managed(stage: Stage) -> Iterator[str]:
    """A vault in the managed group of a workspace."""
    bodies = [
        {"id": WORKSPACE, "properties": {"managedResourceGroupId": MANAGED}},
        {"id": MANAGED, "location": "westeurope", "managedBy": WORKSPACE},
        {"id": STORE, **vault()},
    ]
    stage.tell("POST", "/seed", {"resources": bodies})
    yield STORE
    stage.call("DELETE", "/".join(WORKSPACE.split("/")[:5]))
    stage.call("DELETE", MANAGED)


def test_a_managed_group_is_read_and_never_written(stage: Stage, managed: str) -> None:
    """Not even by the owner of everything; the text is the reported one (Azure/migAz#266)."""
    read = stage.call("GET", managed)
    write = stage.call("PATCH", managed, {})
    group = stage.call("DELETE", MANAGED)
    keys = stage.call("POST", f"{managed}/purge")

    error = write.json()["error"]
    (denial,) = stage.call("GET", f"{MANAGED}{AUTH}/denyAssignments", version=API).json()["value"]
    identity = denial["name"].replace("-", "")
    assert read.status_code == 200
    assert (write.status_code, group.status_code) == (403, 403)
    assert keys.status_code in {403, 404}
    assert write.headers["x-ms-failure-cause"] == "gateway"
    assert error["code"] == "DenyAssignmentAuthorizationFailed"
    assert error["message"].endswith(
        f"has permission to perform action 'Microsoft.KeyVault/vaults/write' on scope '{managed}'; however, the access is "
        f"denied because of the deny assignment with name 'System deny assignment created by Azure Databricks {WORKSPACE}' "
        f"and Id '{identity}' at scope '{MANAGED}'."
    )
    assert denial["properties"]["isSystemProtected"] is True


def test_without_a_right_the_role_says_no_first(stage: Stage, managed: str) -> None:
    """AuthorizationFailed, not the deny assignment."""
    answer = stage.call("PATCH", managed, {}, who="reader")

    assert answer.json()["error"]["code"] == "AuthorizationFailed"


def test_the_denial_ends_with_workspace_and_group(stage: Stage, managed: str) -> None:
    """Either of the two brings it; without both it is gone."""
    stage.tell("POST", "/seed", {"resources": [{"id": MANAGED, "location": "westeurope"}]})
    by_workspace = stage.call("PATCH", managed, {}).status_code
    stage.call("DELETE", "/".join(WORKSPACE.split("/")[:5]))
    free = stage.call("PATCH", managed, {}).status_code

    assert (by_workspace, free) == (403, 200)
    assert stage.call("GET", f"{MANAGED}{AUTH}/denyAssignments", version=API).json()["value"] == []


def test_seeded_denials_know_whom_what_and_where(stage: Stage) -> None:
    """Principals and groups, exclusions, this scope only, exceptions, data actions apart."""
    group = stage.group("rg-deny")
    path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-deny"
    stage.call("PUT", path, vault())
    owner = "0a0a0a0a-0000-4000-8000-0000000000aa"
    team = "99999999-0000-4000-8000-00000000000c"
    stage.tell("POST", "/seed", {"principals": [{"id": team, "type": "Group", "members": [owner]}]})

    def patch_with(**properties: Any) -> int:
        body = deny(group, "1", **properties)
        stage.tell("POST", "/seed", {"resources": [body]})
        return stage.call("PATCH", path, {}).status_code

    mine, others = [{"id": owner, "type": "User"}], [{"id": GUEST, "type": "ServicePrincipal"}]
    statuses = [
        patch_with(),
        patch_with(principals=mine),
        patch_with(principals=[{"id": team, "type": "Group"}]),
        patch_with(principals=others),
        patch_with(excludePrincipals=mine),
        patch_with(excludePrincipals=[{"id": team, "type": "Group"}]),
        patch_with(doNotApplyToChildScopes=True),
        patch_with(permissions=[{"actions": ["*"], "notActions": ["Microsoft.KeyVault/*"]}]),
        patch_with(permissions=[{"actions": [], "dataActions": ["*"]}]),
    ]
    named = stage.call(
        "GET", f"{path}{AUTH}/denyAssignments", version=API, params={"$filter": "denyAssignmentName eq 'no 1'"}
    ).json()["value"]
    one = stage.call("GET", named[0]["id"], version=API)
    stage.call("DELETE", group)

    assert statuses == [403, 403, 403, 200, 200, 200, 200, 200, 200]
    assert (len(named), one.status_code) == (1, 200)
    missing = stage.call("GET", f"/subscriptions/{SUB}{AUTH}/denyAssignments/{named[0]['name']}", version=API)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "DenyAssignmentNotFound")


def give(stage: Stage, scope: str, role: str, number: int) -> str:
    """Assign a role to the guest; returns the id."""
    path = f"{scope}{AUTH}/roleAssignments/99999999-0000-4000-8000-{number:012d}"
    body = {"properties": {"roleDefinitionId": f"{AUTH}/roleDefinitions/{role}", "principalId": GUEST}}
    assert stage.call("PUT", path, body, version=API).status_code == 201
    return path


def workspace(**properties: Any) -> dict[str, Any]:
    """The body of a workspace PUT."""
    group = f"/subscriptions/{SUB}/resourceGroups/mrg-linked"
    needed = {"computeMode": "Hybrid", "managedResourceGroupId": group}
    return {"location": "westeurope", "sku": {"name": "premium"}, "properties": {**needed, **properties}}


def test_linked_resources_need_rights_of_their_own(stage: Stage) -> None:
    """A workspace in somebody's network: the subnets must be the caller's to join."""
    group, network_group = stage.group("rg-linked"), stage.group("rg-network")
    network = f"{network_group}/providers/Microsoft.Network/virtualNetworks/vnet"
    body = workspace(
        parameters={
            "customVirtualNetworkId": {"value": network},
            "customPublicSubnetName": {"value": "public"},
            "customPrivateSubnetName": {"value": "private"},
        }
    )
    path = f"{group}/providers/Microsoft.Databricks/workspaces/ws-linked"
    first = give(stage, group, CONTRIBUTOR, 1)
    refused = stage.call("PUT", path, body, version="2026-01-01", who="azure_databricks")
    half = give(stage, f"{network}/subnets/public", CONTRIBUTOR, 2)
    one_missing = stage.call("PUT", path, body, version="2026-01-01", who="azure_databricks")
    whole = give(stage, network, CONTRIBUTOR, 3)
    made = stage.call("PUT", path, body, version="2026-01-01", who="azure_databricks")
    for each in (first, half, whole):
        stage.call("DELETE", each, version=API)

    action = "Microsoft.Network/virtualNetworks/subnets/join/action"
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (403, "LinkedAuthorizationFailed")
    assert error["message"] == (
        f"The client '{IDENTITIES['azure_databricks']['client_id']}' with object id '{GUEST}' has permission to perform "
        f"action 'Microsoft.Databricks/workspaces/write' on scope '{path}'; however, it does not have permission to perform "
        f"action(s) '{action},{action}' on the linked scope(s) '{network}/subnets/public,{network}/subnets/private' "
        "(respectively) or the linked scope(s) are invalid."
    )
    assert f"linked scope(s) '{network}/subnets/private'" in one_missing.json()["error"]["message"]
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("kind", "body", "action"),
    [
        (
            "Microsoft.Databricks/workspaces/ws",
            {"properties": {"accessConnector": {"id": "{there}/providers/Microsoft.Databricks/accessConnectors/c"}}},
            "Microsoft.Databricks/accessConnectors/read",
        ),
        (
            "Microsoft.KeyVault/vaults/kv-linked",
            {"identity": {"userAssignedIdentities": {"{there}/providers/Microsoft.ManagedIdentity/uai/i": {}}}},
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        ),
        (
            "Microsoft.KeyVault/vaults/kv-linked",
            {
                "properties": {
                    "networkAcls": {
                        "virtualNetworkRules": [{"id": "{there}/providers/Microsoft.Network/a/b/subnets/c"}]
                    }
                }
            },
            "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
        ),
    ],
)
def test_every_kind_of_link_is_asked_for(stage: Stage, kind: str, body: dict[str, Any], action: str) -> None:
    """By PUT and PATCH; the owner of both sides is never stopped here."""
    import json

    group, there = stage.group("rg-linked"), stage.group("rg-network")
    sent = json.loads(json.dumps(body).replace("{there}", there))
    made = give(stage, group, CONTRIBUTOR, 1)
    answers = [
        stage.call(verb, f"{group}/providers/{kind}", sent, version="2026-01-01", who="azure_databricks")
        for verb in ("PUT", "PATCH")
    ]
    mine = stage.call("PATCH", f"{group}/providers/{kind}", sent, version="2026-01-01")
    stage.call("DELETE", made, version=API)

    assert [answer.json()["error"]["code"] for answer in answers] == ["LinkedAuthorizationFailed"] * 2
    assert all(f"'{action}'" in answer.text for answer in answers)
    assert mine.status_code != 403


def test_a_read_only_lock_stops_posts_that_act(stage: Stage) -> None:
    """A purge is a POST that acts; asking for a name is one that reads [LEARN lock-resources]."""
    where = f"/subscriptions/{OTHER_SUB}"
    lock = f"{where}{AUTH}/locks/still"
    stage.tell("POST", "/seed", {"resources": [{"id": lock, "properties": {"level": "ReadOnly"}}]})
    vaults = f"{where}/providers/Microsoft.KeyVault"
    purge = stage.call("POST", f"{vaults}/locations/westeurope/deletedVaults/kv-none/purge")
    name = {"name": "kv-any", "type": "Microsoft.KeyVault/vaults"}
    ask = stage.call("POST", f"{vaults}/checkNameAvailability", name)
    stage.call("DELETE", lock, version="2016-09-01")

    assert (purge.status_code, purge.json()["error"]["code"]) == (409, "ScopeLocked")
    assert "cannot perform write operation" in purge.json()["error"]["message"]
    assert ask.status_code == 200


def test_a_read_only_lock_stops_writes_and_grants(stage: Stage) -> None:
    """Role assignments too, in both directions; the lock itself can be taken away."""
    group = stage.group("rg-frozen")
    made = give(stage, group, OWNER, 5)
    lock = f"{group}{AUTH}/locks/freeze"
    stage.call("PUT", lock, {"properties": {"level": "readonly"}}, version="2016-09-01")
    path = f"{group}/providers/Microsoft.KeyVault/vaults/kv-frozen"
    create = stage.call("PUT", path, vault())
    grant = stage.call("PUT", made, {"properties": {}}, version=API)
    taken = stage.call("DELETE", made, version=API)
    free = stage.call("DELETE", lock, version="2016-09-01")

    texts = [answer.json()["error"]["message"] for answer in (create, grant, taken)]
    assert [answer.status_code for answer in (create, grant, taken)] == [409] * 3
    assert [
        f"cannot perform {deed} operation" in text
        for deed, text in zip(("write", "write", "delete"), texts, strict=True)
    ]
    assert free.status_code == 200
    assert stage.call("DELETE", made, version=API).status_code == 200
