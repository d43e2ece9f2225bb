"""Role assignments: their forms, filters and refusals, how far they reach, and when they take effect."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.arm.stage import IDENTITIES, OTHER_SUB, SUB, TENANT, Stage, vault

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
READER, RBAC_ADMIN = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
DATA_ADMIN, USER_ROLE = "8b54135c-b56d-4d72-a534-26097cfdc8d8", "e147488a-f6f5-4113-8e2d-b22465e65bf6"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
GUEST = IDENTITIES["azure_databricks"]["principal_id"]
WRITER = IDENTITIES["writer"]["principal_id"]
MG = "/providers/Microsoft.Management/managementGroups"
ROOT = f"{MG}/{TENANT}"
NAME = "88888888-0000-4000-8000-{:012d}"


@pytest.fixture
def home(stage: Stage) -> Iterator[str]:
    """A group with a vault; whatever was assigned to the guest is taken away afterwards."""
    where = stage.group("rg-assign")
    stage.call("PUT", f"{where}/providers/Microsoft.KeyVault/vaults/kv-assign", vault())
    yield where
    everywhere = stage.call("GET", f"{AUTH}/roleAssignments", version=API).json()["value"]
    for each in everywhere:
        if each["name"].startswith("88888888"):
            stage.call("DELETE", each["id"], version=API)


def give(stage: Stage, scope: str, role: str, number: int, principal: str = GUEST, **more: Any) -> Any:
    """PUT an assignment as `who`."""
    who, version = more.pop("who", "owner"), more.pop("version", API)
    body = {"properties": {"roleDefinitionId": f"{AUTH}/roleDefinitions/{role}", "principalId": principal, **more}}
    path = f"{scope.rstrip('/')}{AUTH}/roleAssignments/{NAME.format(number)}"
    return stage.call("PUT", path, body, version=version, who=who)


def listed(stage: Stage, scope: str, text: str = "", version: str = API) -> list[dict[str, Any]]:
    """The assignments of a list, over all its pages, without those of the configuration."""
    params = {"$filter": text} if text else {}
    found: list[dict[str, Any]] = []
    answer = stage.call("GET", f"{scope}{AUTH}/roleAssignments", version=version, params=params)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    found += page["value"]
    while page.get("nextLink"):
        page = stage.call("GET", page["nextLink"]).json()
        found += page["value"]
    return [each for each in found if each["name"].startswith("88888888")]


def test_the_recorded_form_of_an_assignment(stage: Stage, home: str) -> None:
    """Nulls, the scope as sent, the role at the subscription, createdBy only when it is read (INDEX, shape 13)."""
    scope = f"{home.replace('resourceGroups', 'resourcegroups')}/providers/Microsoft.KeyVault/vaults/kv-assign"
    role = f"{scope}{AUTH}/roleDefinitions/{READER.upper()}"
    path = f"{scope}{AUTH}/roleAssignments/{NAME.format(1)}"
    body = {"properties": {"roleDefinitionId": role, "principalId": GUEST}}
    made = stage.call("PUT", path, body, version=API)
    read = stage.call("GET", path, version=API).json()
    again = stage.call("PUT", path, body, version=API)

    properties = made.json()["properties"]
    times = {name: properties.pop(name) for name in ("createdOn", "updatedOn", "updatedBy")}
    assert made.status_code == again.status_code == 201
    assert all(times.values())
    assert properties == {
        "roleDefinitionId": f"/subscriptions/{SUB}{AUTH}/roleDefinitions/{READER}",
        "principalId": GUEST,
        "principalType": "ServicePrincipal",
        "scope": scope,
        "condition": None,
        "conditionVersion": None,
        "createdBy": None,
        "delegatedManagedIdentityResourceId": None,
        "description": None,
    }
    assert (made.json()["id"], made.json()["type"]) == (path, "Microsoft.Authorization/roleAssignments")
    assert read["properties"]["createdBy"] == times["updatedBy"]


def test_older_versions_show_fewer_fields(stage: Stage, home: str) -> None:
    """2015-07-01 has no principalType, and nothing before 2020 has conditions (recorded)."""
    old = give(stage, home, READER, 1, version="2015-07-01").json()["properties"]
    newer = listed(stage, home, version="2018-09-01-preview")[0]["properties"]

    assert set(old) == {"roleDefinitionId", "principalId", "scope", "createdOn", "updatedOn", "createdBy", "updatedBy"}
    assert set(newer) == {*old, "principalType"}


@pytest.mark.parametrize(
    ("role", "principal", "more", "status", "code"),
    [
        ("99999999-0000-4000-8000-000000000000", GUEST, {}, 404, "RoleDefinitionDoesNotExist"),
        (READER, "99999999-0000-4000-8000-000000000000", {}, 400, "PrincipalNotFound"),
        (READER, "99999999-0000-4000-8000-000000000000", {"principalType": "User"}, 400, "PrincipalNotFound"),
        (READER, GUEST, {"principalType": "User"}, 400, "UnmatchedPrincipalType"),
        (READER, "guest", {}, 400, "InvalidPrincipalId"),
        (READER, "", {}, 400, "BadRequestFormat"),
        ("Reader", GUEST, {}, 400, "InvalidRoleDefinitionId"),
        (READER, GUEST, {"condition": "ActionMatches{'*'}"}, 400, "InvalidCondition"),
        (READER, GUEST, {"condition": "ActionMatches{'*'}", "conditionVersion": "1.0"}, 400, "InvalidCondition"),
        (READER, GUEST, {"condition": "@Principal[a] == 'b'", "conditionVersion": "2.0"}, 400, "InvalidCondition"),
    ],
)
def test_bad_assignments_are_refused(
    stage: Stage, home: str, role: str, principal: str, more: dict[str, Any], status: int, code: str
) -> None:
    """With Azure's code, and nothing is stored."""
    answer = give(stage, home, role, 2, principal, **more)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert listed(stage, home) == []


def test_texts_of_refusals_are_the_recorded_ones(stage: Stage, home: str) -> None:
    """Ids without hyphens, and Azure's spelling."""
    plain = GUEST.replace("-", "")
    wrong = give(stage, home, READER, 2, GUEST, principalType="Group").json()["error"]["message"]
    nobody = give(stage, home, READER, 2, "99999999-0000-4000-8000-000000000000").json()["error"]["message"]

    assert wrong == (
        f"The PrincipalId '{plain}' has type 'ServicePrincipal' , which is different from specified PrinciaplType 'Group'."
    )
    assert nobody.startswith(f"Principal {'9' * 8}{'0' * 4}40008{'0' * 15} does not exist in the directory {TENANT}.")


def test_filters_choose_by_scope_and_holder(stage: Stage, home: str) -> None:
    """Above, at and below without a filter; atScope() leaves out what is below; both together."""
    scope = f"{home}/providers/Microsoft.KeyVault/vaults/kv-assign"
    give(stage, f"/subscriptions/{SUB}", READER, 1)
    give(stage, home, READER, 2, WRITER)
    give(stage, scope, READER, 3)
    give(stage, f"{scope}/keys/one", USER_ROLE, 4)
    give(stage, f"/subscriptions/{OTHER_SUB}", READER, 5)

    def numbers(where: str, text: str = "") -> list[int]:
        return sorted(int(each["name"][-3:]) for each in listed(stage, where, text))

    assert numbers(home) == [1, 2, 3, 4]
    assert numbers(home, "atScope()") == [1, 2]
    assert numbers(scope, "atScope()") == [1, 2, 3]
    assert numbers(f"{scope}/keys/one", "atScope()") == [1, 2, 3, 4]
    assert numbers(home, f"principalId eq '{GUEST}'") == [1, 3, 4]
    assert numbers(home, f"atScope() and principalId eq '{GUEST.upper()}'") == [1]
    assert numbers(home, f"atScope() and assignedTo('{WRITER}')") == [2]
    assert numbers("") == [1, 2, 3, 4, 5]
    stage.tell("POST", "/knobs", {"page_size": 2})
    assert numbers(home) == [1, 2, 3, 4]


def test_compound_filters_are_refused(stage: Stage, home: str) -> None:
    """As reports quote it."""
    text = f"principalId eq '{GUEST}' and roleDefinitionId eq 'x'"
    answer = stage.call("GET", f"{home}{AUTH}/roleAssignments", version=API, params={"$filter": text})

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "UnsupportedQuery",
        "message": f"The filter '{text}' is not supported. Supported filters are either 'atScope()' or "
        "'principalId eq '{value}' or assignedTo('{value}')'.",
    }


def test_roles_at_management_groups_reach_their_subscriptions(stage: Stage, home: str) -> None:
    """Through a parent too, and no other subscription."""
    tree = [
        {"id": f"{MG}/mg-top", "properties": {"details": {"parent": {"id": ROOT}}}},
        {"id": f"{MG}/mg-low", "properties": {"details": {"parent": {"id": f"{MG}/MG-TOP"}}}},
        {"id": f"{MG}/mg-low/subscriptions/{SUB}"},
    ]
    assert stage.tell("POST", "/seed", {"resources": tree})["refused"] == []
    made = give(stage, f"{MG}/mg-top", READER, 1)
    vaults = "providers/Microsoft.KeyVault/vaults"
    ours = stage.call("GET", f"{home}/{vaults}/kv-assign", who="azure_databricks")
    theirs = stage.call("GET", f"/subscriptions/{OTHER_SUB}/{vaults}", who="azure_databricks")
    seen = stage.call("GET", "/subscriptions", who="azure_databricks").json()["value"]
    inherited = listed(stage, home, "atScope()")
    group = stage.call("GET", f"{MG}/mg-low", version="2020-05-01", who="azure_databricks")

    assert made.status_code == 201
    assert made.json()["properties"]["roleDefinitionId"] == f"{AUTH}/roleDefinitions/{READER}"
    assert (ours.status_code, theirs.status_code, group.status_code) == (200, 403, 200)
    assert [each["subscriptionId"] for each in seen] == [SUB]
    assert [each["properties"]["scope"] for each in inherited] == [f"{MG}/mg-top"]


def test_membership_counts_through_groups_in_groups(stage: Stage, home: str) -> None:
    """The member may, assignedTo() shows it, `principalId eq` does not; out of the group it ends."""
    inner, outer = "99999999-0000-4000-8000-00000000000a", "99999999-0000-4000-8000-00000000000b"
    groups = [
        {"id": inner, "type": "Group", "displayName": "inner", "members": [GUEST]},
        {"id": outer, "type": "Group", "displayName": "outer", "members": [inner]},
    ]
    stage.tell("POST", "/seed", {"principals": groups})
    made = give(stage, home, READER, 1, outer)
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-assign"
    member = stage.call("GET", path, who="azure_databricks").status_code
    shown = listed(stage, home, f"assignedTo('{GUEST}')"), listed(stage, home, f"principalId eq '{GUEST}'")
    stage.tell("POST", "/seed", {"principals": [{**groups[0], "members": []}]})
    stranger = stage.call("GET", path, who="azure_databricks").status_code

    assert made.json()["properties"]["principalType"] == "Group"
    assert (member, stranger) == (200, 403)
    assert [len(each) for each in shown] == [1, 0]


def test_giving_and_taking_take_time(stage: Stage, home: str) -> None:
    """Both are listed at once and felt later; what is given again meanwhile is not taken away by the old end."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-assign"

    def may() -> bool:
        return stage.call("GET", path, who="azure_databricks").status_code == 200

    stage.tell("POST", "/knobs", {"propagation_seconds": 300})
    made = give(stage, home, READER, 1).json()["id"]
    young = may()
    stage.tell("POST", "/clock", {"advance": 301})
    ripe = may()
    stage.call("DELETE", made, version=API)
    gone, still = listed(stage, home), may()
    stage.tell("POST", "/clock", {"advance": 200})
    give(stage, home, READER, 1)
    stage.tell("POST", "/clock", {"advance": 101})  # the old end falls due here
    kept = may()
    stage.call("DELETE", made, version=API)
    stage.tell("POST", "/clock", {"advance": 301})

    assert (young, ripe, gone, still, kept, may()) == (False, True, [], True, True, False)


def test_an_assignment_that_went_before_it_came_never_counts(stage: Stage, home: str) -> None:
    """Given and taken within the delay."""
    stage.tell("POST", "/knobs", {"propagation_seconds": 300})
    made = give(stage, home, READER, 1).json()["id"]
    stage.tell("POST", "/knobs", {"propagation_seconds": 0})
    stage.call("DELETE", made, version=API)
    stage.tell("POST", "/clock", {"advance": 301})

    assert stage.call("GET", home, who="azure_databricks").status_code == 403


def test_a_constrained_writer_gives_only_what_its_condition_names(stage: Stage, home: str) -> None:
    """Key Vault Data Access Administrator: the eight vault roles, and never Owner (recorded condition)."""
    give(stage, home, DATA_ADMIN, 1)
    allowed = give(stage, home, USER_ROLE, 2, WRITER, who="azure_databricks")
    refused = give(stage, home, CONTRIBUTOR, 3, WRITER, who="azure_databricks")
    read = stage.call("GET", f"{home}{AUTH}/roleAssignments", version=API, who="azure_databricks")
    foreign = give(stage, home, READER, 4, WRITER).json()["id"]
    kept = stage.call("DELETE", foreign, version=API, who="azure_databricks")
    taken = stage.call("DELETE", allowed.json()["id"], version=API, who="azure_databricks")

    path = f"{home}{AUTH}/roleAssignments/{NAME.format(3)}"
    assert (allowed.status_code, refused.status_code, read.status_code) == (201, 403, 200)
    assert (kept.status_code, taken.status_code) == (403, 200)
    assert refused.json()["error"]["message"] == (
        f"The client '{IDENTITIES['azure_databricks']['client_id']}' with object id '{GUEST}' does not have authorization "
        f"or an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/write' over scope "
        f"'{path}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    )


def test_a_condition_on_the_assignment_itself_binds(stage: Stage, home: str) -> None:
    """RBAC Administrator, constrained to one role and to service principals; the type must be sent (AZURE 3.3)."""
    at = "@Request[Microsoft.Authorization/roleAssignments"
    condition = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        f"({at}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{USER_ROLE}}} AND "
        f"{at}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))"
    )
    made = give(stage, home, RBAC_ADMIN, 1, condition=condition, conditionVersion="2.0")
    stage.tell("POST", "/knobs", {"page_size": 100})
    kinds: tuple[dict[str, str], ...] = ({"principalType": "ServicePrincipal"}, {}, {"principalType": "User"})
    statuses = [give(stage, home, USER_ROLE, 2, WRITER, who="azure_databricks", **kind).status_code for kind in kinds]
    other = give(stage, home, READER, 3, WRITER, who="azure_databricks", principalType="ServicePrincipal")

    assert (made.status_code, made.json()["properties"]["condition"]) == (201, condition)
    assert statuses == [201, 403, 403]
    assert other.status_code == 403


def test_a_deleted_vault_takes_assignments_and_locks_with_it(stage: Stage, home: str) -> None:
    """And recovery brings neither back (AZURE 0, hazard 7)."""
    path = f"{home}/providers/Microsoft.KeyVault/vaults/kv-assign"
    give(stage, path, READER, 1)
    give(stage, f"{path}/keys/one", USER_ROLE, 2)
    before = stage.call("GET", path, who="azure_databricks").status_code
    stage.call("DELETE", path)
    stage.call("PUT", path, vault(createMode="recover"))
    after = stage.call("GET", path, who="azure_databricks").status_code

    assert (before, after) == (200, 403)
    assert listed(stage, path) == []
    assert stage.call("GET", f"{path}{AUTH}/locks", version="2016-09-01").json()["value"] == []
