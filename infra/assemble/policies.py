"""The Azure Policy pack as a template: definitions, the initiative and its assignment, for a subscription or a management group.

The parts are infra/policies (one definition a file), infra/initiative.json and infra/messages.json. Nothing here deploys by
policy, so no assignment has an identity. The definition for managed disks, whose alias nobody could verify, stands alone
with an assignment of its own, and is deployed only when asked for: an alias that does not exist fails a deployment
(Azure/azure-policy#363 shows the refusal, InvalidPolicyAlias).
"""

import json
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

PARTS = Path(__file__).parent.parent
DISKS = "workspace-managed-disk-key"
_PREFIX = "cmkwarden-"  # of every name in Azure; an assignment's may be 24 characters at a management group
_SET = "cmkwarden"
_API = "2025-03-01"
_DEFINITIONS = "Microsoft.Authorization/policyDefinitions"
_SETS = "Microsoft.Authorization/policySetDefinitions"
_ASSIGNMENTS = "Microsoft.Authorization/policyAssignments"
_SCHEMAS = "https://schema.management.azure.com/schemas"
_TYPES = {"String": "string", "Array": "array", "Boolean": "bool", "Integer": "int"}
_OWN: Json = {
    "enforcementMode": {
        "type": "string",
        "defaultValue": "Default",
        "allowedValues": ["Default", "DoNotEnforce"],
        "metadata": {"description": "DoNotEnforce: nothing is refused, whatever the effects say; compliance is shown."},
    },
    "notScopes": {
        "type": "array",
        "defaultValue": [],
        "metadata": {"description": "Ids of groups, subscriptions or resources that are left out altogether."},
    },
    "managedDisks": {
        "type": "bool",
        "defaultValue": False,
        "metadata": {
            "description": "Deploys the definition for managed disks too. Its alias is unverified: see docs/policies.md."
        },
    },
}


def subscription() -> Json:
    """Return the template for one subscription."""
    schema = f"{_SCHEMAS}/2018-05-01/subscriptionDeploymentTemplate.json#"
    return _template(schema, "subscriptionResourceId('{kind}', '{name}')")


def group() -> Json:
    """Return the template for a management group: its subscriptions, and those that come later."""
    schema = f"{_SCHEMAS}/2019-08-01/managementGroupDeploymentTemplate.json#"
    return _template(schema, "extensionResourceId(managementGroup().id, '{kind}', '{name}')")


def definitions() -> dict[str, Json]:
    """Return every definition of ours, by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((PARTS / "policies").glob("*.json"))}


def initiative() -> Json:
    """Return the initiative as it is written: members of ours are named by the file of their definition."""
    return _part("initiative.json")


def messages() -> dict[str, Json]:
    """Return the control of every member of the initiative and of the disks' definition, and what people read of it.

    Members of a data plane have no sentence: Azure refuses an assignment that has one for them (Azure/alzlib#243).
    """
    return _part("messages.json")


def literal(value: Any) -> Any:
    """Return a value that Resource Manager leaves as it is: a text that it would evaluate gets a second bracket in front."""
    if isinstance(value, dict):
        return {name: literal(it) for name, it in value.items()}
    if isinstance(value, list):
        return [literal(it) for it in value]
    is_expression = isinstance(value, str) and value.startswith("[") and value.endswith("]")
    return f"[{value}" if is_expression else value


def _part(name: str) -> Json:
    found: Json = json.loads((PARTS / name).read_text())
    return found


def _template(schema: str, pattern: str) -> Json:
    def ident(kind: str, name: str) -> str:
        return f"[{pattern.format(kind=kind, name=name)}]"

    asked = "[parameters('managedDisks')]"
    ours = definitions()
    resources = [_definition(name, it, {"condition": asked} if name == DISKS else {}) for name, it in ours.items()]
    in_set = [ident(_DEFINITIONS, _PREFIX + name) for name in ours if name != DISKS]
    whole, disks = ident(_SETS, _SET), ident(_DEFINITIONS, _PREFIX + DISKS)
    resources += [
        {**_resource(_SETS, _SET, {}), "dependsOn": in_set, "properties": _set(ident)},
        {
            **_resource(_ASSIGNMENTS, _SET, {}),
            "dependsOn": [whole],
            "properties": _assignment(whole, initiative()["displayName"], list(initiative()["parameters"]), _said()),
        },
        {
            **_resource(_ASSIGNMENTS, f"{_SET}-disks", {"condition": asked}),
            "dependsOn": [disks],
            "properties": _assignment(
                disks,
                ours[DISKS]["displayName"],
                [name for name in ours[DISKS]["parameters"] if name != "effect"],
                [{"message": messages()["managedDiskKey"]["message"]}],
            ),
        },
    ]
    return {
        "$schema": schema,
        "contentVersion": "1.0.0.0",
        "metadata": {"description": "What Azure Policy can see of what cmkwarden keeps. Made by infra/build.py."},
        "parameters": {**_OWN, **{name: _parameter(it) for name, it in initiative()["parameters"].items()}},
        "resources": resources,
        "outputs": {"initiative": {"type": "string", "value": whole}},
    }


def _resource(kind: str, name: str, more: Json) -> Json:
    return {**more, "type": kind, "apiVersion": _API, "name": name}


def _definition(name: str, body: Json, more: Json) -> Json:
    return {**_resource(_DEFINITIONS, _PREFIX + name, more), "properties": {"policyType": "Custom", **literal(body)}}


def _set(ident: Any) -> Json:
    body = literal(initiative())
    for member in body["policyDefinitions"]:
        if "/" not in member["policyDefinitionId"]:
            member["policyDefinitionId"] = ident(_DEFINITIONS, _PREFIX + member["policyDefinitionId"])
    return {"policyType": "Custom", **body}


def _said() -> list[Json]:
    references = [it["policyDefinitionReferenceId"] for it in initiative()["policyDefinitions"]]
    told = {it: messages()[it] for it in references}
    return [
        {"policyDefinitionReferenceId": it, "message": said["message"]}
        for it, said in told.items()
        if "message" in said
    ]


def _assignment(of: str, title: str, parameters: list[str], said: list[Json]) -> Json:
    return {
        "displayName": title,
        "policyDefinitionId": of,
        "enforcementMode": "[parameters('enforcementMode')]",
        "notScopes": "[parameters('notScopes')]",
        "parameters": {name: {"value": f"[parameters('{name}')]"} for name in parameters},
        "nonComplianceMessages": said,
    }


def _parameter(of: Json) -> Json:
    """Return the parameter of the template that is handed on to one of the initiative."""
    told = {"metadata": {"description": f"{of['metadata']['displayName']}. {of['metadata']['description']}"}}
    chosen = {"allowedValues": of["allowedValues"]} if "allowedValues" in of else {}
    return {"type": _TYPES[of["type"]], "defaultValue": of["defaultValue"], **chosen, **told}
