"""infra/arm/subscription.json: what each subscription that is looked after needs: rights of our identities, and events."""

from infra.assemble.arm import Json, guarded, parameter, resource, template
from infra.assemble.events import PARAMETERS as OF_EVENTS
from infra.assemble.events import SUBSCRIPTIONS, events
from infra.assemble.nest import nested, offered
from infra.assemble.roles import FOLDER, definition_id, guid_of

PARAMETERS: Json = {
    "location": parameter("string", "Region of the resource group of the topic. The topic itself is global.", default="[deployment().location]"),
    "topicGroup": parameter("string", "Resource group of the system topic: made here, unless the topic exists.", default="rg-cmkwarden-events"),
    "readerPrincipalId": parameter("string", "Object id of the reader: output of app.json."),
    "writerPrincipalId": parameter("string", "Object id of the writer: output of app.json."),
    "writes": parameter("bool", "True: the writer may write in this subscription. False: cmkwarden only looks.", default=False),
    "narrows": parameter("bool", "True: the writer may also give and take roles, under the condition of infra/roles/grants.condition.", default=False),
    "databricksPrincipalId": parameter("string", "Object id of AzureDatabricks in this tenant; without it nothing is narrowed.", default=""),
    **OF_EVENTS,
}  # fmt: skip
_GIVEN = {
    "reader": ("readerPrincipalId", "true", "cmkwarden reads what it judges"),
    "writer": ("writerPrincipalId", "parameters('writes')", "cmkwarden writes what was decided"),
    "grants": (
        "writerPrincipalId",
        # It becomes part of the condition: what is no id, or could end the braces around it, gives no right at all.
        "and(parameters('narrows'), equals(length(parameters('databricksPrincipalId')), 36), not(contains(parameters('databricksPrincipalId'), '}')))",
        "cmkwarden gives and takes roles, under a condition that says which",
    ),
}


def subscription() -> Json:
    """Return the template."""
    variables = {"condition": (FOLDER / "grants.condition").read_text()}
    inner = events(SUBSCRIPTIONS, "[subscription().id]", "global", {})
    group = resource(
        "Microsoft.Resources/resourceGroups",
        "[parameters('topicGroup')]",
        **guarded("not(parameters('topicExists'))", {}),
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        properties={},
    )
    deployment = nested(
        "[parameters('topicName')]",
        inner,
        offered(inner),
        resourceGroup="[parameters('topicGroup')]",
        dependsOn=["[subscriptionResourceId('Microsoft.Resources/resourceGroups', parameters('topicGroup'))]"],
    )
    return template("subscription", PARAMETERS, variables, [*(_given(role) for role in _GIVEN), group, deployment], {})


def _given(role: str) -> Json:
    who, is_wanted, why = _GIVEN[role]
    properties: Json = {
        "roleDefinitionId": f"[{definition_id(role)}]",
        "principalId": f"[parameters('{who}')]",
        "principalType": "ServicePrincipal",
        "description": why,
    }
    if role == "grants":
        filled = "replace(variables('condition'), '{azure_databricks}', parameters('databricksPrincipalId'))"
        properties |= {"condition": f"[{filled}]", "conditionVersion": "2.0"}
    return resource(
        "Microsoft.Authorization/roleAssignments",
        f"[guid(subscription().id, parameters('{who}'), {guid_of(role)})]",
        **(guarded(is_wanted, {}) if is_wanted != "true" else {}),
        properties=properties,
    )
