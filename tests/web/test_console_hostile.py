"""Names that would do something elsewhere: on every page, in a sheet, in a file, they are text."""

import csv
import io
import json
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.ports import Event, Stored
from shared.core.record import Exemption, State
from shared.web.asked import etag
from shared.web.console.acts import ACTS
from tests.fakes import NOON
from tests.web.console import COOKIE, Browser, Reader
from tests.web.entry import Entry

NAMES = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "{{ 7 * 7 }}", "{% raw %}",
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "@channel", "$(reboot)", "`id`", "\x1b[31mred\x1b[0m",
    "\u202egpj.exe", "javascript:alert(1)", "</textarea><script>", "&lt;b&gt;", "\ud800", "a\x00b", "\uff1d1+1", "]]>", "-->",
)  # fmt: skip


def _hostile(entry: Entry, name: str) -> Stored:
    """Return a row that holds a name wherever one from outside can be: not in its target, which is rebuilt when it comes in."""
    stored = entry.waiting()
    row, steps = stored.row, stored.row.plan.steps
    odd = replace(
        steps[0], resource=f"{steps[0].resource}/{name}", before={name: name}, after={name: [name]}, note=name
    )
    changed = replace(
        row, subject=name, plan=replace(row.plan, steps=(odd,)),
        finding=Finding(name, name, {"layers": [dict.fromkeys(("layer", "verdict", "reason", "message"), name)],
                                     "preflight": [dict.fromkeys(("check", "result", "message", "todo"), name)],
                                     "notes": [name], "vault": name, "eligible": [name], "proposed": [name],
                                     "stands_in_the_way": {"reason": name, "message": name}}),
        decision=Decision(Kind.APPROVAL, name, name, owner=name), state=State.AWAITING_APPROVAL,
        exemption=Exemption(name, name, NOON.replace(year=2030)), requester=name,
    )  # fmt: skip
    return entry.world.records.save(changed, Event(name, name, name, {"comment": name, "message": name}), stored)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_becomes_markup(name: str) -> None:
    """The tags, attributes and links of a page are the same whatever the names in it are."""
    plain, odd = Entry(), Entry()
    rows = [_hostile(plain, "harmless"), _hostile(odd, name)]
    for path in (
        "/",
        "/history?verify=1",
        "/remediations/{}",
        "/remediations/{}/live",
        "/explain?resource={}",
        "/?q={}",
    ):
        pages = [
            Browser(entry).get(path.format(word)).body.decode()
            for entry, word in ((plain, rows[0].row.id), (odd, rows[1].row.id))
        ]
        one, other = map(Reader, pages)
        assert other.tags == one.tags, path
        assert [at for at, _ in other.attributes] == [at for at, _ in one.attributes], path
        assert not [link for link in other.links if link.strip().lower().startswith("javascript:")]
        assert not {"\x1b", "\u202e", "\x00"} & set(pages[1])


@pytest.mark.parametrize("name", NAMES)
def test_no_word_of_a_search_becomes_markup(name: str) -> None:
    """What somebody typed, or was sent a link with, comes back as text."""
    entry = Entry()
    entry.waiting()
    typed = quote(name.encode("utf-8", "replace"))
    for path in ("/?q={}", "/history?q={}", "/history?target={}", "/estate?q={}", "/explain?resource={}"):
        plain, odd = (Reader(Browser(entry).get(path.format(word)).body.decode()) for word in ("harmless", typed))
        assert odd.tags == plain.tags, path
        assert [at for at, _ in odd.attributes] == [at for at, _ in plain.attributes], path


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_of_a_sheet_is_a_formula(name: str) -> None:
    """Read back by another reader: each cell one line, none that a spreadsheet would work out."""
    entry = Entry()
    _hostile(entry, name)
    text = Browser(entry).get("/history?format=csv").body.decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))]


def test_a_file_of_proof_is_json_and_says_what_its_chains_say() -> None:
    """Every entry, and whether the chain is whole."""
    entry = Entry()
    _hostile(entry, NAMES[0])
    answer = Browser(entry).get("/history?format=json")
    (row,) = json.loads(answer.body)["items"]

    assert answer.headers["content-disposition"] == 'attachment; filename="remediations.json"'
    assert (row["history_intact"], len(row["history"])) == (True, 2)


def test_a_broken_chain_is_seen_on_both_pages() -> None:
    """Somebody has changed what was written: the list says so, the page says so and what to do."""
    entry = Entry()
    stored = entry.waiting()
    past = entry.world.records.past[stored.row.id]
    past[0] = replace(past[0], reason="another")
    browser = Browser(entry)

    assert "broken" in browser.read("/history?verify=1").text
    assert "tell the security team" in browser.read(f"/remediations/{stored.row.id}").text


ENTRY = Entry()
WORD = st.text(max_size=40)
PAIRS = st.lists(st.tuples(st.sampled_from(("q", "state", "shelf", "control", "cursor", "target", "kind", "worst",
                                            "resource", "verify", "format", "x")), WORD), max_size=4)  # fmt: skip


@settings(max_examples=150)
@given(
    path=st.sampled_from(("/", "/history", "/estate", "/explain", "/remediations/{}", "/remediations/{}/live")),
    pairs=PAIRS,
    odd=WORD,
)
def test_whatever_is_asked_of_a_page_is_answered(path: str, pairs: list[tuple[str, str]], odd: str) -> None:
    """Any query and any id: a page, never a bug."""
    answer = Browser(ENTRY).get(f"{path.format(quote(odd, safe=''))}?{urlencode(pairs, errors='replace')}")

    assert answer.status in {200, 400, 404}, answer.body


FIELDS = st.lists(
    st.tuples(st.sampled_from(("comment", "sure", "days", "vault", "version", "fingerprint", "row")), WORD), max_size=6
)


@settings(max_examples=150)
@given(act=st.sampled_from((*ACTS, "nonsense")), fields=FIELDS, is_current=st.booleans())
def test_whatever_is_put_into_a_form_is_answered(act: str, fields: list[tuple[str, str]], is_current: bool) -> None:
    """Any fields: done, or a page that says why not."""
    entry = Entry()
    stored, browser = entry.waiting(), Browser(entry)
    browser.get("/")
    version = [("version", etag(stored).strip('"'))] if is_current else []
    body = urlencode([("token", browser.cookies[COOKIE]), *version, *fields], errors="replace").encode()
    answer = browser.send(f"/remediations/{stored.row.id}/{act}", body)

    assert answer.status in {303, 400, 404, 409, 412}, answer.body
