"""A vault deleted by a person, through every floor and with exactly the roles of infra/roles: told, agreed to, back with its grants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from simulator.client import Client, until
from tests.estate import ADMINISTRATOR, NARROW, Place, place

AMIT, DANA = 2, 3
VERSION = "2023-07-01"
OPEN = ("observed", "awaiting_approval", "queued", "applying", "failed")


@pytest.fixture
def at(azure: Client) -> Place:
    """A vault that goes by roles, whose key three identities use; somebody's broad role is not theirs. It has been looked at."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    found = place(azure, rbac=True)
    for principal in (found.storage, found.disks, found.databricks):
        found.assign(principal, NARROW)
    found.assign("57a00009-58f1-4a6b-b0c4-000000000009", ADMINISTRATOR)
    found.wake()
    # The vault sends no log: that it is asked for shows that it was looked at and is remembered.
    until(lambda: azure.row(found.vault, "KV-LOGS"), "the first look", 60)
    azure.app("/api/explain", resource=found.vault)
    return found


def _row(azure: Client, at: Place, state: str) -> Callable[[], dict[str, Any] | None]:
    def ask() -> dict[str, Any] | None:
        row = azure.row(at.vault, "KV-DELETED")
        return row if row and row["state"] == state else None

    return ask


def _agree(azure: Client, row: dict[str, Any]) -> None:
    """Two people say yes: where the Activity Log names nobody one is not enough."""
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yes = {"fingerprint": row["plan"]["fingerprint"], "comment": "seen", "expires": expires}
    for person in (AMIT, DANA):
        azure.call("POST", f"/api/remediations/{row['id']}/approve", person, body=yes)


def _open_rows(azure: Client, at: Place, control: str) -> list[dict[str, Any]]:
    found = azure.app("/api/remediations", target=at.vault, control=control)["items"]
    return [row for row in found if row["state"] in OPEN]


@pytest.mark.calm  # it presses once, and a person would press again
def test_a_deleted_vault_comes_back_with_its_narrow_grants(azure: Client, at: Place, folder: Path) -> None:
    """Asked within seconds and logged as an error; after the yes the vault is there, who used its key may, and no more."""
    began = monotonic()
    azure.arm("DELETE", at.vault, VERSION).raise_for_status()
    asked = until(_row(azure, at, "awaiting_approval"), "the question", 60)
    took = monotonic() - began
    gone = azure.arm("GET", at.vault, VERSION).status_code
    logged = until(lambda: _notice(folder, asked["id"]), "the notice", 30)
    _agree(azure, asked)
    ended = until(_row(azure, at, "resolved"), "the end", 90)

    assert (asked["finding"]["reason"], asked["decision"]["reason"], gone) == ("VaultIsDeleted", "NeedsAPerson", 404)
    assert asked["finding"]["evidence"]["days_left"] == 89
    assert len(asked["finding"]["evidence"]["used_by"]) == 3
    assert [it.split(" --role ")[1].split(" ")[0] for it in asked["finding"]["evidence"]["proposed"]] == [ADMINISTRATOR]
    assert [it["kind"] for it in asked["plan"]["steps"]] == ["vault.recover", *["role.assign"] * 3]
    assert "error" in logged.lower()
    assert took < 45, "the gap of ten seconds, and some"
    assert {it: at.roles(it) for it in (at.storage, at.disks, at.databricks)} == {
        it: {"": NARROW} for it in (at.storage, at.disks, at.databricks)
    }
    assert (ended["verdict"], ended["executor"]) == ("Compliant", azure.facts["identities"]["writer"])
    assert [it["method"] for it in azure.writes(at.vault)] == ["PUT"]
    assert [it["method"] for it in at.key_requests()] == ["PUT"] * 3
    until(lambda: not _open_rows(azure, at, "KV-ACCESS") or None, "nothing new of access", 60)
    assert _open_rows(azure, at, "KV-DELETED") == []


def _notice(folder: Path, row: str) -> str:
    """Return the line of the log that tells of a row, '' where there is none yet."""
    lines = (line for path in folder.rglob("*.log") for line in path.read_text(errors="replace").splitlines())
    return next((line for line in lines if "verb=notice" in line and row in line and "VaultIsDeleted" in line), "")
