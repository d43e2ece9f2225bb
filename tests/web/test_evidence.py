"""The evidence pack: whole, the same every time, checked by tools that share nothing with the app, and no tampering unseen."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.chain import broken
from remediators import REMEDIATORS
from shared.core.choices import Mode
from shared.core.frameworks import FRAMEWORKS
from shared.core.survey import Progress, Share, Survey
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.exempt import exemption_of
from shared.flow.undo import Wish
from tests.cli.keyboard import Keyboard
from tests.fakes import NOON, SUBSCRIPTION, vault_body, vault_id
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import yes
from tests.sealed import sealed
from tests.web.entry import Entry, token

HOSTILE = "=cmd()<script>alert(1)</script>\u202e"
type Change = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="module")
def entry() -> Entry:
    """An app with a finding, an exempted one, one that was put right, and a subscription that could not be read."""
    made = Entry()
    world = made.world
    world.choices = replace(world.choices, mode=Mode.APPROVE, subscriptions=(SUBSCRIPTION,))
    world.remediators = REMEDIATORS
    world.arm.put(vault_body("kv-bad", tags={"cmk-vault": "true", "owner": HOSTILE}), vault_body("kv-left"))
    world.arm.put(vault_body("kv-right", enablePurgeProtection=True))
    for name in ("kv-bad", "kv-left", "kv-right"):
        evaluate(world, evaluation(world, vault_id(name)))
    left = next(it for it in world.records.rows.values() if it.row.target.endswith("kv-left"))
    wish = exemption_of(world, left, Wish("mia", HOSTILE, NOON + timedelta(days=30)))
    approve(world, wish, yes(world, wish.row))
    run(world)
    unread = Share("22222222-0000-4000-8000-000000000001", Progress.UNREAD, problem="no right")
    world.surveys.begin(Survey("000000000001", NOON, "", (Share(SUBSCRIPTION, Progress.DONE, listed=3), unread)))
    return made


def pack(entry: Entry, query: str = "") -> bytes:
    """Ask for a pack as a reader."""
    answer = entry.call("GET", f"/api/evidence{query}", token("Reader", oid="rada-oid"))
    assert answer.status == 200, answer.body
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert re.fullmatch(r'attachment; filename="evidence-[\d-]{10}\.zip"', answer.headers["content-disposition"])
    return answer.body


def files(content: bytes) -> dict[str, bytes]:
    """Return what is in a pack, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def checked(folder: Path, content: bytes) -> subprocess.CompletedProcess[str]:
    """Have the command line check a pack."""
    (folder / "pack.zip").write_bytes(content)
    return Keyboard(folder).quick("evidence-check", str(folder / "pack.zip"))


def rows(found: dict[str, bytes], key: str) -> list[dict[str, str]]:
    """Return the rows of a framework's sheet."""
    return list(csv.DictReader(io.StringIO(found[f"frameworks/{key}.csv"].decode())))


def test_a_pack_is_whole(entry: Entry, tmp_path: Path) -> None:
    """Every file is in the manifest with its hash, every chain holds, and the command line says so."""
    found = files(pack(entry))
    manifest = json.loads(found["manifest.json"])
    names = {it["name"]: it for it in manifest["files"]}
    histories = [json.loads(it) for it in found["history.jsonl"].splitlines()]

    assert set(found) == {*names, "manifest.json"}
    assert set(names) == {
        "README.txt", "report.json", "history.jsonl",
        *(f"frameworks/{key}.{kind}" for key in FRAMEWORKS for kind in ("html", "csv")),
    }  # fmt: skip
    for name, it in names.items():
        assert (it["size"], it["sha256"]) == (len(found[name]), hashlib.sha256(found[name]).hexdigest())
    assert {it["id"] for it in histories} == set(entry.world.records.rows)
    assert [broken(it["history"], it["newest"]) for it in histories] == [""] * len(histories)
    done = checked(tmp_path, pack(entry))
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "whole"), done.stdout


def test_the_manifest_says_who_when_and_what_is_missing(entry: Entry) -> None:
    """The object id of who asked, the time, the version, the estate and what nobody could read."""
    manifest = json.loads(files(pack(entry, "?framework=cis"))["manifest.json"])

    assert (manifest["by"], manifest["made"]) == ("rada-oid", entry.world.clock.now().isoformat())
    assert (manifest["product"], manifest["version"], manifest["frameworks"]) == ("cmkwarden", "0.1.0", ["cis"])
    assert manifest["subscriptions"] == [SUBSCRIPTION]
    assert manifest["unread_subscriptions"] == ["22222222-0000-4000-8000-000000000001"]
    assert [it["message"] for it in manifest["unread"]] == ["no right"]
    assert manifest["counts"]["records"] == len(entry.world.records.rows)
    assert manifest["broken_chains"] == []


def test_the_same_record_and_time_make_the_same_bytes(entry: Entry) -> None:
    """Twice the same; another time is another pack."""
    first, again = pack(entry), pack(entry)
    entry.world.clock.advance(3600)

    assert first == again
    assert pack(entry) != first


def test_what_an_auditor_reads(entry: Entry) -> None:
    """Requirement, control, mapping, outcome; the exempted one with who, why and until when; what was not judged says so."""
    found = files(pack(entry))
    recovery = [it for it in rows(found, "cis") if it["requirement"] == "8.3.5" and it["control"] == "KV-RECOVERY"]
    outcome = {it["target"].rsplit("/", 1)[1]: it["outcome"] for it in recovery}
    left = next(it for it in recovery if it["target"].endswith("kv-left"))
    whole = entry.world.remediators
    entry.world.remediators = tuple(it for it in whole if it.control.id != "KV-LOGS")
    logs = next(it for it in rows(files(pack(entry)), "cis") if it["control"] == "KV-LOGS")
    entry.world.remediators = whole
    page = found["frameworks/cis.html"].decode()

    assert outcome == {"kv-bad": "non-compliant", "kv-left": "exempted", "kv-right": "compliant"}
    assert {it["mapping"] for it in recovery} == {"official"}
    assert (left["exempted_by"], left["exempted_until"]) == ("mia", (NOON + timedelta(days=30)).isoformat())
    assert left["exempted_because"].startswith("'=cmd()")
    assert logs["outcome"] == "not judged"
    assert "not part of this version" in logs["message"]
    assert {it["mapping"] for it in rows(found, "cis") if it["requirement"] == "8.3.6"} == {"supporting"}
    assert "1 non-compliant, 1 exempted, 1 compliant" in page
    assert "exempted by mia until" in page
    assert "<script>" not in page
    assert "\u202e" not in b"".join(found.values()).decode()


def test_an_exemption_that_is_past_exempts_nothing(entry: Entry) -> None:
    """Nobody has looked since; the pack goes by the date."""
    world = entry.world
    before = world.clock.time
    world.clock.time = NOON + timedelta(days=31)
    found = [
        it
        for it in rows(files(pack(entry)), "cis")
        if it["target"].endswith("kv-left") and it["requirement"] == "8.3.5"
    ]
    world.clock.time = before

    assert {it["outcome"] for it in found if it["control"] == "KV-RECOVERY"} == {"non-compliant"}


def test_what_is_switched_off_is_no_evidence(entry: Entry) -> None:
    """Neither a pass nor a fail, whatever is on record of it."""
    world = entry.world
    before = world.choices
    world.choices = replace(before, modes={"KV-RECOVERY": Mode.OFF})
    found = [it for it in rows(files(pack(entry)), "cis") if it["control"] == "KV-RECOVERY"]
    world.choices = before

    assert {it["outcome"] for it in found} == {"not judged"}
    assert "switched off" in found[0]["message"]


def test_what_the_readme_tells_to_type_works(entry: Entry, tmp_path: Path) -> None:
    """Without the app and without the command line, on the files as they are unpacked."""
    with zipfile.ZipFile(io.BytesIO(pack(entry, "?framework=iso"))) as archive:
        archive.extractall(tmp_path)
    command = re.search(r'python3 -c "(.+?)"\n', (tmp_path / "README.txt").read_text(), re.DOTALL)
    assert command is not None

    def said() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", command[1]], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    assert len(said()) == 5
    assert all(it.startswith("True ") for it in said())
    (tmp_path / "report.json").write_text("{}")
    assert "False report.json" in said()


def _rehashed(found: dict[str, bytes]) -> None:
    """Make the manifest fit what is there: whoever tampers can do that as well."""
    manifest = json.loads(found["manifest.json"])
    for it in manifest["files"]:
        it |= {"size": len(found[it["name"]]), "sha256": hashlib.sha256(found[it["name"]]).hexdigest()}
    found["manifest.json"] = json.dumps(manifest).encode()


def _records(found: dict[str, bytes], change: Callable[[list[Any]], object]) -> None:
    histories = [json.loads(it) for it in found["history.jsonl"].splitlines()]
    change(histories)
    found["history.jsonl"] = b"".join(json.dumps(it).encode() + b"\n" for it in histories)
    _rehashed(found)


def _a_word(found: dict[str, bytes]) -> None:
    found["report.json"] = found["report.json"].replace(b"NonCompliant", b"Compliant")


def _who(found: dict[str, bytes]) -> None:
    _records(found, lambda it: it[0]["history"][0].update(actor="nobody"))


def _the_last_entry(found: dict[str, bytes]) -> None:
    _records(found, lambda it: max(it, key=lambda each: len(each["history"]))["history"].pop())


def _the_first_entry(found: dict[str, bytes]) -> None:
    _records(found, lambda it: max(it, key=lambda each: len(each["history"]))["history"].pop(0))


def _a_record(found: dict[str, bytes]) -> None:
    _records(found, lambda it: it.pop())


def _a_record_twice(found: dict[str, bytes]) -> None:
    _records(found, lambda it: it.__setitem__(0, it[1]))


def _newest(found: dict[str, bytes]) -> None:
    _records(found, lambda it: it[0].update(newest=""))


def _a_file(found: dict[str, bytes]) -> None:
    del found["frameworks/cis.html"]


def _one_file_more(found: dict[str, bytes]) -> None:
    found["frameworks/soc.html"] = b"all is well"


def _no_manifest(found: dict[str, bytes]) -> None:
    del found["manifest.json"]


def _deep(found: dict[str, bytes]) -> None:
    found["manifest.json"] = b"[" * 100_000


def _odd(found: dict[str, bytes]) -> None:
    found["manifest.json"] = b'{"files": 3, "counts": {}}'


def _no_history(found: dict[str, bytes]) -> None:
    del found["history.jsonl"]
    found["history.jsonl"] = b"[]\n"
    _rehashed(found)


CHANGES: list[tuple[Change, str]] = [
    (_a_word, "report.json is not as it was"), (_who, "was changed"), (_the_last_entry, "stands at another entry"),
    (_the_first_entry, "is missing"), (_a_record, "the manifest tells of"), (_a_record_twice, "is there twice"),
    (_newest, "no newest hash"), (_a_file, "cis.html is missing"), (_one_file_more, "soc.html is not in the manifest"),
    (_no_manifest, "manifest.json cannot be read"), (_deep, "manifest.json cannot be read"),
    (_odd, "manifest.json cannot be read"), (_no_history, "history.jsonl cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=[it.__name__ for it, _ in CHANGES])
def test_a_pack_that_was_tampered_with_is_found_out(entry: Entry, tmp_path: Path, change: Change, said: str) -> None:
    """Even where the manifest was made to fit."""
    found = files(pack(entry, "?framework=cis"))
    change(found)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, content)
    done = checked(tmp_path, held.getvalue())

    assert done.returncode == 3
    assert said in done.stdout


def test_what_is_no_pack_is_said_to_be_none(tmp_path: Path, entry: Entry) -> None:
    """Cut off, or no zip at all; and a file that comes twice is no trick."""
    assert checked(tmp_path, pack(entry)[:-100]).returncode == 2
    assert checked(tmp_path, b"").returncode == 2
    held = io.BytesIO(pack(entry))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(held, "a") as archive:
        archive.writestr("report.json", "{}")
    assert "report.json is there 2 times" in checked(tmp_path, held.getvalue()).stdout


@pytest.mark.parametrize("query", ["?framework=soc", "?framework=,", "?frameworks=cis", "?framework=cis,nope"])
def test_only_frameworks_that_there_are(entry: Entry, query: str) -> None:
    """Nobody gets a pack without the framework they meant."""
    answer = entry.call("GET", f"/api/evidence{query}", token("Reader"))

    assert (answer.status, answer.reason) == (400, "BadFramework")


def test_some_frameworks_in_any_way_of_asking(entry: Entry) -> None:
    """Between commas, repeated, in any case; always in the same order."""
    one, other = pack(entry, "?framework=ISO,cis"), pack(entry, "?framework=cis&framework=iso")

    assert one == other
    assert sorted(name for name in files(one) if name.endswith(".csv")) == ["frameworks/cis.csv", "frameworks/iso.csv"]


def test_making_evidence_writes_nothing(entry: Entry) -> None:
    """With every port closed that writes, sends or asks Azure it is the same pack."""
    assert pack(Entry.over(sealed(entry.world))) == pack(entry)
    assert entry.call("GET", "/api/evidence").status == 401
    assert entry.call("GET", "/api/evidence", token()).status == 403


def test_a_chain_that_was_broken_before_is_told(entry: Entry, tmp_path: Path) -> None:
    """The pack is made all the same: that it is broken is what an auditor must hear."""
    records = entry.world.records
    row_id = next(iter(records.past))
    kept = records.past[row_id]
    records.past[row_id] = [replace(kept[0], actor="nobody"), *kept[1:]]
    content = pack(entry)
    records.past[row_id] = kept

    assert json.loads(files(content)["manifest.json"])["broken_chains"] == [row_id]
    assert f"the history of {row_id} is broken: entry 1 was changed" in checked(tmp_path, content).stdout
