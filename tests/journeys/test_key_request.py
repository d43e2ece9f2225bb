"""A key is asked for over HTTP, approved by somebody else and made; one that nobody asked for is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until
from tests.migration import WEST, key_vault, plain

RADA, ADA, AMIT, DANA, PIPELINE = 0, 1, 2, 3, 5  # of the invented people
_VERSION = "2023-07-01"
_OLD = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def _call(azure: Client, path: str, person: int, **body: Any) -> Any:
    """Call the API as a person does: who is told that Azure is busy presses again."""

    def press() -> Any:
        answer = azure.call("POST", path, person, body=body)
        return None if answer.status_code == 503 else [answer]

    (said,) = until(press, f"an answer of {path}")
    return said


def _ask(azure: Client, workspace: str, person: int = ADA, **more: str) -> Any:
    return _call(azure, "/api/key-requests", person, workspace=workspace, reason="its key is to serve it alone", **more)


def _say_yes(azure: Client, row: dict[str, Any], person: int) -> Any:
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yes = {"fingerprint": row["plan"]["fingerprint"], "comment": "right", "expires": expires}
    return _call(azure, f"/api/remediations/{row['id']}/approve", person, **yes)


def _keys(azure: Client, vault: str) -> set[str]:
    return {it["name"] for it in azure.arm("GET", f"{vault}/keys", _VERSION).json()["value"]}


def _ended(azure: Client, row_id: str) -> dict[str, Any] | None:
    row: dict[str, Any] = azure.app(f"/api/remediations/{row_id}")
    return row if row["state"] in {"resolved", "failed"} else None


def _verdict(azure: Client, vault: str) -> dict[str, Any] | None:
    """Return what KEY-KNOWN says of a vault now; None where Azure is busy."""
    answer = azure.call("GET", f"/api/explain?resource={vault}")
    verdicts = answer.json()["verdicts"] if answer.status_code == 200 else []
    return next((it for it in verdicts if it["control"] == "KEY-KNOWN"), None)


def test_a_key_is_asked_for_approved_and_made(azure: Client) -> None:
    """Not by an application, not with a vault of one's own, not approved by oneself; then there is one key, and it is known."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    key_vault(azure, WEST)
    azure.arm("PATCH", WEST, _VERSION, {"tags": {"cmk-vault": "true"}}).raise_for_status()
    workspace = plain(azure, WEST, tags={"owner": "ada@example.com"}).id

    refused = [_ask(azure, workspace, PIPELINE), _ask(azure, workspace, RADA), _ask(azure, workspace, vault=WEST)]
    assert [it.status_code for it in refused] == [403, 403, 400]
    assert "vault, name and type of the key are not its to choose" in refused[2].json()["detail"]
    asked, again = _ask(azure, workspace), _ask(azure, workspace, AMIT)
    row, before = asked.json(), _keys(azure, WEST)
    assert (asked.status_code, row["state"], row["vault"]) == (200, "awaiting_approval", WEST)
    assert (again.json()["id"], again.json()["requester"]) == (row["id"], row["requester"])
    own = _say_yes(azure, row, ADA)
    assert (own.status_code, own.json()["reason"]) == (409, "OwnRequest")

    if _say_yes(azure, row, AMIT).json()["state"] == "awaiting_approval":  # nobody knows whose change the workspace is
        _say_yes(azure, row, DANA)
    done = until(lambda: _ended(azure, row["id"]), "the key", 90)

    (made,) = _keys(azure, WEST) - before
    assert (done["state"], done["finding"]["evidence"]["keys"]) == ("resolved", [made])
    assert {it["caller"] for it in azure.writes(f"{WEST}/keys/{made}")} == {"writer"}
    found = until(lambda: _verdict(azure, WEST), "a verdict")
    assert made not in found["finding"]["evidence"].get("beyond", [])
    assert found["finding"]["evidence"]["keys"] >= 1
    assert _ask(azure, workspace).json()["reason"] == "KeyIsUnused"
    assert row["id"] in {it["id"] for it in azure.app("/api/key-requests", target=workspace)["items"]}


@pytest.mark.calm  # what is told is the subject here, and not how long it takes in bad weather
def test_a_key_that_nobody_asked_for_is_a_ticket(azure: Client) -> None:
    """It lay there before cmkwarden came: the first look at its vault finds it."""
    at = azure.facts["subscriptions"][0]
    vault = f"/subscriptions/{at}/resourceGroups/rg-known/providers/Microsoft.KeyVault/vaults/kv-known-1"
    key_vault(azure, vault)
    stray = {
        "attributes": {"enabled": True, "created": _OLD, "updated": _OLD}, "kty": "RSA", "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey"], "keyUri": "https://kv-known-1.vault.azure.net:443/keys/stray",
        "keyUriWithVersion": f"https://kv-known-1.vault.azure.net:443/keys/stray/{'1' * 32}",
    }  # fmt: skip
    azure.manage("POST", "/seed", {"resources": [{"id": f"{vault}/keys/stray", "name": "stray", "properties": stray}]})
    azure.arm("PATCH", vault, _VERSION, {"tags": {"cmk-vault": "true"}}).raise_for_status()

    row = until(lambda: azure.row(vault, "KEY-KNOWN"), "the finding", 60)

    assert (row["state"], row["decision"]["kind"], row["finding"]["reason"]) == ("observed", "ticket", "HoldsStrayKeys")
    assert row["finding"]["evidence"]["beyond"] == ["stray"]
    until(lambda: azure.call("GET", f"/api/tickets/{row['id']}").status_code == 200, "the ticket", 60)
