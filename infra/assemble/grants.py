"""Which identity may do what with our own storage and telemetry: the least that the app works with, each with its reason."""

from infra.assemble import names
from infra.assemble.arm import Json, identify, parameter, resource, template
from infra.assemble.identities import identity_id, principal
from infra.assemble.nest import KIND as NESTED
from infra.assemble.nest import nested

# Azure's own roles (AZURE 3.1; Monitoring Metrics Publisher: the list of built-in roles).
ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
}
_ACCOUNT, _COMPONENT = "Microsoft.Storage/storageAccounts", "Microsoft.Insights/components"
# who, where, which role, why
GRANTS = (
    ("front", (_ACCOUNT, names.STATE), "Storage Blob Data Owner", "the host's locks and keys, the package of front, the dead letters"),
    ("front", (_ACCOUNT, names.STATE), "Storage Queue Data Contributor", "takes messages, sends them, makes poison queues"),
    ("front", (_ACCOUNT, names.STATE), "Storage Table Data Contributor", "the records"),
    ("hand", (_ACCOUNT, names.HAND_ACCOUNT), "Storage Blob Data Owner", "the host's locks and keys, the package of hand"),
    ("hand", (_ACCOUNT, names.STATE), "Storage Queue Data Contributor", "takes from apply, sends to evaluate and notify"),
    ("hand", (_ACCOUNT, names.STATE), "Storage Table Data Contributor", "the records"),
    ("front", (_COMPONENT, names.COMPONENT), "Monitoring Metrics Publisher", "sends its logs without a key"),
    ("hand", (_COMPONENT, names.COMPONENT), "Monitoring Metrics Publisher", "sends its logs without a key"),
)  # fmt: skip


def resources() -> list[Json]:
    """Return the deployment that gives the roles: within it object ids are parameters, so that names can be made of them.

    An identity that was made anew is another principal under the same name. Azure moves no assignment to another principal
    (RoleAssignmentUpdateNotPermitted), so the name must change with it.
    """
    after = [*(identify(*place) for place in _PLACES.values()), *(identity_id(who) for who in _HOLDERS)]
    return [nested(_NAME, _inner(), _offers(), dependsOn=[f"[{it}]" for it in after])]


def given() -> str:
    """Return the id of that deployment, for `dependsOn`: an app that starts before its roles are given cannot start."""
    return f"[{identify(NESTED, f"'{_NAME}'")}]"


_NAME = "cmkwarden-grants"
_HOLDERS = tuple(dict.fromkeys(who for who, _, _, _ in GRANTS))
_PLACES = {"stateId": (_ACCOUNT, names.STATE), "handAccountId": (_ACCOUNT, names.HAND_ACCOUNT), "componentId": (_COMPONENT, names.COMPONENT)}  # fmt: skip


def _offers() -> dict[str, str]:
    return {
        **{name: identify(*place) for name, place in _PLACES.items()},
        **{f"{who}PrincipalId": principal(who) for who in _HOLDERS},
    }


def _inner() -> Json:
    parameters = {name: parameter("string", "Id of a resource, or object id of an identity.") for name in _offers()}
    return template("group", parameters, {}, [_grant(*grant) for grant in GRANTS], {})


def _grant(who: str, where: tuple[str, str], role: str, why: str) -> Json:
    place = next(f"parameters('{name}')" for name, it in _PLACES.items() if it == where)
    holder = f"parameters('{who}PrincipalId')"
    definition = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{ROLES[role]}')"
    return resource(
        "Microsoft.Authorization/roleAssignments",
        f"[guid({place}, {holder}, '{ROLES[role]}')]",
        scope=f"[{place}]",
        properties={
            "roleDefinitionId": f"[{definition}]",
            "principalId": f"[{holder}]",
            "principalType": "ServicePrincipal",
            "description": f"{role}: {why}",
        },
    )
