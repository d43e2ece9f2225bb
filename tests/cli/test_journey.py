"""The command line on a real stack: from a finding to its end, by people with different rights, at a terminal and in scripts."""

import csv
import io
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Client, until
from tests.cli.keyboard import Keyboard


@pytest.fixture
def keyboard(tmp_path: Path, azure: Client) -> Keyboard:
    """Somebody in front of the local Azure."""
    return Keyboard(tmp_path, azure)


def _waiting(azure: Client, **tags: str) -> Mapping[str, Any]:
    """Return the record of a new vault in a sandbox: its recovery is asked for, and cannot be undone."""
    subscription = azure.facts["subscriptions"][2]
    azure.put_group(subscription, "rg-cli")
    name = f"kv-cli-{uuid.uuid4().hex[:10]}"
    vault = f"/subscriptions/{subscription}/resourceGroups/rg-cli/providers/Microsoft.KeyVault/vaults/{name}"
    azure.put_vault(vault, {"cmk-vault": "true", "environment": "sandbox", **tags})
    return until(lambda: azure.row(vault), "the record of the vault")


def test_a_finding_from_its_list_to_its_end(azure: Client, keyboard: Keyboard) -> None:
    """Listed, shown by the beginning of its id, approved at a terminal by the name of its target, followed to its end."""
    row = _waiting(azure, owner="[red]x[/red] $(reboot)")
    name = row["target"].rsplit("/", 1)[1]
    listed = keyboard.local(
        "findings", "--state", "awaiting_approval", "--target", row["target"], "--control", "KV-RECOVERY"
    )
    shown = keyboard.local("show", row["id"][:12]).stdout
    refused = keyboard.answer("yes", "approve", row["id"], "--comment", "go", "--local", "--as", "Ada")
    before = azure.app(f"/api/remediations/{row['id']}")["state"]
    done = keyboard.answer(name, "approve", row["id"], "--comment", "go", "--wait", "--local", "--as", "Ada")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["ID", row["id"]]
    assert "[IRREVERSIBLE]" in shown
    assert "enablePurgeProtection: null -> true" in shown
    assert "owner by its tags: [red]x[/red] $(reboot)" in shown
    assert f"cmkwarden approve {row['id']} --comment why --local --as Ada" in shown
    assert (refused.returncode, refused.stdout, before) == (1, "", "awaiting_approval")
    assert "Nothing was approved" in refused.stderr
    assert "CANNOT BE UNDONE" in done.stderr
    assert (done.returncode, done.stdout) == (0, f"{row['id']} resolved KV-RECOVERY at {name}\n")
    assert azure.vault(row["target"])["properties"]["enablePurgeProtection"] is True


def test_a_script_says_what_it_saw(azure: Client, keyboard: Keyboard) -> None:
    """Without a terminal: the fingerprint and --yes, or nothing happens; another fingerprint is another plan."""
    row = _waiting(azure)
    approve = ("approve", row["id"], "--comment", "go")
    alone = keyboard.local(*approve, who="Ada")
    sure = keyboard.local(*approve, "--yes", who="Ada")
    other = keyboard.local(*approve, "--yes", "--fingerprint", "f" * 32, who="Ada")
    print_ = keyboard.json("show", row["id"])["plan"]["fingerprint"]
    reader = keyboard.local(*approve, "--yes", "--fingerprint", print_)
    done = keyboard.local(*approve, "--yes", "--fingerprint", print_, "--until", "1h", who="Ada")
    again = keyboard.local(*approve, "--yes", "--fingerprint", print_, who="Amit")

    assert [it.returncode for it in (alone, sure, other, reader, done, again)] == [2, 2, 1, 1, 0, 1]
    assert "--fingerprint" in alone.stderr
    assert "another plan" in other.stderr
    assert "NotAllowed" in reader.stderr
    assert done.stdout.split()[1] == "queued"
    assert "It does not await approval" in again.stderr


def test_no_and_not_here_and_back(azure: Client, keyboard: Keyboard) -> None:
    """Rejected, retried, exempted by two people, and the exemption ended: each with the command of that name."""
    first, row = _waiting(azure), _waiting(azure)
    rejected = keyboard.local("reject", first["id"], "--comment", "not now", who="Ada")
    retried = keyboard.local("retry", first["id"], who="Ada")
    wished = keyboard.local("exempt", row["id"], "--comment", "moves in May", "--until", "30d", who="Ada").stdout
    wish = keyboard.json("show", wished.split()[0])
    own = keyboard.local("approve", wish["id"], "--comment", "mine", "--yes", "--fingerprint", wish["plan"]["fingerprint"], who="Ada")  # fmt: skip
    given = keyboard.local("approve", wish["id"], "--comment", "ok", "--yes", "--wait", "--fingerprint", wish["plan"]["fingerprint"], who="Amit")  # fmt: skip
    shown = keyboard.local("show", row["id"]).stdout
    ended = keyboard.local("unexempt", wish["id"], "--comment", "no move", who="Amit")

    assert (rejected.stdout.split()[1], rejected.returncode, retried.returncode) == ("rejected", 0, 0)
    assert (own.returncode, "OwnRequest" in own.stderr, "somebody else must approve it" in own.stderr) == (
        1,
        True,
        True,
    )
    assert given.returncode == 0
    assert "EXEMPTED" in shown
    assert f"cmkwarden unexempt {row['id']}" in shown
    assert (ended.returncode, ended.stdout.split()[0]) == (0, row["id"])


def test_a_history_is_verified_by_another_program(azure: Client, keyboard: Keyboard, tmp_path: Path) -> None:
    """By id, all of them, and against what was kept; one letter that was changed in the copy is found, with 3."""
    row = _waiting(azure)
    kept = tmp_path / "kept.json"
    kept.write_text(keyboard.local("show", row["id"], "-o", "json").stdout)
    keyboard.local("reject", row["id"], "--comment", "ünicode 🔑 no", who="Ada")
    one = keyboard.local("history", "verify", row["id"])
    everything = keyboard.json("history", "verify", "--all")
    same = keyboard.local("history", "verify", "--file", str(kept))
    kept.write_text(kept.read_text().replace("SandboxEnvironment", "SandboxEnvironmenT"))
    touched = keyboard.local("history", "verify", "--file", str(kept))
    neither = keyboard.local("history", "verify")

    assert (one.returncode, one.stdout.split()[3:6]) == (0, [row["id"], "2", "whole"])
    assert {it["chain"] for it in everything} == {"whole"}
    assert row["id"] in {it["id"] for it in everything}
    assert same.returncode == 0
    assert (touched.returncode, "entry 1 was changed" in touched.stdout) == (3, True)
    assert neither.returncode == 2


def test_lists_for_machines_are_what_the_api_says(azure: Client, keyboard: Keyboard) -> None:
    """JSON is the API's own; CSV has the whole target."""
    row = _waiting(azure)
    target = ("--target", row["target"])
    listed = keyboard.json("remediations", *target)
    rows = list(csv.DictReader(io.StringIO(keyboard.local("remediations", *target, "-o", "csv").stdout)))
    empty = keyboard.local("findings", "--control", "KV-NONE")

    assert listed == azure.app("/api/remediations", target=row["target"])["items"]
    (mine,) = [it for it in rows if it["control"] == "KV-RECOVERY"]
    assert (mine["id"], mine["target"], mine["decision.kind"]) == (row["id"], row["target"], "approval")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", "no findings\n")


def test_what_every_control_says_and_what_a_person_must_do(azure: Client, keyboard: Keyboard) -> None:
    """Explain writes a row for each verdict; a ticket comes as Markdown, byte for byte."""
    row = _waiting(azure)
    explained = keyboard.local("explain", row["target"]).stdout
    ticket = until(lambda: _ticket(azure, row["id"]), "the ticket")
    printed = keyboard.local("tickets", row["id"]).stdout
    listed = keyboard.json("tickets", "--all")

    assert ["KV-RECOVERY", "NonCompliant", "PurgeProtectionIsOff", "approval"] in [line.split()[:4] for line in explained.splitlines()]  # fmt: skip
    assert printed == ticket["markdown"] + "\n"
    assert row["id"] in {it["id"] for it in listed}


def _ticket(azure: Client, row_id: str) -> Mapping[str, Any] | None:
    answer = azure.call("GET", f"/api/tickets/{row_id}")
    return answer.json() if answer.status_code == 200 else None


def test_what_is_not_there_and_who_is_not_meant(keyboard: Keyboard) -> None:
    """An id that is none, a beginning that is none or too short, a person that is none, a way that is none."""
    missing = keyboard.local("show", "a" * 16)
    begun = keyboard.local("show", "zzzzz")
    short = keyboard.local("show", "a")
    nobody = keyboard.local("findings", who="Zoe")
    odd = keyboard.local("findings", "--state", "odd")
    as_ = keyboard.type("findings", "--as", "Ada")

    assert [it.returncode for it in (missing, begun, short, nobody, odd, as_)] == [1, 2, 2, 1, 1, 2]
    assert "NotFound" in missing.stderr
    assert "no id begins so" in begun.stderr
    assert "Ada Approver" in nobody.stderr
    assert "awaiting_approval" in odd.stderr


def test_a_token_and_an_address_are_enough(azure: Client, keyboard: Keyboard) -> None:
    """As against a deployed app: from the environment, and from the command line."""
    person = azure.facts["people"][0]
    by_word = keyboard.type("findings", "-o", "json", "--url", f"{azure.facts['functions']}/api/", CMKWARDEN_TOKEN=person["token"])  # fmt: skip
    by_name = keyboard.type("findings", "-o", "json", CMKWARDEN_URL=azure.facts["functions"], CMKWARDEN_TOKEN=person["token"])  # fmt: skip
    wrong = keyboard.type(
        "findings", CMKWARDEN_URL=azure.facts["functions"], CMKWARDEN_TOKEN=azure.facts["owner_token"]
    )

    assert (by_word.returncode, json.loads(by_word.stdout)) == (0, json.loads(by_name.stdout))
    assert (wrong.returncode, "another audience" in wrong.stderr, "--scope" in wrong.stderr) == (1, True, True)


def test_what_could_not_be_worked_on_is_listed_and_tried_again(azure: Client, keyboard: Keyboard) -> None:
    """An event that makes no sense is on record; nothing of it is kept that could be tried, and that is said."""
    odd = {
        "id": uuid.uuid4().hex,
        "subject": f"/odd/{uuid.uuid4().hex}",
        "eventType": "x",
        "data": {},
        "dataVersion": "2",
    }
    azure.send_events("on_vault_write", [{**odd, "eventTime": "2026-11-24T00:00:00Z"}])
    until(
        lambda: [it for it in azure.app("/api/poison")["items"] if it["source"] == "event"], "the record of the event"
    )
    listed = [it for it in keyboard.json("poison", "--all") if it["source"] == "event"]
    table = keyboard.local("poison", "--all")
    refused = keyboard.local("redrive", listed[0]["id"], who="Ada")
    alone = keyboard.local("redrive", listed[0]["id"])

    assert listed[0]["id"] in table.stdout
    assert (refused.returncode, "NothingKept" in refused.stderr) == (1, True)
    assert (alone.returncode, "NotAllowed" in alone.stderr) == (1, True)
