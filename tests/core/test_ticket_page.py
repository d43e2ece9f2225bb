"""A ticket as Markdown, read back by a real parser: whatever Azure or people write shows, and does nothing."""

import re
from datetime import timedelta
from itertools import chain
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from remediators.vault_recovery import VAULT_RECOVERY
from shared.core.choices import Choices
from shared.core.control import Finding
from shared.core.decide import Decision, Kind
from shared.core.record import Approval, PlannedStep, RecordedPlan, Remediation, State
from shared.core.ticket import Note, Standing, Ticket, content_of, markdown
from shared.core.wake import Cause
from tests.fakes import NOON

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
FOUND_IN_TEXT = re.compile(r"@\w|#\d|://|www\.\w|GH-\d|\w\.\w")
ALLOWED_HTML = {"<br>"}
HOSTILE = [
    "<script>alert(1)</script>", "<script", "<?x", "<!X", "<pre", "=cmd()", "@channel", "$(reboot)", "[x](https://evil.example)", "![x](//evil.example/p)",
    "https://evil.example", "a|b|c", r"a\|b", "`|`", "``` ` ```", "# x", "- x", "+1", "1. x", "> x", "x\n\n# y", "x\n---",
    "<https://evil.example>", "&lt;b&gt;", "**x**", "~~x~~", "[x]: https://evil.example", "\u202eevil\u202c", "a\x00b",
    "org/repo#12 GH-12", "me@evil.example", "\\", "`", "\u2028# x", "\r# x", "| --- |", "<!-- x", "a\tb", " ", "\ud800",
]  # fmt: skip
words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet="`|\\[]()<>!#*_~@&:/.=+-x1 \n\r\t\u2028\u202e", min_size=1, max_size=30),
    st.text(min_size=1, max_size=60),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map("".join),
)


def _ticket(word: str) -> tuple[Ticket, tuple[Note, ...]]:
    """Return a ticket that has a word wherever a word from outside can stand."""
    layer = {"layer": word, "verdict": word, "reason": word, "message": word}
    check = {"check": word, "result": word, "message": word, "todo": word}
    evidence = {
        "layers": [layer, layer], "preflight": [check], "eligible": [word, word], "notes": [word, word], "proposed": [word, word],
        "stands_in_the_way": {"reason": word, "message": word},
    }  # fmt: skip
    steps = tuple(
        PlannedStep(
            "s", word, word, {word: word, "own": None}, {word: [word, {word: word}], "own": word}, word, flag, note=word
        )
        for flag in (True, False)
    )
    vault = PlannedStep("v", "vault.protect", word, {}, {word: True}, word, irreversible=True, done=NOON)
    approval = Approval(word, word, word, NOON, NOON + timedelta(days=1), word)
    row = Remediation(
        id="abcdefghijklmnop", control="KV-RECOVERY", target=word, subject=word, state=State.FAILED, verdict=word,
        decision=Decision(Kind.APPROVAL, word, word, NOON, owner=word), finding=Finding(word, word, evidence),
        plan=RecordedPlan(word, (*steps, vault)), cause=Cause(word, word, word), opened=NOON, updated=NOON,
        approvals=(approval, approval),
    )  # fmt: skip
    content = content_of(row, VAULT_RECOVERY.control, Choices())
    note = Note("0000001-opened", NOON, "opened", word, word)
    return Ticket("abcdefghijklmnop", Standing.CLOSED, word, 1, 1, NOON, NOON, content), (note, note)


def _tokens(text: str) -> list[Token]:
    return list(chain.from_iterable([it, *(it.children or [])] for it in PARSER.parse(text)))


def _bones(text: str) -> list[str]:
    """Return the structure of a page: everything but the words in it."""
    return [it.type for it in _tokens(text) if it.type not in {"text", "softbreak"}]


ORDINARY = _bones(markdown(*_ticket("x")))


@given(words)
@example("x" * 3000)
@example("`" * 700)
def test_no_word_from_outside_changes_what_the_page_is(word: str) -> None:
    """Links, images, HTML, headings, lists, cells, code: all are those of a ticket with harmless words."""
    text = markdown(*_ticket(word))
    tokens = _tokens(text)

    assert _bones(text) == ORDINARY
    assert {it.content for it in tokens if it.type.startswith("html")} <= ALLOWED_HTML
    assert [it.attrGet("href") for it in tokens if it.type == "link_open"] == ["/api/remediations/abcdefghijklmnop"]


@given(words)
def test_nothing_in_plain_text_can_be_linked_by_whoever_shows_it(word: str) -> None:
    """No mention, reference, address or domain: wherever one could be found stands a joiner."""
    texts = [it.content for it in _tokens(markdown(*_ticket(word))) if it.type == "text"]

    assert [it for it in texts if FOUND_IN_TEXT.search(_ours_out(it))] == []


def _ours_out(text: str) -> str:
    """Leave out the words that are ours and hold a dot: the roles and the frameworks."""
    return re.sub(r"Remediation\.(Approver|Admin)", "", text)


@given(words)
def test_nothing_that_cannot_be_seen_is_on_the_page(word: str) -> None:
    """No control or bidi character, and no half of a pair: what is shown is what is there. The joiner is ours."""
    text = markdown(*_ticket(word))

    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text
    )
    assert text.encode()


def test_a_value_is_shown_as_it_is() -> None:
    """What people copy out of a cell is the value, pipes and backticks included."""
    shown = [it.content for it in _tokens(markdown(*_ticket("a|b `c` d"))) if it.type == "code_inline"]

    assert "a|b `c` d" in shown


def test_commands_are_shown_as_they_are() -> None:
    """A block of code holds them all, and nothing in them ends it."""
    fences = [it for it in _tokens(markdown(*_ticket("az x  'a  b'\n```\n  # y"))) if it.type == "fence"]

    assert fences[0].content == "az x  'a  b'\n```\n  # y\naz x  'a  b'\n```\n  # y\n"
    assert [it.info for it in fences] == ["sh", "sh", "hcl", "bicep"]


def test_the_page_has_all_its_parts() -> None:
    """Every section, in the order in which people need them."""
    headings = [it for it in PARSER.parse(markdown(*_ticket("x"))) if it.type == "inline" and it.level == 1]
    named: list[Any] = [it.content for it in headings if it.content in SECTIONS]

    assert named == SECTIONS


SECTIONS = [
    "What is wrong", "Why it matters", "Before the first step", "The plan",
    "What to expect", "For the owner to do",
    "By hand, and in templates", "What was decided", "Links", "History of this ticket",
]  # fmt: skip
