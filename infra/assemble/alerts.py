"""Puts infra/arm/alerts.json together: rules on both logs, on the Activity Log, whom they call, and the workbook.

One deployment in the resource group of the service. Queries lie in infra/alerts and infra/workbook, a file each; what is
known only at deployment stands in them as `{name}`. Azure has two limits that shape all this: a rule sees two days at
most, and the alerts on the Activity Log see the subscription they lie in.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.assemble.workbook import workbook

HERE = Path(__file__).parent.parent / "alerts"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
# Placeholder in a query -> the expression of what stands there.
_FILLED = {
    "{ownPrincipals}": "join(parameters('ownPrincipals'), ',')",
    "{expectedPrincipals}": "join(parameters('expectedPrincipals'), ',')",
    "{operationsPerDay}": "string(parameters('operationsPerDay'))",
}
_PARAMETERS: Mapping[str, tuple[str, object, str]] = {
    "workspace": ("string", None, "the Log Analytics workspace that the service's Application Insights writes to (id)"),
    "auditWorkspace": (
        "string",
        "[parameters('workspace')]",
        "the one that vaults send their audit log to: CMK_LOG_WORKSPACE (id)",
    ),
    "ownPrincipals": ("array", None, "object ids of the identities reader and writer"),
    "expectedPrincipals": ("array", [], "object ids of people and programs that may use keys besides the workspaces"),
    "mails": ("array", [], "addresses that are written to"),
    "actionGroups": ("array", [], "ids of action groups that there are already, called as well"),
    "operationsPerDay": ("int", 1_000_000, "billed operations of one vault in a day above which somebody is told"),
    "location": ("string", "[resourceGroup().location]", "where the rules live; that of the workspaces"),
    "tags": ("object", {}, "on everything that is made"),
}


def alerts() -> dict[str, object]:
    """Return the template."""
    found = rules()
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "metadata": {"description": "Alerts and the workbook of cmkwarden. Made by infra/build.py: edit its parts."},
        "parameters": {name: _parameter(*row) for name, row in _PARAMETERS.items()},
        "variables": {
            "group": "[resourceId('Microsoft.Insights/actionGroups', 'cmkwarden')]",
            "groups": "[concat(createArray(variables('group')), parameters('actionGroups'))]",
            "lines": "[format('workspace(\"{0}\").AppTraces', parameters('workspace'))]",
            "queries": {name: query(name, rule["sources"]) for name, rule in found.items()},
            "workbook": workbook(source),
        },
        "resources": [
            _group(),
            *(_rule(name, rule) for name, rule in found.items()),
            *_activity(),
            _workbook(),
        ],
        "outputs": {"actionGroup": {"type": "string", "value": "[variables('group')]"}},
    }


def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return what infra/alerts/alerts.json says of each query, by its name."""
    found: Mapping[str, Mapping[str, Any]] = json.loads((HERE / "alerts.json").read_text())
    return found


def query(name: str, sources: Sequence[str]) -> str:
    """Return a whole query: what it stands on, then itself. Placeholders are left as they are."""
    return "".join([*(source(it) for it in sources), (HERE / f"{name}.kql").read_text()]).rstrip()


def source(name: str) -> str:
    """Return the `let` that makes rows of a log."""
    return (HERE / "sources" / f"{name}.kql").read_text()


def _parameter(kind: str, default: object, says: str) -> dict[str, object]:
    fallback = {} if default is None else {"defaultValue": default}
    return {"type": kind, **fallback, "metadata": {"description": says}}


def _group() -> dict[str, object]:
    receiver = {
        "name": "[format('mail{0}', copyIndex('emailReceivers'))]",
        "emailAddress": "[parameters('mails')[copyIndex('emailReceivers')]]",
        "useCommonAlertSchema": True,
    }
    copy = {"name": "emailReceivers", "count": "[length(parameters('mails'))]", "input": receiver}
    return {
        "type": "Microsoft.Insights/actionGroups",
        "apiVersion": "2023-01-01",
        "name": "cmkwarden",
        "location": "global",
        "tags": "[parameters('tags')]",
        "properties": {"groupShortName": "cmkwarden", "enabled": True, "copy": [copy]},
    }


def _rule(name: str, it: Mapping[str, Any]) -> dict[str, object]:
    is_audit = it["log"] == "audit"
    criterion = {
        "query": _filled(name, it, is_audit=is_audit),
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": it.get("threshold", 0),
        "dimensions": [{"name": column, "operator": "Include", "values": ["*"]} for column in it["split"]],
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    return {
        "type": "Microsoft.Insights/scheduledQueryRules",
        "apiVersion": "2023-12-01",
        "name": f"cmkwarden-{name}",
        "location": "[parameters('location')]",
        "tags": "[parameters('tags')]",
        "kind": "LogAlert",
        "properties": {
            "displayName": f"cmkwarden: {it['title']}",
            "description": f"{it['says']} What to do: docs/alerts.md, {name}.",
            "severity": it["severity"],
            "enabled": True,
            "scopes": [f"[parameters('{'auditWorkspace' if is_audit else 'workspace'}')]"],
            "evaluationFrequency": it["every"],
            "windowSize": it["window"],
            **({"overrideQueryTimeRange": it["looks"]} if "looks" in it else {}),
            **({"muteActionsDuration": it["mute"]} if "mute" in it else {}),
            "autoMitigate": it.get("resolves", False),
            # A table is there only once something was sent to it: a query may not have to wait for that.
            "skipQueryValidation": True,
            "criteria": {"allOf": [criterion]},
            "actions": {"actionGroups": "[variables('groups')]"},
        },
        "dependsOn": ["[variables('group')]"],
    }


def _filled(name: str, it: Mapping[str, Any], *, is_audit: bool) -> str:
    """Return the expression of a query. On the log of vaults, that of the service is another workspace's."""
    text, whole = f"variables('queries').{name}", query(name, it["sources"])
    if is_audit and "lines" in it["sources"]:
        text = f"replace({text}, 'AppTraces', variables('lines'))"
    for mark, value in _FILLED.items():
        if mark in whole:
            text = f"replace({text}, '{mark}', {value})"
    return f"[{text}]"


def _activity() -> Iterator[dict[str, object]]:
    for name, it in json.loads((HERE / "activity.json").read_text()).items():
        terms = {"category": "Administrative", "operationName": it["operation"], "status": "Succeeded"}
        called = {"actionGroupId": "[variables('groups')[copyIndex('actionGroups')]]"}
        yield {
            "type": "Microsoft.Insights/activityLogAlerts",
            "apiVersion": "2020-10-01",
            "name": f"cmkwarden-{name}",
            "location": "global",
            "tags": "[parameters('tags')]",
            "properties": {
                "description": f"{it['says']} What to do: docs/alerts.md, {name}.",
                "enabled": True,
                "scopes": ["[subscription().id]"],
                "condition": {"allOf": [{"field": field, "equals": value} for field, value in terms.items()]},
                "actions": {
                    "copy": [
                        {"name": "actionGroups", "count": "[length(variables('groups'))]", "input": called},
                    ]
                },
            },
            "dependsOn": ["[variables('group')]"],
        }


def _workbook() -> dict[str, object]:
    return {
        "type": "Microsoft.Insights/workbooks",
        "apiVersion": "2023-06-01",
        "name": "[guid(resourceGroup().id, 'cmkwarden-workbook')]",
        "location": "[parameters('location')]",
        "tags": "[parameters('tags')]",
        "kind": "shared",
        "properties": {
            "displayName": "cmkwarden",
            "category": "workbook",
            "sourceId": "[parameters('workspace')]",
            "version": "Notebook/1.0",
            "serializedData": "[string(variables('workbook'))]",
        },
    }
