"""The roles in infra/roles as the writer holds them: what their condition lets it give and take, and that it is what holds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.arm.abac import BadCondition
from simulator.arm.config import Config, build
from simulator.stack import ROOT, roles
from tests.simulator.arm.stage import ADA, IDENTITIES, SUB, TENANT, Stage, vault

API = "2022-04-01"
AUTH = "/providers/Microsoft.Authorization"
FOLDER = ROOT / "infra/roles"
NARROW, STRICT = "e147488a-f6f5-4113-8e2d-b22465e65bf6", "3d5c1f64-0d5e-4b3f-9a57-6a1c9e0b7c01"
ADMINISTRATOR, OWNER = "00482a5a-887f-4fb3-b363-3b7fe8e74483", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SECRETS_USER, CONTRIBUTOR = "4633458b-17de-408a-b874-0445c86b69e6", "b24988ac-6180-42a0-ab88-20f7382dd24c"
BROAD = (
    "12338af0-0e69-4776-bea7-57ae8d297424",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
    ADMINISTRATOR,
    "21090545-7ca7-4776-b22c-e363652d74d2",
    "a4417e6f-fecd-4de8-b567-7b0420556985",
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    SECRETS_USER,
    "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
)
READER, WRITER = IDENTITIES["reader"]["principal_id"], IDENTITIES["writer"]["principal_id"]
PERSON = str(ADA["object_id"])
DATABRICKS = IDENTITIES["azure_databricks"]["principal_id"]
TEAM = "99999999-0000-4000-8000-00000000000d"
SERVICE, USER, GROUP = "ServicePrincipal", "User", "Group"
NAME = "86868686-0000-4000-8000-{:012d}"
# What the writer may never give: role, to whom, of which type.
FORBIDDEN = [
    (ADMINISTRATOR, READER, SERVICE),
    (ADMINISTRATOR, DATABRICKS, SERVICE),
    (OWNER, WRITER, SERVICE),
    (CONTRIBUTOR, READER, SERVICE),
    (SECRETS_USER, READER, SERVICE),
    (SECRETS_USER, WRITER, SERVICE),
    (SECRETS_USER, PERSON, USER),
    (NARROW, PERSON, USER),
    (STRICT, PERSON, USER),
    (NARROW, TEAM, GROUP),
]


def loaded(name: str) -> Any:
    """A role file."""
    return json.loads((FOLDER / name).read_text())


@pytest.fixture
def place(stage: Stage) -> Iterator[str]:
    """A vault; what was assigned at it is taken away afterwards."""
    stage.tell("POST", "/seed", {"principals": [{"id": TEAM, "type": "Group", "displayName": "team"}]})
    where = f"{stage.group('rg-grants')}/providers/Microsoft.KeyVault/vaults/kv-grants"
    assert stage.call("PUT", where, vault(enableRbacAuthorization=True)).status_code in {200, 201}
    yield where
    for each in everywhere(stage):
        if each["name"].startswith("86868686"):
            stage.call("DELETE", each["id"], version=API)


@pytest.fixture
def unconditioned(stage: Stage) -> Iterator[None]:
    """The writer's assignment of grants.json without its condition, put back afterwards."""
    (held,) = (each for each in everywhere(stage) if each["properties"]["condition"])
    bare = {**held, "properties": {**held["properties"], "condition": None, "conditionVersion": None}}
    stage.tell("POST", "/seed", {"resources": [bare]})
    yield
    stage.tell("POST", "/seed", {"resources": [held]})


def everywhere(stage: Stage) -> list[dict[str, Any]]:
    """All assignments of the tenant."""
    found: list[dict[str, Any]] = stage.call("GET", f"{AUTH}/roleAssignments", version=API).json()["value"]
    return found


def give(
    stage: Stage, scope: str, role: str, principal: str, kind: str, *, who: str = "writer", number: int = 1
) -> Any:
    """PUT an assignment."""
    sent = {"roleDefinitionId": f"{AUTH}/roleDefinitions/{role}", "principalId": principal, "principalType": kind}
    path = f"{scope}{AUTH}/roleAssignments/{NAME.format(number)}"
    return stage.call("PUT", path, {"properties": sent}, version=API, who=who)


def test_the_files_say_exactly_what_they_are_to_say() -> None:
    """Two actions, three data actions, a fixed GUID, and no wildcard anywhere."""
    grants, key_user, writer = loaded("grants.json"), loaded("key_user.json"), loaded("writer.json")
    condition = (FOLDER / "grants.condition").read_text()

    assert (grants["Name"], set(grants)) == ("cmkwarden Grants", set(writer))
    assert grants["Actions"] == [f"Microsoft.Authorization/roleAssignments/{each}" for each in ("delete", "write")]
    assert key_user["Id"] == STRICT
    assert key_user["DataActions"] == [
        f"Microsoft.KeyVault/vaults/keys/{each}" for each in ("read", "unwrap/action", "wrap/action")
    ]
    assert not grants["DataActions"]
    assert not key_user["Actions"]
    assert "*" not in condition + json.dumps([grants, key_user])
    assert condition.count("{azure_databricks}") == 1


def test_the_role_is_never_held_without_its_condition(stage: Stage) -> None:
    """In the configuration of the local Azure, and in the world that came of it."""
    config = roles()
    of_grants = [each for each in config["grants"] if each["role"].endswith("/grants.json")]
    filled = (FOLDER / "grants.condition").read_text().replace("{azure_databricks}", DATABRICKS)
    definitions = stage.call(
        "GET", f"{AUTH}/roleDefinitions", version=API, params={"$filter": "roleName eq 'cmkwarden Grants'"}
    ).json()["value"]
    held = [
        each for each in everywhere(stage) if each["properties"]["roleDefinitionId"].endswith(definitions[0]["name"])
    ]

    assert [(each["holder"], each["condition"].endswith("/grants.condition")) for each in of_grants] == [
        ("writer", True)
    ]
    assert not any(path.endswith("/grants.json") for path in [*config["roles"].values(), *config["definitions"]])
    assert len(definitions) == len(held) == 1
    assert (held[0]["properties"]["condition"], held[0]["properties"]["conditionVersion"]) == (filled, "2.0")
    assert held[0]["properties"]["principalId"] == WRITER


def test_the_strict_role_exists_under_its_guid_and_nobody_holds_it(stage: Stage, place: str) -> None:
    """Read at a vault, where it is to be given."""
    body = stage.call("GET", f"{place}{AUTH}/roleDefinitions/{STRICT}", version=API).json()["properties"]

    assert (body["roleName"], body["type"]) == ("cmkwarden Key User", "CustomRole")
    assert body["permissions"] == [
        {"actions": [], "notActions": [], "dataActions": loaded("key_user.json")["DataActions"], "notDataActions": []}
    ]
    assert not any(each["properties"]["roleDefinitionId"].endswith(STRICT) for each in everywhere(stage))


@pytest.mark.parametrize("below", ["", "/keys/one"])
@pytest.mark.parametrize(
    ("role", "principal"), [(NARROW, READER), (STRICT, READER), (NARROW, DATABRICKS), (SECRETS_USER, DATABRICKS)]
)
def test_the_writer_gives_the_narrow_roles(stage: Stage, place: str, role: str, principal: str, below: str) -> None:
    """To a service principal, at the vault and at a key; and the right to read secrets to AzureDatabricks alone."""
    made = give(stage, place + below, role, principal, SERVICE)

    assert made.status_code == 201, made.text
    assert made.json()["properties"]["scope"] == place + below


@pytest.mark.parametrize(("role", "principal", "kind"), FORBIDDEN)
def test_the_writer_gives_nothing_else(stage: Stage, place: str, role: str, principal: str, kind: str) -> None:
    """Neither at the vault, nor at a key, nor above; the refusal speaks of the condition."""
    for scope in (place, f"{place}/keys/one", f"/subscriptions/{SUB}"):
        answer = give(stage, scope, role, principal, kind)
        assert answer.status_code == 403
        assert "an ABAC condition not fulfilled" in answer.json()["error"]["message"]


def test_a_wrong_type_does_not_help(stage: Stage, place: str) -> None:
    """Left out, it fulfils nothing; a person said to be a service principal is found out by Azure."""
    lie = give(stage, place, NARROW, PERSON, SERVICE)
    silent = give(stage, place, NARROW, READER, "")

    assert (lie.status_code, lie.json()["error"]["code"]) == (400, "UnmatchedPrincipalType")
    assert silent.status_code == 403


def test_the_writer_cannot_loosen_its_own_condition(stage: Stage, place: str) -> None:
    """A PUT over its own assignment, and one beside it, are writes of a role that the condition does not name."""
    (own,) = (each for each in everywhere(stage) if each["properties"]["condition"])
    role = own["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]
    sent = {name: own["properties"][name] for name in ("roleDefinitionId", "principalId", "principalType")}
    over = stage.call("PUT", own["id"], {"properties": sent}, version=API, who="writer")
    taken = stage.call("DELETE", own["id"], version=API, who="writer")

    assert (over.status_code, taken.status_code) == (403, 403)
    assert give(stage, place, role, WRITER, SERVICE).status_code == 403
    assert own["id"].startswith(f"/providers/Microsoft.Management/managementGroups/{TENANT}/")


@pytest.mark.parametrize("role", BROAD)
def test_the_writer_takes_each_broad_role_from_a_service_principal(stage: Stage, place: str, role: str) -> None:
    """At the vault and at a key."""
    for scope in (place, f"{place}/keys/one"):
        made = give(stage, scope, role, READER, SERVICE, who="owner")
        taken = stage.call("DELETE", made.json()["id"], version=API, who="writer")
        assert (made.status_code, taken.status_code) == (201, 200)


@pytest.mark.parametrize(
    ("role", "principal", "kind"),
    [
        (OWNER, READER, SERVICE),
        (CONTRIBUTOR, READER, SERVICE),
        (NARROW, READER, SERVICE),
        (STRICT, READER, SERVICE),
        *((role, PERSON, USER) for role in BROAD),
        (ADMINISTRATOR, TEAM, GROUP),
    ],
)
def test_the_writer_takes_nothing_else(stage: Stage, place: str, role: str, principal: str, kind: str) -> None:
    """It stays where it is."""
    made = give(stage, place, role, principal, kind, who="owner").json()["id"]
    refused = stage.call("DELETE", made, version=API, who="writer")

    assert refused.status_code == 403
    assert stage.call("GET", made, version=API).status_code == 200


@pytest.mark.usefixtures("unconditioned")
def test_it_is_the_condition_that_holds(stage: Stage, place: str) -> None:
    """Without it the same writes pass, every one, and so do the same removals."""
    made = [give(stage, place, *what, number=number) for number, what in enumerate(FORBIDDEN)]
    taken = [stage.call("DELETE", each.json()["id"], version=API, who="writer").status_code for each in made]

    assert [each.status_code for each in made] == [201] * len(FORBIDDEN)
    assert taken == [200] * len(FORBIDDEN)


def build_with(tmp_path: Path, condition: str | None, holder: str = "writer") -> Config:
    """A configuration with one role more, under a condition or none."""
    entry = {"holder": holder, "role": str(FOLDER / "grants.json")}
    if condition is not None:
        (tmp_path / "text").write_text(condition)
        entry["condition"] = str(tmp_path / "text")
    plain = {"tenant": TENANT, "cert": "", "key": "", "identity_header": "", "identities": IDENTITIES}
    return build({**plain, "grants": [entry]})


def test_a_condition_is_optional_and_filled_in(tmp_path: Path) -> None:
    """Names of identities in braces become their principal ids; without a condition a role is simply held."""
    at = "@Request[Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals"
    (bare,) = build_with(tmp_path, None).grants
    (bound,) = build_with(tmp_path, f"{at} {{{{reader}}}}").grants

    assert (bare.holder, bare.role["Name"], bare.condition) == ("writer", "cmkwarden Grants", "")
    assert bound.condition == f"{at} {{{READER}}}"


@pytest.mark.parametrize(("condition", "holder"), [("nonsense", "writer"), ("", "writer"), (None, "nobody")])
def test_a_grant_that_cannot_be_read_stops_the_start(tmp_path: Path, condition: str | None, holder: str) -> None:
    """A bad or empty condition must not become none at all."""
    with pytest.raises((BadCondition, ValueError)):
        build_with(tmp_path, condition, holder)
