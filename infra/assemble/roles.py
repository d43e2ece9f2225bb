"""infra/arm/roles.json: the custom roles of infra/roles, defined once for all subscriptions that are looked after.

Once, since the name of a custom role is the tenant's: a second definition of the same name is refused, and a second
definition under the same id takes the first one's scopes away.
"""

import json
from pathlib import Path

from infra.assemble.arm import Json, output, parameter, resource, template

FOLDER = Path(__file__).parent.parent / "roles"
KIND = "Microsoft.Authorization/roleDefinitions"
ROLES = ("reader", "writer", "grants", "linked", "key_user")


def file_of(role: str) -> Json:
    """Return a role as it lies in infra/roles."""
    found: Json = json.loads((FOLDER / f"{role}.json").read_text())
    return found


def guid_of(role: str) -> str:
    """Return the expression of a role's id: fixed where the file fixes it, else made of the tenant and the role's name."""
    file = file_of(role)
    return f"'{file['Id']}'" if "Id" in file else f"guid(tenant().tenantId, '{file['Name']}')"


def definition_id(role: str) -> str:
    """Return the expression of what a role assignment in a subscription names."""
    return f"subscriptionResourceId('{KIND}', {guid_of(role)})"


def roles() -> Json:
    """Return the template."""
    parameters = {
        "subscriptions": parameter("array", "Ids of the subscriptions where the roles may be given, beside this one.", default=[]),
    }  # fmt: skip
    scopes = "union(createArray(subscription().id), variables('scopes'))"
    variables = {
        "copy": [
            {
                "name": "scopes",
                "count": "[length(parameters('subscriptions'))]",
                "input": "[format('/subscriptions/{0}', parameters('subscriptions')[copyIndex('scopes')])]",
            }
        ]
    }
    outputs = {f"{role}RoleId": output(definition_id(role)) for role in ROLES}
    return template("subscription", parameters, variables, [_role(role, scopes) for role in ROLES], outputs)


def _role(role: str, scopes: str) -> Json:
    file = file_of(role)
    return resource(
        KIND,
        f"[{guid_of(role)}]" if "Id" not in file else file["Id"],
        properties={
            "roleName": file["Name"],
            "description": file["Description"],
            "type": "CustomRole",
            "permissions": [
                {
                    "actions": file["Actions"],
                    "notActions": file["NotActions"],
                    "dataActions": file["DataActions"],
                    "notDataActions": file["NotDataActions"],
                }
            ],
            "assignableScopes": f"[{scopes}]",
        },
    )
