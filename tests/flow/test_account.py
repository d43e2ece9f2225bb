"""The report on the estate: what stands on record wins over the last judgement, and what is missing is a gap."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.report import Line
from shared.core.survey import Progress, Share, Survey
from shared.flow import account as module
from shared.flow.account import account
from shared.flow.evaluate import evaluate
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id
from tests.flow.conftest import evaluation
from tests.sealed import sealed

SURVEYED = Survey("000000000001", NOON, "", (Share(SUBSCRIPTION, Progress.DONE, listed=3),))


@pytest.fixture
def estate() -> World:
    """Three vaults, judged: one has a finding, one is as it should be, one is no longer."""
    world = World(auto_scope=())
    world.arm.put(vault_body("kv-bad"), vault_body("kv-good", enablePurgeProtection=True))
    for name in ("kv-bad", "kv-good"):
        evaluate(world, evaluation(world, vault_id(name)))
    world.surveys.begin(SURVEYED)
    return world


def lines(world: World) -> dict[str, Line]:
    """Return the lines by the name of their target."""
    return {it.name: it for it in account(sealed(world), "1.2.3").lines}


def test_findings_and_what_is_fine(estate: World) -> None:
    """A finding with its row's words, a compliant vault with the control's, both with their region."""
    whole = account(sealed(estate), "1.2.3")
    found = lines(estate)

    assert (whole.tool, whole.version, whole.made, whole.gaps) == ("cmkwarden", "1.2.3", estate.clock.now(), ())
    assert whole.counted() == {"NonCompliant": 1, "Unknown": 0, "Compliant": 1, "NotApplicable": 0}
    bad, row = found["kv-bad"], estate.row()
    assert (bad.id, bad.reason, bad.message, bad.evidence) == (
        row.id, row.finding.reason, row.finding.message, row.finding.evidence,
    )  # fmt: skip
    assert (bad.decision, bad.decided_because, bad.state) == ("approval", row.decision.message, "awaiting_approval")
    assert (found["kv-good"].verdict, found["kv-good"].message) == ("Compliant", found["kv-good"].title)
    assert {it.region for it in found.values()} == {"westeurope"}


def test_a_finding_stands_while_it_cannot_be_judged_again(estate: World) -> None:
    """The last look could not read the vault's state: unknown closes nothing, nor does it in a report."""
    for it in estate.arm.resources.values():
        it["properties"]["provisioningState"] = "Failed"
    found = next(it for it in estate.estate.kept.values() if it.name == "kv-bad")
    unknown = replace(found, rulings=tuple(replace(it, verdict="Unknown", reason="X") for it in found.rulings))
    estate.estate.note(unknown)

    assert lines(estate)["kv-bad"].verdict == "NonCompliant"


def test_a_finding_without_a_judgement_is_not_left_out(estate: World) -> None:
    """The judgement of its target was dropped; its row is still open."""
    estate.estate.kept.clear()

    assert [it.name for it in account(estate, "1").lines] == ["kv-bad"]


def test_what_nobody_read_is_a_gap(estate: World) -> None:
    """No survey yet, a subscription that could not be read, rows of a control that this version does not know."""
    estate.surveys.kept.clear()
    assert [it.reason for it in account(estate, "1").gaps] == ["NeverSurveyed"]

    failed = replace(SURVEYED, shares=(Share(SUBSCRIPTION, Progress.UNREAD, problem="no right"),))
    estate.surveys.begin(failed)
    assert [(it.what, it.message) for it in account(estate, "1").gaps] == [(f"subscription {SUBSCRIPTION}", "no right")]

    estate.remediators = ()
    told = account(estate, "1")
    assert [it.reason for it in told.gaps] == ["Unread", "NoSuchControl"]
    assert told.lines == ()


def test_a_report_has_an_end(estate: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond it is counted, and the report is not whole."""
    monkeypatch.setattr(module, "MOST", 1)
    whole = account(estate, "1")

    assert [it.name for it in whole.lines] == ["kv-bad"]
    assert [(it.what, it.reason) for it in whole.gaps] == [("1 line(s)", "TooMany")]
    assert not whole.is_whole


def test_the_same_record_is_the_same_report(estate: World) -> None:
    """But for the time."""
    first = account(estate, "1")
    estate.clock.advance(timedelta(days=1).total_seconds())

    assert replace(account(estate, "1"), made=first.made) == first
