"""infra/arm/linked.json: the right that Azure asks of the writer at one network, access connector or log workspace."""

from infra.assemble.arm import Json, parameter, resource, template
from infra.assemble.roles import definition_id, guid_of


def linked() -> Json:
    """Return the template, for the resource group of that resource."""
    parameters = {
        "resourceId": parameter("string", "Id of the network, the access connector or the Log Analytics workspace."),
        "writerPrincipalId": parameter("string", "Object id of the writer: output writerPrincipalId of app.json."),
    }
    assignment = resource(
        "Microsoft.Authorization/roleAssignments",
        f"[guid(parameters('resourceId'), parameters('writerPrincipalId'), {guid_of('linked')})]",
        scope="[parameters('resourceId')]",
        properties={
            "roleDefinitionId": f"[{definition_id('linked')}]",
            "principalId": "[parameters('writerPrincipalId')]",
            "principalType": "ServicePrincipal",
            "description": "cmkwarden writes workspaces and diagnostic settings that name this resource",
        },
    )
    return template("group", parameters, {}, [assignment], {})
