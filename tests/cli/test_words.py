"""Words of the command line that need no app: what is harmless, until when, the chain, who is meant, and how fast help is."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import chain, claims, local, problems
from cli.app_client import BadAddress, base
from cli.safe import block, cell, command, plain
from cli.session import Usage
from cli.until import until
from cli.version import VERSION
from shared.core.chain import START, Entry, link
from simulator.stack import ROOT
from tests.cli.keyboard import Keyboard

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = ["\x1b[31mred\x1b[0m", "a\nb", "\u202egpj.exe", "\x9b2J", "\u2028x", "\ud800", "\x07", "a\u200bb"]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_foreign_reaches_the_terminal(text: str) -> None:
    """What a terminal obeys, what turns the direction and what nobody sees is shown as an escape, on one line."""
    shown = plain(text)

    assert shown.isprintable()
    assert "\\" in shown


def test_what_is_harmless_stays_as_it_is() -> None:
    """Brackets, dollars and letters of any script are no danger where nothing reads them as markup."""
    assert plain("[red]x[/red] $(reboot) ü 日本 🔑") == "[red]x[/red] $(reboot) ü 日本 🔑"
    assert (plain(None), plain(3), plain(True)) == ("", "3", "True")
    assert block("# a\u2060b\n\x1b[2J") == "# a\u2060b\n\\x1b[2J"


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(text: str) -> None:
    """It gets an apostrophe in front, and comes back from a CSV file as one cell."""
    held = io.StringIO()
    csv.writer(held).writerow([cell(text), cell("a\nb"), cell("x")])
    (row,) = csv.reader(io.StringIO(held.getvalue()))

    assert row == [f"'{text}", "a\nb", "x"]


@pytest.mark.parametrize("word", ["$(reboot)", "`id`", "a b", "; rm -rf /", "it's", "-x", "*", "\n", "!x"])
def test_a_command_that_is_shown_can_be_typed(word: str) -> None:
    """A shell hands on exactly the words, and runs none of them."""
    typed = command("printf", "%s|", "show", word)
    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True)

    assert done.stdout == f"show|{plain(word)}|"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3d", "2026-11-27T12:00:00+00:00"),
        ("12h", "2026-11-25T00:00:00+00:00"),
        ("2W", "2026-12-08T12:00:00+00:00"),
        ("90m", "2026-11-24T13:30:00+00:00"),
        ("2026-12-24", "2026-12-24T00:00:00+00:00"),
        ("2026-12-24T18:00Z", "2026-12-24T18:00:00+00:00"),
        ("2026-12-24T18:00+02:00", "2026-12-24T16:00:00+00:00"),
    ],
)
def test_until_when(text: str, meant: str) -> None:
    """A span, a date, a time; without a zone it is UTC."""
    assert until(text, NOW) == meant


@pytest.mark.parametrize("text", ["", "soon", "3", "d", "-3d", "2026-11-24T11:59Z", "2020-01-01", "99999d"])
def test_until_nonsense(text: str) -> None:
    """What is no time, or past, is said to be so before anything is asked."""
    with pytest.raises(Usage):
        until(text, NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_DETAIL = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _JSON, max_size=3)


def _history(details: list[dict[str, Any]], moments: list[datetime]) -> list[dict[str, Any]]:
    """Return a history as the app writes it and the API shows it."""
    previous, entries = START, []
    for number, (detail, moment) in enumerate(zip(details, moments, strict=False), 1):
        entry = Entry(number, moment.replace(tzinfo=UTC), "évent", "observed", "who", "Why", detail, previous)
        previous = link(entry)
        entries.append(replace(entry, hash=previous))
    found: list[dict[str, Any]] = json.loads(msgspec.json.encode(entries))
    return found


@given(st.lists(_DETAIL, min_size=1, max_size=4), st.lists(st.datetimes(), min_size=4, max_size=4))
def test_the_chain_is_computed_as_the_app_does(details: list[dict[str, Any]], moments: list[datetime]) -> None:
    """Two programs, one hash: whatever stands in an entry, after its way over the wire."""
    history = _history(details, moments)

    assert chain.broken(history, f'"{history[-1]["hash"][:32]}"') == ""


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda them: them[1]["detail"].update(x=1), "entry 2 was changed"),
        (lambda them: them[0].update(actor="nobody"), "entry 1 was changed"),
        (lambda them: them.pop(1), "entry 2 is missing"),
        (lambda them: them[2].update(previous=START), "entry 3 does not follow"),
        (lambda them: them.pop(), "the record stands at another entry"),
        (lambda them: them.clear(), "there is no history"),
        (lambda them: them[0].update(extra=1), "entry 1 cannot be read"),
        (lambda them: them[0].update(time="yesterday"), "entry 1 cannot be read"),
    ],
)
def test_a_chain_that_was_touched_is_broken(tamper: Any, said: str) -> None:
    """Changed, removed, reordered, cut off: each is named by its place."""
    history = _history([{}, {}, {}], [datetime(2026, 1, day) for day in (1, 2, 3)])  # noqa: DTZ001
    etag = f'"{history[-1]["hash"][:32]}"'
    tamper(history)

    assert said in chain.broken(history, etag)


def test_a_past_that_was_rewritten_whole_shows_against_what_was_kept() -> None:
    """The new chain is whole by itself; only a copy tells."""
    kept = _history([{"a": 1}, {}], [datetime(2026, 1, 1), datetime(2026, 1, 2)])  # noqa: DTZ001
    other = _history([{"a": 2}, {}, {}], [datetime(2026, 1, 1)] * 3)  # noqa: DTZ001

    assert chain.broken(other) == ""
    assert chain.parted(kept, other) == "entry 1 is not the one that was kept"
    assert chain.parted(kept, kept[:1]) == "entries 2 to 2 were kept and are gone"
    assert chain.parted(kept[:1], kept) == ""


@pytest.mark.parametrize(
    "url", ["https://x.example", "https://x.example/", "https://x.example/api", "https://x.example/api/"]
)
def test_an_address_is_taken_with_or_without_api(url: str) -> None:
    """What people copy from a browser works."""
    assert base(url) == "https://x.example"


@pytest.mark.parametrize("url", ["http://x.example", "x.example", "ftp://x", "https://", "https://x:port", "https://x/?a=1", "http://127.0.0.1.evil.example"])  # fmt: skip
def test_a_token_goes_nowhere_else(url: str) -> None:
    """Plain HTTP is for this machine alone."""
    with pytest.raises(BadAddress):
        base(url)


def test_claims_are_read_and_never_believed() -> None:
    """Garbage is nothing."""
    assert [claims.claims(text) for text in ("", "a.b", "a.!!.c", "a.e30x.c", "a.W10.c")] == [{}] * 5
    assert claims.roles("a.e30.c") == ()
    assert claims.ends("a.eyJleHAiOiJ4In0.c") is None


def test_each_reason_has_a_row_in_problems() -> None:
    """The short list names no reason that the long one does not."""
    page = (ROOT / problems.PAGE).read_text()

    assert [reason for reason in problems.TODO if f"`{reason}`" not in page] == []


def test_the_version_is_that_of_the_project() -> None:
    """One number for the package, the app and the command line."""
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_who_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada is Ada and not Rada; the file is found from below; what is not there is said."""
    (tmp_path / ".local").mkdir()
    (tmp_path / "below").mkdir()
    people = [{"name": name, "token": name} for name in ("Rada Reader", "Ada Approver")]
    (tmp_path / ".local/stack.json").write_text(json.dumps({"functions": "http://127.0.0.1:1", "people": people}))
    monkeypatch.chdir(tmp_path / "below")

    assert [local.person(part).name for part in ("", "ada", "rad", "approv", "ead")] == [
        "Rada Reader", "Ada Approver", "Rada Reader", "Ada Approver", "Rada Reader",
    ]  # fmt: skip
    with pytest.raises(local.NoStack, match="Ada Approver"):
        local.person("zoe")
    (tmp_path / ".local/stack.json").write_text("{}")
    with pytest.raises(local.NoStack, match="people"):
        local.person("")
    (tmp_path / ".local/stack.json").write_text("{")
    with pytest.raises(local.NoStack, match="cannot be read"):
        local.person("")


def test_help_loads_neither_sdk_nor_http() -> None:
    """Help and commands against the app are quick: typer and rich are all that is loaded."""
    ask = "import sys; from cli.main import command_line; command_line(['findings']); print([it for it in ('requests', 'azure', 'shared', 'remediators', 'msgspec') if it in sys.modules])"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_each_command_has_help_with_an_example(tmp_path: Path) -> None:
    """For somebody tired: what it does, and a line to copy."""
    keyboard = Keyboard(tmp_path)
    listed = keyboard.type("--help").stdout
    names = [
        "findings", "remediations", "show", "explain", "approve", "reject", "cancel", "retry", "undo", "confirm", "pick",
        "exempt", "unexempt", "tickets", "doctor", "version",
    ]  # fmt: skip

    assert [name for name in [*names, "history", "scan"] if f" {name} " not in listed] == []
    from cli.main import command_line

    told = {it.name: it.callback.__doc__ for it in command_line([]).registered_commands if it.callback}
    assert [name for name in names if f"Example: cmkwarden {name}" not in str(told[name])] == []
    assert "Example: cmkwarden history verify" in keyboard.type("history", "verify", "--help").stdout
    assert keyboard.type("version").stdout == f"cmkwarden {VERSION}\n"
    assert "--subscription" in keyboard.type("scan", "--help").stdout
