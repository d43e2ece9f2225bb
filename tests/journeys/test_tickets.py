"""A ticket through every floor: there within seconds of the event, closed by a read, reopened when it is changed back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.client import Client, until
from tests.estate import THREE, Place, place, policy

ADA, AMIT = 1, 2


@pytest.fixture(autouse=True)
def log(azure: Client) -> None:
    """The Activity Log knows at once who has changed what: its lag is not the subject here."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})


def _ticket(at: Place, state: str, occurrence: int, seconds: float = 90) -> dict[str, Any]:
    """Return the ticket of the storage account's access once it is in a state."""

    def ask() -> dict[str, Any] | None:
        row = at.row(at.storage)
        answer = at.azure.call("GET", f"/api/tickets/{row['id']}") if row else None
        found: dict[str, Any] | None = answer.json() if answer and answer.status_code == 200 else None
        return found if found and (found["state"], found["occurrence"]) == (state, occurrence) else None

    return until(ask, f"a ticket that is {state}, occurrence {occurrence}", seconds)


def _approve(azure: Client, ticket: dict[str, Any], person: int) -> str:
    """Say yes, again where Azure is busy; return the state that follows, or the reason why not."""
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    said = {"fingerprint": ticket["content"]["fingerprint"], "comment": "seen @channel | <b>", "expires": ends}

    def press() -> Any:
        answer = azure.call("POST", f"/api/remediations/{ticket['id']}/approve", person, body=said)
        return None if answer.status_code == 503 else answer.json()

    answer = until(press, "an answer to approve")
    return str(answer.get("state") or answer["reason"])


def _agree(azure: Client, ticket: dict[str, Any]) -> None:
    if _approve(azure, ticket, ADA) == "awaiting_approval":  # nobody knows yet whose change it is
        assert _approve(azure, ticket, AMIT) in {"queued", "applying", "resolved"}


@pytest.mark.calm  # ten seconds are for an Azure that answers
def test_a_gift_is_ticketed_approved_closed_and_reopened(azure: Client) -> None:
    """Missing access: a ticket within ten seconds; approved and given: closed, verified; taken away: reopened, the second time."""
    at = place(azure, policies=[policy("disks", THREE), policy("databricks", THREE)])
    at.touch_workspace()
    at.wake()
    opened = _ticket(at, "open", 1, 10)
    assert opened["content"]["reason"] == "KeyPermissionMissing"
    assert opened["content"]["permissions"] == ["Microsoft.KeyVault/vaults/accessPolicies/write"]
    assert opened["content"]["links"][2]["url"] == f"https://portal.azure.com/#resource{at.vault}"
    assert opened["id"] in {item["id"] for item in azure.app("/api/tickets", state="open", limit="200")["items"]}

    _agree(azure, opened)
    closed = _ticket(at, "closed", 1)
    assert closed["reason"] == "Verified"
    assert [note["event"] for note in closed["history"] if note["event"] != "commented"] == ["opened", "closed"]
    assert "seen @channel | <b>" in str(closed["history"])
    assert not {"@channel", "<b>"} & set(closed["markdown"].replace("|", " ").split())

    taken = {"tenantId": azure.facts["tenant"], "objectId": at.storage, "permissions": {"keys": THREE}}
    body = {"properties": {"accessPolicies": [taken]}}
    azure.arm("PUT", f"{at.vault}/accessPolicies/remove", "2023-07-01", body).raise_for_status()
    again = _ticket(at, "open", 2)
    assert (again["history"][-1]["event"], again["history"][-1]["reason"]) == ("reopened", "Regression")
    assert again["id"] not in {item["id"] for item in azure.app("/api/tickets", state="closed", limit="200")["items"]}


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/api/tickets?state=odd", 400, "BadState"),
        ("/api/tickets?limit=0", 400, "BadLimit"),
        ("/api/tickets?cursor=x", 400, "BadCursor"),
        ("/api/tickets?colour=red", 400, "UnknownParameter"),
        ("/api/tickets/aaaaaaaaaaaaaaaa", 404, "NotFound"),
        ("/api/tickets/..%2f", 404, "NotFound"),
    ],
)
def test_what_makes_no_sense_is_refused(azure: Client, path: str, status: int, reason: str) -> None:
    """In the one envelope, with what to do about it."""
    answer = azure.call("GET", path)

    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
