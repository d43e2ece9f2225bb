"""Cancellations and exemptions over the wire: their routes, their bodies, and where each came from."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.ports import Stored
from shared.core.record import State
from tests.fakes import NOON, vault_body
from tests.flow.conftest import run
from tests.web.entry import Answer, Entry, token

ADA, AMIT, RADA = (
    token(role, oid=f"{who}-oid") for role, who in (("Approver", "ada"), ("Admin", "amit"), ("Reader", "rada"))
)
HOPS = "203.0.113.9, 192.0.2.1:5678"  # the first is the caller's own word


def _asked(entry: Entry, stored: Stored, **changed: Any) -> Answer:
    body = {"remediation": stored.row.id, "reason": "later", "until": (NOON + timedelta(days=9)).isoformat(), **changed}
    return entry.call("POST", "/api/exemptions", ADA, body, x_forwarded_for=HOPS)


def _entries(entry: Entry, row_id: str, name: str) -> list[dict[str, Any]]:
    return [dict(it.detail) for it in entry.world.records.history(row_id) if it.event == name]


def _exempt(entry: Entry) -> Stored:
    """Have the one finding exempted."""
    stored = entry.waiting()
    wish = _asked(entry, stored).json()
    yes = {
        "fingerprint": wish["plan"]["fingerprint"],
        "comment": "fine",
        "expires": (NOON + timedelta(days=4)).isoformat(),
    }
    assert entry.call("POST", f"/api/remediations/{wish['id']}/approve", AMIT, yes).status == 200
    run(entry.world)
    return entry.world.records.rows[stored.row.id]


def test_an_exemption_is_asked_for_given_and_ended() -> None:
    """One asks, another approves, anybody with the role ends it and may say why; each entry has its address."""
    entry = Entry()
    stored = _exempt(entry)
    assert stored.row.state is State.SUPPRESSED
    ended = entry.call("DELETE", f"/api/exemptions/{stored.row.id}", ADA, {"comment": "done"}, x_forwarded_for=HOPS)
    (wish,) = [it.row for it in entry.world.records.rows.values() if it.row.exempts]

    assert (ended.status, ended.json()["exemption"]) == (200, None)
    assert _entries(entry, wish.id, "asked")[0]["from"] == "192.0.2.1"
    assert [(it["comment"], it["from"]) for it in _entries(entry, stored.row.id, "lifted")] == [("done", "192.0.2.1")]


def test_an_exemption_ends_without_a_word() -> None:
    """No body is needed: it falls on the safe side."""
    entry = Entry()
    stored = _exempt(entry)
    ended = entry.call("DELETE", f"/api/exemptions/{stored.row.id}", AMIT)

    assert (ended.status, ended.json()["history"][-1]["event"]) == (200, "lifted")


@pytest.mark.parametrize(
    ("changed", "status", "reason"),
    [
        ({"reason": " "}, 400, "NoComment"),
        ({"until": (NOON + timedelta(days=91)).isoformat()}, 400, "BadExpiry"),
        ({"until": "2026-12-01T00:00:00"}, 400, "BadBody"),
        ({"until": None}, 400, "BadBody"),
        ({"owner": "eve"}, 400, "BadBody"),
        ({"remediation": "a" * 16}, 409, "NoSuchRemediation"),
        ({"remediation": "../x"}, 409, "NoSuchRemediation"),
    ],
)
def test_a_wish_that_lacks_something_is_refused(changed: dict[str, Any], status: int, reason: str) -> None:
    """Reason, end and remediation are all needed; the owner is whoever asks, and nobody else can be named."""
    entry = Entry()
    answer = _asked(entry, entry.waiting(), **changed)

    assert (answer.status, answer.reason, len(entry.world.records.rows)) == (status, reason, 1)


def test_a_reader_ends_no_exemption() -> None:
    """It changes something: it takes the role, and the exemption stays."""
    entry = Entry()
    stored = _exempt(entry)
    answer = entry.call("DELETE", f"/api/exemptions/{stored.row.id}", RADA)

    assert (answer.status, answer.reason) == (403, "NotAllowed")
    assert entry.world.records.rows[stored.row.id] == stored


def test_what_was_approved_is_cancelled() -> None:
    """It awaits approval again; who has another version of the record in mind is told so first."""
    entry = Entry()
    stored = entry.waiting()
    path = f"/api/remediations/{stored.row.id}"
    assert entry.call("POST", f"{path}/approve", ADA, entry.yes(stored)).json()["state"] == "queued"
    stale = entry.call("POST", f"{path}/cancel", AMIT, {"comment": "wait"}, if_match='"another"')
    answer = entry.call("POST", f"{path}/cancel", AMIT, {"comment": "wait"}, x_forwarded_for=HOPS)

    assert (stale.status, stale.reason) == (412, "Stale")
    assert (answer.status, answer.json()["state"], answer.json()["approvals"]) == (200, "awaiting_approval", [])
    assert [(it["comment"], it["from"]) for it in _entries(entry, stored.row.id, "cancelled")] == [
        ("wait", "192.0.2.1")
    ]


def test_the_difference_is_in_the_problem() -> None:
    """The plan that was seen has gone: the answer says by which fingerprint it goes now."""
    entry = Entry()
    stored = entry.waiting()
    said = entry.yes(stored) | {"fingerprint": "0" * 32}
    answer = entry.call("POST", f"/api/remediations/{stored.row.id}/approve", ADA, said)

    assert (answer.status, answer.reason) == (409, "AnotherPlan")
    assert answer.json()["difference"] == {
        "seen": "0" * 32, "now": stored.row.plan.fingerprint, "came": None, "went": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("hops", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        ("evil, <script>alert(1)</script>", "scriptalert1script"),
        ("x" * 500, "x" * 64),
        ("", ""),
    ],
)
def test_an_address_is_cut_and_cleaned(hops: str, kept: str) -> None:
    """Whatever a header says, what is kept is short and without anything that means something elsewhere."""
    entry = Entry()
    stored = entry.waiting()
    entry.call("POST", f"/api/remediations/{stored.row.id}/reject", ADA, {"comment": "no"}, x_forwarded_for=hops)

    assert _entries(entry, stored.row.id, "rejected")[0]["from"] == kept


def test_a_retry_says_where_it_came_from() -> None:
    """It is no decision on a plan, and still on record with person and address."""
    entry = Entry()
    stored = entry.waiting()
    path = f"/api/remediations/{stored.row.id}"
    entry.call("POST", f"{path}/reject", ADA, {"comment": "no"})
    entry.call("POST", f"{path}/retry", AMIT, x_forwarded_for=HOPS)

    assert _entries(entry, stored.row.id, "retried") == [{"state": "rejected", "from": "192.0.2.1"}]


def test_the_record_shows_the_question() -> None:
    """Since when people are asked, and who has asked for what, is in the answer."""
    entry = Entry()
    stored = entry.waiting()
    wish = _asked(entry, stored).json()

    assert (wish["exempts"], wish["requester"], wish["state"]) == (stored.row.id, "ada-oid", "awaiting_approval")
    assert vault_body()["id"].lower() == wish["target"].lower()
