"""The words that every template is made of: api-versions, the empty template, a resource, the id of one."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

# One version a type, the newest that Azure's published schemas know and that is no preview, where there is one.
VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/roleDefinitions": "2022-04-01",
    "Microsoft.Consumption/budgets": "2024-08-01",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Resources/deployments": "2025-04-01",
    "Microsoft.Resources/resourceGroups": "2025-04-01",
    "Microsoft.Storage/storageAccounts": "2025-06-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
}
SCHEMAS = {
    "group": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "subscription": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
    "management group": "https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#",
}


def template(scope: str, parameters: Json, variables: Json, resources: list[Json], outputs: Json) -> Json:
    """Return a whole template for a resource group, a subscription or a management group."""
    return {
        "$schema": SCHEMAS[scope],
        "contentVersion": "1.0.0.0",
        "parameters": parameters,
        **({"variables": variables} if variables else {}),
        "resources": resources,
        "outputs": outputs,
    }


def parameter(kind: str, meaning: str, **more: Any) -> Json:
    """Return a parameter: `meaning` is what the portal shows beside it. `default` and `allowed` as they are."""
    found: Json = {"type": kind}
    if "allowed" in more:
        found["allowedValues"] = more["allowed"]
    if "default" in more:
        found["defaultValue"] = more["default"]
    return {**found, "metadata": {"description": meaning}}


def resource(kind: str, name: str, /, **fields: Any) -> Json:
    """Return a resource of a kind, in the one api-version that we use of it."""
    return {"type": kind, "apiVersion": VERSIONS["/".join(kind.split("/")[:2])], "name": name, **fields}


def identify(kind: str, *names: str) -> str:
    """Return the expression, without its brackets, of the id of a resource of this template."""
    return f"resourceId('{kind}', {', '.join(names)})"


def output(value: str, kind: str = "string") -> Json:
    """Return an output; `value` is an expression without its brackets."""
    return {"type": kind, "value": f"[{value}]"}


def guarded(is_wanted: str, fields: Mapping[str, Any]) -> Json:
    """Return fields of a resource under a condition, an expression without its brackets."""
    return {"condition": f"[{is_wanted}]", **fields}
