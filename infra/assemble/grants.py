"""Which identity may do what with our own storage and telemetry: the least that the app works with, each with its reason."""

from infra.assemble import names
from infra.assemble.arm import Json, identify, resource
from infra.assemble.identities import identity_id, principal

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
    """Return the role assignments. Their names are made of who, where and what: a second deployment finds its own."""
    return [_grant(*grant) for grant in GRANTS]


def _grant(who: str, where: tuple[str, str], role: str, why: str) -> Json:
    place = identify(*where)
    definition = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{ROLES[role]}')"
    return resource(
        "Microsoft.Authorization/roleAssignments",
        f"[guid({place}, {identity_id(who)}, '{ROLES[role]}')]",
        scope=f"[{place}]",
        dependsOn=[f"[{place}]", f"[{identity_id(who)}]"],
        properties={
            "roleDefinitionId": f"[{definition}]",
            "principalId": f"[{principal(who)}]",
            "principalType": "ServicePrincipal",
            "description": f"{role}: {why}",
        },
    )


def of(who: str) -> list[str]:
    """Return the ids of an identity's assignments, for `dependsOn`: an app that starts before them cannot start."""
    return [
        f"[extensionResourceId({identify(*where)}, 'Microsoft.Authorization/roleAssignments', "
        f"guid({identify(*where)}, {identity_id(who)}, '{ROLES[role]}'))]"
        for holder, where, role, _ in GRANTS
        if holder == who
    ]
