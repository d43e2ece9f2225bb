"""Where logs go: one Log Analytics workspace, Application Insights on it, and the audit of our own storage."""

from infra.assemble import names
from infra.assemble.arm import Json, identify, resource

_WORKSPACE, _COMPONENT = "Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"
# What of our own storage is audited. Reads of queues and tables are the app's polling, thousands an hour: they say nothing.
AUDITED = (
    (names.STATE, "blob", ("StorageRead", "StorageWrite", "StorageDelete")),
    (names.STATE, "queue", ("StorageWrite",)),
    (names.STATE, "table", ("StorageWrite", "StorageDelete")),
    (names.HAND_ACCOUNT, "blob", ("StorageWrite", "StorageDelete")),
)


def resources() -> list[Json]:
    """Return the workspace, the component and the diagnostic settings."""
    return [workspace(), component(), *(_audit(*it) for it in AUDITED)]


def workspace() -> Json:
    """Return the workspace. Nobody writes to it with a key."""
    return resource(
        _WORKSPACE,
        f"[{names.WORKSPACE}]",
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        properties={
            "sku": {"name": "PerGB2018"},
            "retentionInDays": "[parameters('retentionDays')]",
            "features": {"disableLocalAuth": True, "enableLogAccessUsingOnlyResourcePermissions": True},
        },
    )


def component() -> Json:
    """Return Application Insights. Its connection string is no secret: without a role nothing is taken from anybody."""
    return resource(
        _COMPONENT,
        f"[{names.COMPONENT}]",
        location="[parameters('location')]",
        tags="[parameters('tags')]",
        kind="web",
        dependsOn=[f"[{identify(_WORKSPACE, names.WORKSPACE)}]"],
        properties={
            "Application_Type": "web",
            "DisableLocalAuth": True,
            "IngestionMode": "LogAnalytics",
            "WorkspaceResourceId": f"[{identify(_WORKSPACE, names.WORKSPACE)}]",
        },
    )


def _audit(account: str, service: str, categories: tuple[str, ...]) -> Json:
    place = identify(f"Microsoft.Storage/storageAccounts/{service}Services", account, "'default'")
    return resource(
        "Microsoft.Insights/diagnosticSettings",
        "cmkwarden-own",
        scope=f"[{place}]",
        dependsOn=[f"[{place}]", f"[{identify(_WORKSPACE, names.WORKSPACE)}]"],
        properties={
            "workspaceId": f"[{identify(_WORKSPACE, names.WORKSPACE)}]",
            "logs": [{"category": category, "enabled": True} for category in categories],
        },
    )


WORKSPACE_ID = identify(_WORKSPACE, names.WORKSPACE)
COMPONENT_ID = identify(_COMPONENT, names.COMPONENT)
