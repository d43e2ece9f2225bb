"""A report and its forms: what is counted, what is left out, and that hostile names do nothing in any of them."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from remediators import REMEDIATORS
from shared.core.control import Finding, NonCompliant, Unknown
from shared.core.decide import Decision, Kind
from shared.core.plan import Plan
from shared.core.report import Gap, Line, Report, csv_text, json_text, junit_text, line_of, sarif_text
from shared.core.report.cells import COLUMNS, cell
from shared.core.settle import Look
from shared.core.wake import Cause

MODULES = Path(__file__).resolve().parent.parent / "browser/node_modules/@microsoft/jest-sarif"
SCHEMAS = sorted(MODULES.rglob("sarif-2.1.0*.json"))
CONTROLS = tuple(it.control for it in REMEDIATORS)
VAULT = "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
HOSTILE = (
    "<script>alert(1)</script>", "=cmd()|' /C calc'!A0", "+1", "-1", "@channel", "\t=1", "\r=1", "$(reboot)", "`id`",
    "\x1b[2J\x1b]0;owned\x07", "\x00\x0b\ufffe\uffff", "\ud800", "\u202egpj.exe", "[click](https://evil.example)", "]]>",
    '" onmouseover="alert(1)', "a\nb", "{0}", "＝1",  # noqa: RUF001 - meant
)  # fmt: skip


def line(**changes: Any) -> Line:
    """A finding on a vault."""
    whole = Line(
        id="2hpzgi5htona45wj", control="KV-RECOVERY", title="recoverable", severity="critical", target=VAULT, subject="",
        verdict="NonCompliant", reason="PurgeProtectionIsOff", message="purge protection is off",
        evidence={"purge_protection": False}, decision="approval", decided_because="outside the scope",
    )  # fmt: skip
    return replace(whole, **changes)


def report(*lines: Line, **changes: Any) -> Report:
    """A report of these lines."""
    made = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    return replace(Report("cmkwarden", "0.1.0", made, "an estate", CONTROLS, lines), **changes)


def hostile() -> Report:
    """A report in which every foreign word is hostile, in every place and with every verdict."""
    lines = tuple(
        line(
            target=f"{VAULT}{word}", subject=word, message=word, evidence={word: [word]}, verdict=verdict, state=word,
            decided_because=word, control=control,
        )
        for word in HOSTILE
        for verdict, control in (("NonCompliant", "KV-RECOVERY"), ("Unknown", "KV-ACCESS"), ("NotApplicable", "DBX-CMK"))
    )  # fmt: skip
    return report(*lines, gaps=tuple(Gap(word, "NotVisible", word) for word in HOSTILE), source="exp ort.json")


def test_a_look_becomes_a_line() -> None:
    """A finding brings its decision; what is unknown brings none, for there is nothing to do about it."""
    found = Finding("Off", "it is off", {"a": 1})
    decision = Decision(Kind.APPROVAL, "Outside", "it lies outside")
    look = Look("id", "KV-RECOVERY", VAULT, NonCompliant(found, "x"), Plan(), decision, Cause("person"))
    control = next(it for it in CONTROLS if it.id == "KV-RECOVERY")

    assert line_of(look, control, at=7) == Line(
        "id", "KV-RECOVERY", control.title, "critical", VAULT, "x", "NonCompliant", "Off", "it is off", {"a": 1},
        "approval", "it lies outside", "", 7,
    )  # fmt: skip
    assert line_of(replace(look, verdict=Unknown(found)), control).decision == ""


def test_what_is_counted() -> None:
    """Findings by severity, verdicts all named, targets once however they are spelt."""
    whole = report(
        line(),
        line(severity="high", control="KV-ACCESS", target=VAULT.upper()),
        line(verdict="Unknown"),
        line(verdict="Compliant"),
    )

    assert whole.counted() == {"NonCompliant": 2, "Unknown": 1, "Compliant": 1, "NotApplicable": 0}
    assert whole.severities() == {"critical": 1, "high": 1, "medium": 0, "low": 0}
    assert whole.targets == 1
    assert [it.severity for it in whole.findings] == ["critical", "high"]


def test_what_is_left_out_below_a_severity() -> None:
    """Lines and controls below it; what could not be read stays, whatever it was."""
    gap = Gap("a subscription", "NotVisible", "not to be seen")
    whole = report(line(), line(severity="high"), line(severity="low"), gaps=(gap,)).from_severity("critical")

    assert [it.severity for it in whole.lines] == ["critical"]
    assert [it.id for it in whole.controls] == ["KV-RECOVERY", "KV-DELETED"]
    assert (whole.gaps, whole.least) == ((gap,), "critical")


@pytest.mark.parametrize(
    ("lines", "gaps", "is_whole"),
    [
        ((), (), True),
        ((line(),), (), True),
        ((line(verdict="Unknown"),), (), False),
        ((), (Gap("a", "b", "c"),), False),
    ],
)
def test_whether_all_was_judged(lines: tuple[Line, ...], gaps: tuple[Gap, ...], is_whole: bool) -> None:
    """Neither an unknown verdict nor a gap is passed over."""
    assert report(*lines, gaps=gaps).is_whole is is_whole


def test_json_says_it_all_in_ascii() -> None:
    """Every value comes back as it was, and no byte of it does anything to a terminal."""
    text = json_text(hostile())
    whole = json.loads(text)

    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert {it["subject"] for it in whole["items"]} == set(HOSTILE)
    assert whole["counts"]["verdicts"]["Unknown"] == len(HOSTILE)
    assert [it["what"] for it in whole["unread"]] == list(HOSTILE)


def test_csv_is_read_back_and_runs_nothing() -> None:
    """As many rows as lines and gaps; no cell begins a formula; nothing in it that cannot be seen."""
    whole = hostile()
    text = csv_text(whole)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))

    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(whole.lines) + len(whole.gaps)
    assert not [value for row in rows for value in row.values() if value.startswith(tuple("=+-@\t\r＝"))]  # noqa: RUF001
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e\ud800\ufffe]", text)
    assert "'=cmd()|' /C calc'!A0" in {row["subject"] for row in rows}


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    """Whatever comes: after what spreadsheets pass over in front, no cell begins as a formula does."""
    assert not cell(text).lstrip().startswith(tuple("=+-@＝＋－＠"))  # noqa: RUF001


def test_junit_is_read_back() -> None:
    """A suite a control, also where it has nothing to say; each verdict is what builds know it as."""
    lines = (line(), line(verdict="Unknown"), line(verdict="Compliant"), line(verdict="NotApplicable"))
    suites = list(JUnitXml.fromstring(junit_text(report(*lines, gaps=(Gap("sub", "NotVisible", "no"),))).encode()))

    assert [it.name for it in suites] == [*(it.id for it in CONTROLS), "not read"]
    assert (suites[0].tests, suites[0].failures, suites[0].errors, suites[0].skipped) == (4, 1, 1, 1)
    assert [[type(each) for each in case.result] for case in suites[0]] == [[Failure], [Error], [], [Skipped]]
    assert suites[-1].errors == 1


def test_junit_holds_nothing_that_xml_forbids() -> None:
    """A strict parser reads it with every hostile word in every place, and each case is one case."""
    whole = hostile()
    found = JUnitXml.fromstring(junit_text(whole).encode())

    assert sum(it.tests for it in found) == len(whole.lines) + len(whole.gaps)
    assert sum(len(list(it)) for it in found) == len(whole.lines) + len(whole.gaps)


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_any_text_is_well_formed_xml(text: str) -> None:
    """Whatever Azure holds, the report can be read."""
    found = JUnitXml.fromstring(junit_text(report(line(message=text, subject=text))).encode())

    assert sum(it.failures for it in found) == 1


@pytest.mark.skipif(not SCHEMAS, reason=f"the SARIF schema is not at {MODULES}: npm ci in tests/browser")
@pytest.mark.parametrize(
    "whole", [report(), report(line(), line(verdict="Unknown")), hostile()], ids=["empty", "plain", "hostile"]
)
def test_sarif_keeps_the_official_schema(whole: Report) -> None:
    """The schema of SARIF 2.1.0, as Microsoft's own test library has it."""
    schema = json.loads(SCHEMAS[0].read_text())

    jsonschema.Draft4Validator(schema).validate(json.loads(sarif_text(whole)))


def test_sarif_says_what_fails_and_what_is_open() -> None:
    """A finding fails by its severity; unknown is open, which has no level; what holds is left out."""
    lines = (line(severity="medium"), line(verdict="Unknown", control="KV-ACCESS"), line(verdict="Compliant"))
    run = json.loads(sarif_text(report(*lines, gaps=(Gap("a subscription", "NotVisible", "no"),))))["runs"][0]

    assert [(it["kind"], it["level"]) for it in run["results"]] == [("fail", "warning"), ("open", "none")]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"] == {"id": "NotVisible"}
    rules = [it["id"] for it in run["tool"]["driver"]["rules"]]
    assert all(rules[it["ruleIndex"]] == it["ruleId"] for it in run["results"])
    assert all(it["help"]["text"] for it in run["tool"]["driver"]["rules"])


def test_sarif_finds_the_same_finding_again() -> None:
    """A fingerprint stays while the message, the evidence and the place in the file change."""
    one, other = (
        json.loads(sarif_text(report(it, source="a.json")))["runs"][0]["results"][0]
        for it in (line(at=3), line(at=9, message="another", evidence={}))
    )

    assert one["partialFingerprints"] == other["partialFingerprints"] == {"cmkwardenRecord/v1": "2hpzgi5htona45wj"}
    assert one["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.json"},
        "region": {"startLine": 3},
    }


def test_sarif_of_azure_itself_names_no_file() -> None:
    """There is none; the resource is a logical location."""
    found = json.loads(sarif_text(report(line())))["runs"][0]["results"][0]["locations"]

    assert found == [{"logicalLocations": [{"name": "kv", "fullyQualifiedName": VAULT, "kind": "resource"}]}]


def test_sarif_links_nowhere() -> None:
    """Brackets in a message would be a link: they are escaped."""
    run = json.loads(sarif_text(hostile()))["runs"][0]
    texts = [it["message"]["text"] for it in (*run["results"], *run["invocations"][0]["toolExecutionNotifications"])]

    assert any("evil.example" in text for text in texts)
    assert not [text for text in texts if re.search(r"(?<!\\)\[[^\]]*(?<!\\)\]\(", text)]
