"""The harness itself, with a small client of our own: proxy, certificates, sign-in, journal, time limits, report."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.clients.report import Check, Report, difference
from simulator.clients.stage import CLIENT_ID, Ran, Stage
from simulator.clients.vaults import SUBSCRIPTION, VAULTS, body

LIST = """
import json, os, requests
token = requests.get(os.environ["IDENTITY_ENDPOINT"], headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
    params={"api-version": "2019-08-01", "resource": "https://management.azure.com/", "client_id": "%s"}).json()
url = "https://management.azure.com/subscriptions/%s/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"
reply = requests.get(url, headers={"Authorization": "Bearer " + token["access_token"]})
print(json.dumps([row["name"] for row in reply.json()["value"]]))
"""
ASK_ELSEWHERE = """
import requests
try: requests.get("https://telemetry.example.com/")
except requests.exceptions.ProxyError: print("refused")
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Simulator and proxy, started once, with two planted vaults."""
    with Stage(tmp_path_factory.mktemp("clients")) as running:
        running.seed([body(each) for each in VAULTS[:2]])
        yield running


def python(code: str) -> list[str]:
    """A client of our own."""
    return [sys.executable, "-c", code]


def test_a_client_reaches_the_simulator_under_azures_name(stage: Stage) -> None:
    """Unmodified: by the proxy, with a certificate it trusts and a token it was given; the journal counts it."""
    ran = stage.run(python(LIST % (CLIENT_ID, SUBSCRIPTION)))

    assert ran.code == 0, ran.err
    assert ran.json() == ["kvp-all-on", "kvp-no-rbac"]
    assert [(each["method"], each["status"]) for each in ran.journal] == [("GET", 200)]


def test_nothing_else_can_be_reached(stage: Stage) -> None:
    """And what was asked for is known afterwards."""
    ran = stage.run(python(ASK_ELSEWHERE))

    assert ran.out.strip() == "refused"
    assert stage.refused() == ["telemetry.example.com:443"]


def test_a_client_sees_nothing_of_the_users_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, no credentials, no home."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the user")
    ran = stage.run(python("import os; print(os.environ.get('AZURE_CLIENT_SECRET'), os.environ['HOME'])"))

    assert ran.out.split() == ["None", str(stage.folder / "home")]


def test_a_client_that_hangs_is_ended_with_all_it_has_started(stage: Stage) -> None:
    """After its time; what it had printed is kept."""
    code = "import subprocess, sys, time\n"
    code += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    code += "print(child.pid, flush=True); time.sleep(60)"
    ran = stage.run(python(code), seconds=1)
    child = Path(f"/proc/{ran.out.strip()}/stat")

    assert ran.code is None
    stage.wait_for(lambda: not child.exists() or " Z " in child.read_text())
    assert not child.exists() or " Z " in child.read_text()


def test_a_client_that_has_gone_quiet_is_ended_before_its_time(stage: Stage) -> None:
    """It asked, and then nothing more came."""
    started = time.monotonic()
    ran = stage.run(python(LIST % (CLIENT_ID, SUBSCRIPTION) + "\nimport time; time.sleep(60)"), seconds=30, quiet=1)

    assert ran.code is None
    assert len(ran.journal) == 1
    assert time.monotonic() - started < 20


def test_a_disagreement_says_what_is_missing_and_what_is_too_much() -> None:
    """In the words of the findings."""
    said: list[str] = []
    report = Report(said.append)
    ran = Ran(0, "", "a complaint", 1.5, [{"method": "GET", "path": "/x", "status": 404}])

    assert report.expect("az", "list", ran, {"a", "b"}, {"b", "c"}) is False
    assert difference({"a", "b"}, {"b", "c"}) == "not found: ['a']; not expected: ['c']"
    assert "not found: ['a']; not expected: ['c']" in "\n".join(said)
    assert "GET /x 404" in "\n".join(said)
    assert "a complaint" in "\n".join(said)
    assert not report.all_good()


def test_the_report_is_good_only_when_something_was_checked_and_all_of_it_agreed() -> None:
    """An empty report proves nothing."""
    report = Report(lambda _line: None)
    nothing = report.all_good()
    report.expect("az", "list", Ran(0, "[]", "", 2, [{}, {}]), {"a"}, {"a"})
    report.add(Check("az", "show", "fine", seconds=1, requests=1))

    assert nothing is False
    assert report.all_good()
    assert report.table().splitlines()[1].split() == ["az", "2", "2", "3", "3.0"]


def test_a_client_that_fails_is_reported_with_its_code() -> None:
    """Even when nothing was compared."""
    report = Report(lambda _line: None)

    assert report.expect_done("az", "login", Ran(3, "", "no", 1, [])) is False
    assert report.checks[0].why.startswith("ended with 3")
