"""Conditions of role assignments: what they allow, and that nothing else is let through."""

import json
from pathlib import Path

import pytest

from simulator.arm.abac import BadCondition, Facts, parse
from simulator.arm.rights import condition

WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"
USER_ROLE = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
AT = "Microsoft.Authorization/roleAssignments"
# The template of AZURE 3.3 (Microsoft's "Constrain roles and principal types").
TEMPLATE = (
    f"((!(ActionMatches{{'{WRITE}'}})) OR (@Request[{AT}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{USER_ROLE}}} "
    f"AND @Request[{AT}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))\nAND\n"
    f"((!(ActionMatches{{'{DELETE}'}})) OR (@Resource[{AT}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals "
    f"{{{OFFICER}, 12338af0-0e69-4776-bea7-57ae8d297424}} AND @Resource[{AT}:PrincipalType] "
    "ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
)


def assignment(role: str = USER_ROLE, kind: str = "ServicePrincipal", principal: str = "") -> dict[str, str]:
    """The attributes of one assignment; empty ones are not there."""
    held = {"roledefinitionid": role, "principaltype": kind, "principalid": principal}
    return {name: value for name, value in held.items() if value}


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        (Facts(WRITE, request=assignment()), True),
        (Facts(WRITE.lower(), request=assignment(USER_ROLE.replace("-", "").upper(), "SERVICEPRINCIPAL")), True),
        (Facts(WRITE, request=assignment(OFFICER)), False),
        (Facts(WRITE, request=assignment(kind="User")), False),
        (Facts(WRITE, request=assignment(kind="")), None),
        (Facts(WRITE, resource=assignment()), None),
        (Facts(DELETE, resource=assignment(OFFICER)), True),
        (Facts(DELETE, resource=assignment(USER_ROLE)), False),
        (Facts(DELETE), None),
        (Facts("Microsoft.KeyVault/vaults/read"), True),
    ],
)
def test_the_template_constrains_roles_and_types(facts: Facts, held: bool | None) -> None:
    """Writing is judged by what is sent, deleting by what is stored; an absent attribute leaves it open."""
    assert parse(TEMPLATE)(facts) is held


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (f"@Request[{AT}:PrincipalType] StringEquals 'User'", False),
        (f"@Request[{AT}:PrincipalType] StringEquals 'ServicePrincipal'", True),
        (f"@Request[{AT}:PrincipalType] StringEquals 'serviceprincipal'", False),
        (f"@Request[{AT}:PrincipalType] StringNotEqualsIgnoreCase 'user'", True),
        (f"@Request[{AT}:PrincipalType] StringLike 'Service*'", True),
        (f"@Request[{AT}:PrincipalType] stringstartswithignorecase 'SERVICE'", True),
        (f"@Request[{AT}:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{OWNER}, {OFFICER}}}", True),
        (f"@Request[{AT}:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{OWNER}, {USER_ROLE}}}", False),
        (f"@Request[{AT}:RoleDefinitionId] ForAnyOfAnyValues:GuidNotEquals {{{OWNER}, {USER_ROLE}}}", True),
        (f"!(@Request[{AT}:RoleDefinitionId] GuidEquals {OWNER})", True),
        # A negation of something unknown must not open the door.
        (f"!(@Request[{AT}:PrincipalId] GuidEquals {OWNER})", None),
        (f"!(@Resource[{AT}:RoleDefinitionId] GuidEquals {OWNER})", None),
        # AND binds closer than OR, in signs as in letters.
        ("ActionMatches{'a'} && ActionMatches{'a'} || ActionMatches{'Microsoft.Authorization/*'}", True),
        ("ActionMatches{'*'} OR ActionMatches{'a'} AND ActionMatches{'a'}", True),
        ("!ActionMatches {'Microsoft.Authorization/roleAssignments/write'}", False),
        ("ActionMatches{'microsoft.authorization/ROLEASSIGNMENTS/*'}", True),
    ],
)
def test_operators_quantifiers_and_precedence(text: str, held: bool | None) -> None:
    """Each against one assignment of the encryption role to a service principal."""
    assert parse(text)(Facts(WRITE, request=assignment())) is held


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true",
        "(ActionMatches{'a'}",
        "ActionMatches{'a'})",
        "ActionMatches{'a'} ActionMatches{'b'}",
        "ActionMatches{'a'",
        "ActionMatches{}",
        "ActionMatches 'a'",
        "SubOperationMatches{'Blob.List'}",
        "Exists @Request[Microsoft.Authorization/roleAssignments:PrincipalId]",
        "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'x'",
        "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:a_b] StringEquals 'x'",
        f"@Environment[{AT}:PrincipalId] GuidEquals {OWNER}",
        f"@Request[{AT}:Condition] StringEquals 'x'",
        f"@Request[{AT}:RoleDefinitionId] StringEquals '{OWNER}'",
        f"@Request[{AT}:PrincipalType] GuidEquals {OWNER}",
        f"@Request[{AT}:RoleDefinitionId] GuidEquals {{{OWNER}, {OFFICER}}}",
        f"@Request[{AT}:RoleDefinitionId] ForSome:GuidEquals {{{OWNER}}}",
        f"@Request[{AT}:RoleDefinitionId] GuidEquals @Resource[{AT}:RoleDefinitionId]",
        f"@Request[{AT}:RoleDefinitionId] GuidEquals",
        "ActionMatches{'a'} OR",
        "ActionMatches{'a'} $ ActionMatches{'b'}",
        "(" * 4000 + "ActionMatches{'a'}" + ")" * 4000,
        "!" * 4000 + "ActionMatches{'a'}",
        "ActionMatches{'" + "a" * 9000 + "'}",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """And where such a text is stored already, it lets nobody pass."""
    with pytest.raises(BadCondition):
        parse(text)
    stored = condition(text)
    assert stored is None if not text else stored is not None and stored(Facts(WRITE, request=assignment())) is False


def test_recorded_conditions_are_understood(reference: Path) -> None:
    """Of all conditions of recorded built-in roles only those that ask about anything but assignments are refused."""
    texts = set()
    for line in (reference / "arm_traffic/role_definitions.jsonl").read_text().splitlines():
        answer = json.loads(line)["response_body"]
        for role in answer.get("value", [answer]):
            texts |= {each["condition"] for each in role["properties"]["permissions"] if each.get("condition")}
    refused = set()
    for text in texts:
        try:
            parse(text)
        except BadCondition:
            refused.add(text)

    foreign = ("@Principal[", "@Subject.", "@Resource[Id]", "@Resource[HasObotoken]")
    assert len(texts) > 20
    assert all(any(word in text for word in foreign) for text in refused), refused
