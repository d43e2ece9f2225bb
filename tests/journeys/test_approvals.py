"""Approvals through every floor: an exemption asked for, given and ended, and the plan that somebody did not see."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until

ADA, AMIT, DANA = 1, 2, 3
TAGS = {"cmk-vault": "true", "environment": "sandbox"}


@pytest.fixture
def row(azure: Client) -> dict[str, Any]:
    """A vault of a sandbox that is not protected: people are asked."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    at = azure.facts["subscriptions"][0]
    azure.put_group(at, "rg-approvals").raise_for_status()
    vault = f"/subscriptions/{at}/resourceGroups/rg-approvals/providers/Microsoft.KeyVault/vaults/kv-sandbox"
    azure.put_vault(vault, TAGS).raise_for_status()
    found: dict[str, Any] = until(lambda: _in(azure, azure.row(vault), "awaiting_approval"), "the question", 60)
    return found


def _in(azure: Client, row: dict[str, Any] | None, *states: str) -> dict[str, Any] | None:
    if row is None:
        return None
    now: dict[str, Any] = azure.app(f"/api/remediations/{row['id']}")
    return now if now["state"] in states else None


def _later(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def _yes(row: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"fingerprint": row["plan"]["fingerprint"], "comment": "seen", "expires": _later(1), **changed}


@pytest.mark.calm  # it presses once, and a person would press again
def test_an_exemption_from_the_wish_to_its_end(azure: Client, row: dict[str, Any]) -> None:
    """Asked for by one and approved by another it suppresses the finding; ended by one, people are asked again."""
    wish = azure.call(
        "POST", "/api/exemptions", ADA, body={"remediation": row["id"], "reason": "gone in May", "until": _later(30)}
    ).json()
    own = azure.call("POST", f"/api/remediations/{wish['id']}/approve", ADA, body=_yes(wish))
    for person in (AMIT, DANA):  # the second where the Activity Log names nobody
        azure.call("POST", f"/api/remediations/{wish['id']}/approve", person, body=_yes(wish))
    until(lambda: _in(azure, wish, "resolved"), "the exemption", 60)
    exempt = azure.app(f"/api/remediations/{row['id']}")
    again = azure.call("POST", f"/api/remediations/{row['id']}/approve", AMIT, body=_yes(row))
    ended = azure.call("DELETE", f"/api/exemptions/{row['id']}", AMIT)
    until(lambda: _in(azure, row, "awaiting_approval"), "the question again", 60)

    assert (own.status_code, own.json()["reason"]) == (409, "OwnRequest")
    assert (exempt["state"], exempt["exemption"]["reason"], exempt["history_intact"]) == (
        "suppressed",
        "gone in May",
        True,
    )
    assert (again.status_code, again.json()["reason"]) == (409, "Exempted")
    assert (ended.status_code, ended.json()["exemption"]) == (200, None)


@pytest.mark.calm
def test_a_plan_that_nobody_saw_is_refused_with_the_difference(azure: Client, row: dict[str, Any]) -> None:
    """The problem document names both fingerprints; what is not queued cannot be cancelled."""
    stale = azure.call("POST", f"/api/remediations/{row['id']}/approve", ADA, body=_yes(row, fingerprint="f" * 32))
    idle = azure.call("POST", f"/api/remediations/{row['id']}/cancel", ADA, body={"comment": "stop"})

    assert (stale.status_code, stale.json()["reason"]) == (409, "AnotherPlan")
    assert stale.json()["difference"] == {
        "seen": "f" * 32, "now": row["plan"]["fingerprint"], "came": None, "went": None,
    }  # fmt: skip
    assert (idle.status_code, idle.json()["reason"]) == (409, "NothingToCancel")
