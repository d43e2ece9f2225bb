"""A step that sends a vault's audit log to a Log Analytics workspace, by a diagnostic setting of our own name (AZURE 8.1).

Nobody else's setting is touched. A PUT replaces a setting whole, so that one under our name that also sends elsewhere is
left to people: remediators see to that.
"""

from shared.core import ids
from shared.core.facts.logs import LogSetting
from shared.core.facts.vault import Vault
from shared.core.ids import ResourceId
from shared.core.steps import Request, Step

SEND = "logs.send"
NAME = "cmkwarden-audit"
PATH = f"/providers/Microsoft.Insights/diagnosticSettings/{NAME}"


def send(vault: Vault, workspace: ResourceId, now: LogSetting | None) -> Step:
    """Send the audit log to a workspace. `now` is the setting that lies under our name."""
    return Step(
        kind=SEND,
        resource=str(vault.id),
        before=dict(now.raw) if now else {},
        after={
            "name": NAME,
            "workspaceId": str(workspace),
            "logAnalyticsDestinationType": "Dedicated",  # the table AZKVAuditLogs
            "logs": [{"categoryGroup": "audit", "enabled": True}],
        },
        permission="Microsoft.Insights/diagnosticSettings/write",
        note="Log Analytics bills what it takes in; who may read the workspace sees who used which key",
    )


def send_request(step: Step) -> Request:
    """PUT the setting below its vault."""
    body = {"properties": {name: value for name, value in step.after.items() if name != "name"}}
    return Request("PUT", str(ids.parse(step.resource)), body, PATH)
