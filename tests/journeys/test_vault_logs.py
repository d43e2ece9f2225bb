"""The audit log of a vault through every floor, with exactly the roles of infra/roles: found, agreed to, sent, taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until

ADA, AMIT, DANA = 1, 2, 3
OURS = "/providers/Microsoft.Insights/diagnosticSettings/cmkwarden-audit"
VERSION = "2021-05-01-preview"


@pytest.fixture
def vault(azure: Client) -> str:
    """A protected CMK vault that already has a diagnostic setting of somebody else's, to a storage account."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    at = azure.facts["subscriptions"][0]
    azure.put_group(at, "rg-logs").raise_for_status()
    path = f"/subscriptions/{at}/resourceGroups/rg-logs/providers/Microsoft.KeyVault/vaults/kv-logs"
    own = {"enableSoftDelete": True, "enablePurgeProtection": True, "provisioningState": "Succeeded"}
    theirs = {
        "id": f"{path}/providers/Microsoft.Insights/diagnosticSettings/to-archive",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": "to-archive",
        "properties": {
            "storageAccountId": "/x/st",
            "logs": [{"category": "AuditEvent", "enabled": True}],
            "metrics": [],
        },
    }
    body = {"id": path, "location": "westeurope", "tags": {"cmk-vault": "true"}, "properties": own}
    azure.manage("POST", "/seed", {"resources": [body, theirs]})
    return path


def _row(azure: Client, vault: str, state: str) -> Callable[[], dict[str, Any] | None]:
    def ask() -> dict[str, Any] | None:
        found = azure.app("/api/remediations", target=vault, control="KV-LOGS")["items"]
        return next((row for row in found if row["state"] == state and row["subject"] == ""), None)

    return ask


def _agree(azure: Client, row: dict[str, Any]) -> None:
    """Two people say yes: where the Activity Log names nobody one is not enough."""
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yes = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen", "expires": expires}
    for person in (AMIT, DANA):
        azure.call("POST", f"/api/remediations/{row['id']}/approve", person, body=yes)


@pytest.mark.calm  # it presses once, and a person would press again
def test_the_audit_log_is_sent_after_a_yes_and_taken_back_by_hand(azure: Client, vault: str) -> None:
    """Found, asked, written once under the writer, seen by a read; the other setting stays; the undo is an owner's command."""
    event = {"id": "logs-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": vault, "topic": "/", "data": {}, "dataVersion": "2"}  # fmt: skip
    azure.send_events("on_vault_write", [event]).raise_for_status()
    asked = until(_row(azure, vault, "awaiting_approval"), "the question", 60)
    before = azure.arm("GET", vault + OURS, VERSION).status_code
    _agree(azure, asked)
    ended = until(_row(azure, vault, "resolved"), "the end", 60)
    setting = azure.arm("GET", vault + OURS, VERSION).json()["properties"]
    theirs = azure.arm("GET", vault + OURS.replace("cmkwarden-audit", "to-archive"), VERSION).json()["properties"]

    assert (asked["decision"]["reason"], asked["finding"]["reason"], before) == (
        "NeedsAPerson",
        "AuditLogGoesElsewhere",
        404,
    )
    assert setting["workspaceId"].endswith("/workspaces/log-cmk")
    assert [(it["categoryGroup"], it["enabled"]) for it in setting["logs"]] == [("audit", True)]
    assert theirs["storageAccountId"] == "/x/st"
    assert (ended["verdict"], ended["executor"]) == ("Compliant", azure.facts["identities"]["writer"])
    assert [it["method"] for it in azure.writes(vault + OURS)] == ["PUT"]

    until_ = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    undo = azure.call(
        "POST", f"/api/remediations/{ended['id']}/undo", ADA, body={"comment": "too dear", "until": until_}
    ).json()
    _agree(azure, undo)
    ticket = until(lambda: _seen(azure, undo, "UndoByHand"), "the ticket", 60)
    azure.arm("DELETE", vault + OURS, VERSION).raise_for_status()

    assert ticket["finding"]["evidence"]["proposed"] == [
        f"az monitor diagnostic-settings delete --resource {vault} --name cmkwarden-audit"
    ]


def _seen(azure: Client, row: dict[str, Any], reason: str) -> dict[str, Any] | None:
    now: dict[str, Any] = azure.app(f"/api/remediations/{row['id']}")
    return now if now["decision"]["reason"] == reason else None
