"""Sweeps over the API: begun by people who may, shown to everybody, one at a time."""

from tests.fakes import SUBSCRIPTION
from tests.web.entry import Entry, app_token, token


def test_a_sweep_is_begun_shown_and_not_begun_twice() -> None:
    """The second call gets the one that runs; the list and the single one say the same."""
    entry = Entry()
    first = entry.call("POST", "/api/sweeps", token("Approver"))
    second = entry.call("POST", "/api/sweeps", token("Admin", oid="dana-oid"))
    one = entry.call("GET", f"/api/sweeps/{first.json()['id']}", token("Reader"))
    listed = entry.call("GET", "/api/sweeps", token("Reader"))

    assert (first.status, second.json()["id"]) == (200, first.json()["id"])
    assert one.json() == first.json()
    assert listed.json() == {"items": [one.json()], "next": None}
    assert (one.json()["by"], one.json()["is_over"], one.json()["unread"]) == ("ada-oid", False, [])
    assert [it["subscription"] for it in one.json()["shares"]] == [SUBSCRIPTION]


def test_who_may_only_read_begins_none() -> None:
    """Nor does an application; and what is none is not found."""
    entry = Entry()

    assert entry.call("POST", "/api/sweeps", token("Reader")).status == 403
    assert entry.call("POST", "/api/sweeps", app_token("Approver")).status == 403
    assert entry.call("GET", "/api/sweeps/000000000001", token("Reader")).status == 404
    assert entry.call("GET", "/api/sweeps?x=1", token("Reader")).reason == "UnknownParameter"
    assert entry.world.surveys.kept == {}
