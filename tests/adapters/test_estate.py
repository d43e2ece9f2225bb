"""The contract of the estate, on the fake and on real storage through the real SDK."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.adapters.estate import TableEstate
from shared.core import ids
from shared.core.errors import BadInput
from shared.core.judgement import Judgement, LayerRuling, Ruling
from shared.core.ports import Estate
from shared.core.survey import Before
from simulator.client import Client
from tests.adapters.conftest import identity
from tests.fakes import workspace_id
from tests.looks import MemoryEstate

LAYER = LayerRuling("managedDisk", "unknown", "VaultNotSeen")
RULING = Ruling("DBX-CMK", "", "Unknown", "VaultNotSeen", "a" * 16)


@pytest.fixture(params=["memory", "azurite"])
def estate(request: pytest.FixtureRequest) -> Iterator[Estate]:
    """Both kinds, empty of what other tests have left."""
    if request.param == "memory":
        yield MemoryEstate()
        return
    environment: Client = request.getfixturevalue("environment")
    made = TableEstate(environment.facts["storage"]["table"], identity(environment, "reader"))
    for it in made.page(ids.WORKSPACE, text="", worst="", cursor="", limit=500).items:
        made.drop(ids.parse(it.target))
    yield made


def _judged(name: str, worst: str = "Unknown") -> Judgement:
    now = datetime.now(UTC).replace(microsecond=0)
    return Judgement(
        workspace_id(name), ids.WORKSPACE, name, "westeurope", ("prod", "ünï"), "ada", now, worst, (RULING,), (LAYER,),
        ("kv.vault.azure.net",),
    )  # fmt: skip


def _names(estate: Estate, *, text: str = "", worst: str = "") -> list[str]:
    found, cursor = list[str](), ""
    while True:
        page = estate.page(ids.WORKSPACE, text=text, worst=worst, cursor=cursor, limit=2)
        assert len(page.items) <= 2
        found += [it.name for it in page.items]
        cursor = page.cursor
        if not cursor:
            return found


def test_what_is_noted_comes_back_by_name(estate: Estate) -> None:
    """All of it, whatever the order in which it came; the last judgement on a target alone."""
    for name in ("dbw-c", "DBW-a", "dbw-d", "dbw-b", "dbw-e"):
        estate.note(_judged(name))
    estate.note(_judged("dbw-c", "Compliant"))
    (found,) = estate.page(ids.WORKSPACE, text="dbw-c", worst="", cursor="", limit=5).items

    assert _names(estate) == ["DBW-a", "dbw-b", "dbw-c", "dbw-d", "dbw-e"]
    assert replace(found, time=_judged("x").time) == replace(_judged("dbw-c", "Compliant"), time=_judged("x").time)


def test_filters_and_ends(estate: Estate) -> None:
    """By a piece of the name, by the worst verdict; one that is gone is listed no more."""
    for number in range(5):
        estate.note(_judged(f"dbw-{number}", "NonCompliant" if number % 2 else "Compliant"))
    estate.note(_judged("other"))
    estate.drop(ids.parse(workspace_id("dbw-3").upper()))
    estate.drop(ids.parse(workspace_id("never-there")))

    assert _names(estate, worst="NonCompliant") == ["dbw-1"]
    assert _names(estate, text="BW-") == ["dbw-0", "dbw-1", "dbw-2", "dbw-4"]
    assert _names(estate, text="bw-", worst="Compliant") == ["dbw-0", "dbw-2", "dbw-4"]
    assert estate.page(ids.VAULT, text="dbw", worst="", cursor="", limit=5).items == ()


@pytest.mark.parametrize("cursor", ["!", "é", "bm90IGpzb24", "W10"])
def test_a_foreign_cursor_is_refused(estate: Estate, cursor: str) -> None:
    """A cursor that no list gave out is bad input, not a crash."""
    with pytest.raises(BadInput):
        estate.page(ids.WORKSPACE, text="", worst="", cursor=cursor, limit=2)


def test_what_a_survey_compares(estate: Estate) -> None:
    """The last look's digest and time; what surveys saw stays beside it, over later looks, until the target is gone."""
    judged = replace(_judged("dbw-seen"), digest="one", until=datetime(2027, 1, 1, tzinfo=UTC))
    subscription = ids.parse(judged.target).subscription
    key = judged.target.lower()
    estate.note(judged)
    first = estate.under(ids.WORKSPACE, subscription.upper())[key]
    estate.saw(ids.WORKSPACE, subscription, "grants", {key: "g"})
    estate.saw(ids.WORKSPACE, subscription, "keys", {key: "k"})
    estate.note(replace(judged, digest="two", vaults=(), until=None))
    second = estate.under(ids.WORKSPACE, subscription)[key]
    elsewhere = estate.under(ids.WORKSPACE, "99999999-0000-4000-8000-000000000001")
    estate.drop(ids.parse(judged.target))
    estate.saw(ids.WORKSPACE, subscription, "keys", {key: "late"})

    assert first == Before(judged.target, "one", judged.time, is_deep=True, until=judged.until)
    assert second == Before(judged.target, "two", judged.time, False, None, "g", "k")
    assert elsewhere == {}
    assert key not in estate.under(ids.WORKSPACE, subscription)


def test_more_than_fit_one_transaction_are_seen(estate: Estate) -> None:
    """Two hundred and one at a time."""
    judged = [_judged(f"dbw-many-{number}") for number in range(201)]
    for it in judged:
        estate.note(it)
    subscription = ids.parse(judged[0].target).subscription
    estate.saw(ids.WORKSPACE, subscription, "keys", {it.target.lower(): it.name for it in judged})
    found = estate.under(ids.WORKSPACE, subscription)

    assert {it.target.lower(): it.name for it in judged} == {target: it.keys for target, it in found.items()}
    for it in judged:
        estate.drop(ids.parse(it.target))
