"""What-if, reports and evidence on the command line, from a real app: files that other tools read, and nothing changed."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Client, until
from tests.cli.keyboard import Keyboard

_GROUP = "rg-reports"


@pytest.fixture(scope="module")
def row(azure: Client) -> dict[str, Any]:
    """A vault in a sandbox, whose plan waits for somebody."""
    subscription = azure.facts["subscriptions"][0]
    azure.put_group(subscription, _GROUP).raise_for_status()
    path = f"/subscriptions/{subscription}/resourceGroups/{_GROUP}/providers/Microsoft.KeyVault/vaults/kv-reports"
    azure.put_vault(path, {"cmk-vault": "true", "environment": "sandbox", "owner": "=cmd()\x1b[31m"}).raise_for_status()

    def waits() -> dict[str, Any] | None:
        found = azure.row(path)
        return found if found and found["state"] == "awaiting_approval" else None

    found: dict[str, Any] = until(waits, "a question", 60)
    return found


def test_what_if_before_anybody_switches(azure: Client, tmp_path: Path, row: dict[str, Any]) -> None:
    """The waiting plan is asked for today, and would only be recorded under observe; the record stays as it was."""
    keyboard, before = Keyboard(tmp_path, azure), azure.app(f"/api/remediations/{row['id']}")["history"]
    today = keyboard.json("what-if")
    observed = keyboard.json("what-if", "--mode", "observe")
    table = keyboard.local("what-if", "--mode", "auto", "--auto-scope", "")
    wrong = keyboard.local("what-if", "--mode-of", "KV-RECOVERY=never")

    def fate(found: Any) -> tuple[str, str]:
        (it,) = [it for it in found["items"] if it["remediation"] == row["id"]]
        return it["fate"], it["reason"]

    assert fate(today) == ("approval", row["decision"]["reason"])
    assert fate(observed) == ("observe", "ModeIsObserve")
    assert (table.returncode, "would happen by itself" in table.stdout) == (0, False)
    assert "would be asked for" in table.stdout
    assert "\x1b" not in table.stdout + table.stderr
    assert (wrong.returncode, "BadVariation" in wrong.stderr) == (1, True)
    assert azure.app(f"/api/remediations/{row['id']}")["history"] == before


@pytest.mark.parametrize("form", ["json", "csv", "sarif", "junit", "ocsf", "html"])
def test_a_report_in_every_form(azure: Client, tmp_path: Path, row: dict[str, Any], form: str) -> None:
    """To a file and to standard output, the same bytes but for the time; the finding is in each."""
    keyboard = Keyboard(tmp_path, azure)
    done = keyboard.local("report", "-o", form, "--output-file", str(tmp_path / "report"))
    text = (tmp_path / "report").read_text()

    assert (done.returncode, done.stdout) == (0, "")
    assert "kv-reports" in text
    assert (row["id"] in text) is (form not in {"junit", "html"})
    assert "\x1b" not in text


def test_a_pack_that_anybody_can_check(azure: Client, tmp_path: Path, row: dict[str, Any]) -> None:
    """Got, checked without the app, its histories compared with the app's; what it lists is what there is."""
    keyboard = Keyboard(tmp_path, azure)
    place = tmp_path / "pack.zip"
    done = keyboard.local("evidence", "--framework", "pci", "--framework", "cis", "--output-file", str(place))
    check = keyboard.type("evidence-check", str(place))
    with zipfile.ZipFile(place) as pack:
        pack.extract("history.jsonl", tmp_path)
        names, manifest = pack.namelist(), json.loads(pack.read("manifest.json"))
    verified = keyboard.local("history", "verify", "--file", str(tmp_path / "history.jsonl"))
    none = keyboard.local("evidence", "--framework", "soc", "--output-file", str(place))

    assert (done.returncode, len(done.stdout.split()[0])) == (0, 64)
    assert (check.returncode, check.stdout[:5]) == (0, "whole"), check.stdout + check.stderr
    assert {it for it in names if it.endswith(".html")} == {"frameworks/pci.html", "frameworks/cis.html"}
    assert manifest["by"] == azure.facts["people"][0]["object_id"]
    assert row["id"] in (tmp_path / "history.jsonl").read_text()
    assert (verified.returncode, verified.stderr.strip().endswith("0 broken")) == (0, True), verified.stdout
    assert (none.returncode, "BadFramework" in none.stderr) == (1, True)
