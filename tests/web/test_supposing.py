"""What-if over the API: read strictly, answered to whoever may read, and nothing behind it that could write."""

from dataclasses import replace

import pytest

from shared.core.choices import Mode
from tests.fakes import SUBSCRIPTION
from tests.sealed import sealed
from tests.web.entry import Entry, app_token, token


def observed() -> Entry:
    """An app that only observes, and one finding."""
    entry = Entry()
    entry.world.choices = replace(entry.world.choices, mode=Mode.OBSERVE)
    entry.waiting()
    return entry


def test_what_would_be_is_told_to_whoever_may_read() -> None:
    """As it is, and as if it were automatic here; an application may ask too."""
    entry = observed()
    as_it_is = entry.call("GET", "/api/what-if", token("Reader")).json()
    asked = f"/api/what-if?mode=auto&auto_scope={SUBSCRIPTION}"
    supposed = entry.call("GET", asked, app_token("Reader")).json()

    assert (as_it_is["is_varied"], as_it_is["fates"]["observe"]) == (False, 1)
    assert (supposed["is_varied"], supposed["fates"]["auto"], supposed["mode"]) == (True, 1, "auto")
    assert supposed["auto_scope"] == [f"/subscriptions/{SUBSCRIPTION}"]
    assert [(it["fate"], it["reason"], it["recorded"]) for it in supposed["items"]] == [
        ("auto", "SafeInAutoScope", "observe"),
    ]  # fmt: skip


def test_for_one_control_and_for_nowhere() -> None:
    """A mode for one control wins; an empty scope is nowhere."""
    entry = observed()
    one = entry.call("GET", "/api/what-if?modes=kv-recovery%3Dauto&auto_scope=", token("Reader")).json()

    assert (one["mode"], one["modes"], one["auto_scope"]) == ("observe", {"KV-RECOVERY": "auto"}, [])
    assert one["items"][0]["reason"] == "OutsideAutoScope"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("mode=off", "BadVariation"), ("mode=", "BadVariation"), ("mode=AUTO", "BadVariation"),
        ("modes=KV-RECOVERY", "BadVariation"), ("modes=NO-SUCH%3Dauto", "BadVariation"),
        ("auto_scope=/nowhere", "BadVariation"), ("mode=auto&freeze=none", "UnknownParameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(query: str, reason: str) -> None:
    """Never taken for the settings as they are."""
    answer = observed().call("GET", f"/api/what-if?{query}", token("Reader"))

    assert (answer.status, answer.reason) == (400, reason)


def test_nobody_unknown_is_told() -> None:
    """Neither without a token nor without a role, and it is no write."""
    entry = observed()

    assert entry.call("GET", "/api/what-if").status == 401
    assert entry.call("GET", "/api/what-if", token()).status == 403
    assert entry.call("POST", "/api/what-if", token("Admin")).status == 405


def test_the_endpoint_works_with_every_writing_port_closed() -> None:
    """The same answer where whatever writes, sends or asks Azure raises."""
    entry = observed()
    query = f"/api/what-if?mode=auto&auto_scope={SUBSCRIPTION}"
    behind = Entry.over(sealed(entry.world))

    assert behind.call("GET", query, token("Reader")).json() == entry.call("GET", query, token("Reader")).json()
