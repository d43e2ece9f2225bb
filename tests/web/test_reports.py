"""Reports over the API: every form is a file, says the same, and does nothing with hostile names."""

import csv
import io
import json

import pytest
from junitparser import JUnitXml

from tests.sealed import sealed
from tests.web.entry import Answer, Entry, app_token, token

HOSTILE = "<script>alert(1)</script>=cmd()\u202e"
TYPES = {
    "json": ("application/json", "report.json"), "csv": ("text/csv", "report.csv"),
    "sarif": ("application/sarif+json", "report.sarif"), "junit": ("application/xml", "report-junit.xml"),
    "ocsf": ("application/x-ndjson", "report-ocsf.jsonl"), "html": ("text/html", "report.html"),
}  # fmt: skip


@pytest.fixture(scope="module")
def entry() -> Entry:
    """An app with one finding, whose owner tag is hostile."""
    made = Entry()
    made.waiting(owner=HOSTILE)
    return made


def got(entry: Entry, query: str) -> Answer:
    """Ask for a report as a reader."""
    return entry.call("GET", f"/api/report{query}", token("Reader"))


@pytest.mark.parametrize("form", list(TYPES))
def test_every_form_is_a_file(entry: Entry, form: str) -> None:
    """Never shown as a page of this site, never kept by a browser, and the same for an application."""
    answer = got(entry, f"?format={form}")
    media_type, name = TYPES[form]

    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "\u202e" not in answer.body.decode()
    assert entry.call("GET", f"/api/report?format={form}", app_token("Reader")).body == answer.body


def test_every_form_says_the_same(entry: Entry) -> None:
    """One finding, its id and its reason, read with somebody else's readers."""
    row_id = next(iter(entry.world.records.rows))
    whole = got(entry, "").json()
    sheet = list(csv.DictReader(io.StringIO(got(entry, "?format=csv").body.decode())))
    sarif = got(entry, "?format=sarif").json()["runs"][0]["results"]
    junit = JUnitXml.fromstring(got(entry, "?format=junit").body)
    ocsf = [json.loads(it) for it in got(entry, "?format=ocsf").body.splitlines()]

    assert whole["counts"]["verdicts"]["NonCompliant"] == 1
    (one,) = [it for it in whole["items"] if it["verdict"] == "NonCompliant"]
    assert (one["id"], one["reason"], one["state"]) == (row_id, "PurgeProtectionIsOff", "awaiting_approval")
    assert [it["id"] for it in sheet if it["verdict"] == "NonCompliant"] == [row_id]
    assert [it["partialFingerprints"]["cmkwardenRecord/v1"] for it in sarif] == [row_id]
    assert (junit.failures, junit.errors) == (1, len(whole["unread"]))
    assert [it["finding_info"]["uid"] for it in ocsf if it["status_code"] == "FAIL"] == [row_id]
    assert b"PurgeProtectionIsOff" in got(entry, "?format=html").body


def test_what_is_below_a_severity_is_left_out(entry: Entry) -> None:
    """The finding is critical: it stays at every severity."""
    assert got(entry, "?severity=critical").json()["severity"] == "critical"
    assert got(entry, "?severity=critical").json()["counts"]["findings"]["critical"] == 1


@pytest.mark.parametrize("query", ["?format=pdf", "?format=", "?severity=none", "?form=json"])
def test_what_is_no_form_is_refused(entry: Entry, query: str) -> None:
    """Nobody gets another file than the one they meant."""
    assert (got(entry, query).status, got(entry, query).reason) == (400, "BadFormat")


def test_a_report_writes_nothing(entry: Entry) -> None:
    """With every port closed that writes, sends or asks Azure it is the same."""
    behind = Entry.over(sealed(entry.world))

    assert got(behind, "?format=json").body == got(entry, "?format=json").body
    assert entry.call("GET", "/api/report").status == 401
    assert entry.call("GET", "/api/report", token()).status == 403
