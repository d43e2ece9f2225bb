"""The table and the page: complete, readable by machines that read to people, and hostile names do nothing in them."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from cli.scan.table import table_text
from shared.web.paper import html_text
from tests.core.test_report import HOSTILE, hostile, line, report

VOID = {"meta", "br", "link", "img", "input", "hr"}
OURS = {
    "html", "head", "body", "meta", "title", "style", "header", "main", "h1", "h2", "p", "ul", "li", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "code", "span", "time", "details", "summary", "br",
}  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, text without style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the one that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def test_a_page_of_hostile_names_is_still_our_page() -> None:
    """Only our own elements, none that runs, loads or sends anything, and all closed."""
    page = Page(html_text(hostile()))

    assert page.open == []
    assert {tag for tag, _ in page.elements} <= OURS
    assert not [
        name
        for _, attrs in page.elements
        for name in attrs
        if name.startswith("on") or name in {"src", "href", "action", "style"}
    ]
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800]", "".join(page.texts))


def test_the_policy_lets_our_style_in_and_nothing_else() -> None:
    """The hash is of the style that stands there; whatever is not named is refused."""
    text = html_text(report(line()))
    page = Page(text)
    policy = next(
        attrs["content"] for _, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_page_can_be_read_aloud() -> None:
    """A language, a title, a caption for each table, a scope for each head of a row or column."""
    page = Page(html_text(hostile()))
    tags = [tag for tag, _ in page.elements]

    assert ("html", {"lang": "en"}) in page.elements
    assert tags.count("caption") == tags.count("table")
    assert {attrs.get("scope") for tag, attrs in page.elements if tag == "th"} == {"row", "col"}
    assert tags.count("h1") == 1


def test_the_page_shows_all_there_is() -> None:
    """Findings, what is unknown, what was not read, and the rest; what was left out is said."""
    whole = report(
        line(message="alpha"), line(verdict="Unknown", message="beta"), line(verdict="Compliant", message="gamma"),
        gaps=hostile().gaps[:1],
    )  # fmt: skip
    text = " ".join(Page(html_text(whole)).texts)

    assert all(word in text for word in ("alpha", "beta", "gamma", "outside the scope", "purge_protection", "Not read"))
    assert "left out" not in text
    assert "controls below high are left out" in " ".join(Page(html_text(whole.from_severity("high"))).texts)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_table_of_hostile_names(width: int) -> None:
    """No control sequence, no markup, and no line wider than the terminal."""
    text = table_text(hostile(), width=width, color=False)

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", text)
    assert max(len(each) for each in text.splitlines() if each.startswith(("│", "┃", "┏"))) <= width


def test_markup_in_a_name_is_shown() -> None:
    """What Rich would take for a style or a picture is a name like any other."""
    text = table_text(report(line(subject="[bold red]x[/] :smile:")), width=200, color=False)

    assert "[bold red]x[/] :smile:" in text


def test_the_table_counts_what_it_does_not_show() -> None:
    """What holds has no row, only a number; what was not read is named."""
    lines = (line(), line(verdict="Unknown", message="beta"), line(verdict="Compliant", message="gamma"))
    text = table_text(report(*lines, gaps=hostile().gaps[:1]), width=160, color=False)

    assert "beta" in text
    assert "gamma" not in text
    assert "targets: 1, findings: 1 (1 critical), unknown: 1, compliant: 1, not applicable: 0, not read: 1" in text
    assert f"not read: {HOSTILE[0]}" in text


def test_colours_are_asked_for() -> None:
    """Severities are red and yellow where somebody can see that."""
    assert "\x1b[" in table_text(report(line()), width=160, color=True)
