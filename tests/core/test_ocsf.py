"""OCSF: every line keeps the official schema, says pass, fail or unknown, and has the same uid in every run.

ocsf_compliance_finding.json is the official class of OCSF 1.5.0 (Apache 2.0), as the package ocsf-json-schema 1.2.0 makes a JSON
Schema of it with the profile `cloud`; objects that we never send are left out of it, so that it is stricter than the whole.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from remediators import REMEDIATORS
from shared.core.frameworks import FRAMEWORKS, official, supporting
from shared.core.report import Gap, Report, ocsf_text
from shared.core.ticket.compliance import RULES
from tests.core.test_report import HOSTILE, VAULT, hostile, line, report

SCHEMA = json.loads((Path(__file__).parent / "ocsf_compliance_finding.json").read_text())
GAP = Gap("subscription x", "NotVisible", "not to be seen")
OURS = frozenset({
    "KV-RECOVERY", "KV-ACCESS", "KV-DELETED", "KV-LOGS", "KV-DEDICATED", "DBX-CMK", "DBX-TIER", "DBX-TAGS", "KEY-ROTATION",
    "KEY-SHARED", "KEY-KNOWN",
})  # fmt: skip


def events(whole: Report) -> list[dict[str, Any]]:
    """Return the objects of a report, each on a line of its own."""
    return [json.loads(it) for it in ocsf_text(whole).splitlines()]


@pytest.mark.parametrize("whole", [report(line(), gaps=(GAP,)), hostile(), report()])
def test_every_line_keeps_the_official_schema(whole: Report) -> None:
    """Required attributes, types, enumerations, and nothing that the schema does not know."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    found = events(whole)

    assert len(found) == len(whole.lines) + len(whole.gaps)
    for it in found:
        validator.validate(it)


def test_the_schema_would_refuse_what_is_wrong() -> None:
    """A missing class, a status that is none, a word that the schema does not know."""
    (good,) = events(report(line()))
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for bad in ({**good, "status_id": 77}, {**good, "odd": 1}, {k: v for k, v in good.items() if k != "class_uid"}):
        assert not validator.is_valid(bad)


@pytest.mark.parametrize(
    ("verdict", "compliance", "code"),
    [
        ("Compliant", (1, "Pass"), "PASS"), ("NonCompliant", (3, "Fail"), "FAIL"), ("Unknown", (0, "Unknown"), "UNKNOWN"),
        ("NotApplicable", (99, "NotApplicable"), "MANUAL"),
    ],
)  # fmt: skip
def test_what_a_verdict_becomes(verdict: str, compliance: tuple[int, str], code: str) -> None:
    """Unknown is neither a pass nor a fail."""
    (it,) = events(report(line(verdict=verdict)))

    assert ((it["compliance"]["status_id"], it["compliance"]["status"]), it["status_code"]) == (compliance, code)


def test_who_what_and_where() -> None:
    """Ids, type, region and account of the target; the severity of the control; a time in milliseconds; what to do."""
    (it,) = events(report(line(region="westeurope", state="suppressed")))
    subscription = VAULT.split("/")[2]

    assert it["resources"] == [
        {"uid": VAULT, "name": "kv", "type": "Microsoft.KeyVault/vaults", "region": "westeurope"}
    ]
    assert it["cloud"] == {"provider": "Azure", "account": {"uid": subscription}, "region": "westeurope"}
    assert (it["class_uid"], it["type_uid"], it["severity_id"], it["status_id"]) == (2003, 200301, 5, 3)
    assert it["time"] == 1795521600000
    assert it["finding_info"]["uid"] == "2hpzgi5htona45wj"
    assert it["remediation"] == {"desc": "outside the scope"}
    assert it["compliance"]["requirements"][0] == "8.3.5"
    assert "CIS Microsoft Azure Foundations 5.0" in it["compliance"]["standards"]


def test_the_uid_is_the_same_in_every_run() -> None:
    """Whatever the time, the verdict and the order; that of a gap too."""
    first = events(report(line(), line(id="b"), gaps=(GAP,)))
    later = replace(report(line(id="b"), line(verdict="Compliant"), gaps=(GAP,)), made=report().made.replace(day=25))

    assert {it["finding_info"]["uid"] for it in first} == {it["finding_info"]["uid"] for it in events(later)}
    assert len({it["finding_info"]["uid"] for it in first}) == 3


def test_hostile_words_are_plain_text() -> None:
    """Only visible ASCII goes out, a line each, and every word comes back as it was."""
    text = ocsf_text(hostile())

    assert text.isascii()
    assert all(it.isprintable() for it in text.splitlines())
    messages = {it["message"] for it in events(hostile())}
    assert messages == set(HOSTILE)


def test_only_what_a_control_speaks_of_is_its_requirement() -> None:
    """What it merely supports stands apart."""
    (it,) = events(report(line(control="DBX-CMK")))

    assert "SC-12" not in it["compliance"]["requirements"]
    assert "NIST SP 800-53 R5 SC-12" in it["unmapped"]["supports"]


def test_every_control_is_in_the_table_of_frameworks() -> None:
    """Those that are there, and the ones that the design names; nothing twice, and each row says its source."""
    rows = [each for it in FRAMEWORKS.values() for each in it.requirements]
    named = {control for each in rows for control in each.controls}

    assert named == OURS
    assert {it.control.id for it in REMEDIATORS} <= OURS
    assert all(each.source and each.title and each.controls for each in rows)
    assert all(len(set(each.controls)) == len(each.controls) for each in rows)
    assert all(len({each.id for each in it.requirements}) == len(it.requirements) for it in FRAMEWORKS.values())


def test_the_tickets_say_nothing_else() -> None:
    """What a ticket calls the rule itself no evidence calls supporting, and the reverse."""
    names = {it.name: it for it in FRAMEWORKS.values()}
    met = {(control, it.name, each.id) for control in RULES for it, each in official(control)}
    near = {(control, it.name, each.id) for control in RULES for it, each in supporting(control)}
    told = [
        (rule.supports, (control, rule.framework, one))
        for control, rules in RULES.items()
        for rule in rules
        for one in rule.id.split(", ")
        if rule.framework in names
    ]

    assert [it for supports, it in told if it in (met if supports else near)] == []
    assert len(told) > 10
