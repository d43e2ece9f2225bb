"""The HTML report of a scan in a real Chromium: on a desk and on a phone, by day and by night, full of hostile names."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from shared.core.evidence import chapter_of
from shared.core.frameworks.cloud import CIS
from shared.core.record import Exemption
from shared.web.paper import evidence_html, html_text
from tests.browser.axe import axe
from tests.core.test_report import hostile


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1200, "light")])
def test_the_report_is_readable_everywhere(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """Its own style applies under its own policy, nothing is asked of any server, nothing runs, nothing sticks out."""
    place, complaints, asked = tmp_path / "report.html", [], []
    place.write_text(html_text(hostile()), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(place.as_uri())
    page.get_by_text("verdicts that ask for nothing").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)") is (scheme == "dark")
    assert page.get_by_role("row").count() > len(hostile().lines)
    assert (complaints, asked) == ([], [place.as_uri()])
    axe(page)
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1200, "dark")])
def test_a_page_of_evidence_is_readable_everywhere(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """With an exemption, hostile words, and what was not judged; the same promises as the report."""
    found = hostile()
    lines = tuple(replace(it, id=f"row{n}", state="suppressed") for n, it in enumerate(found.lines))
    whole = replace(found, lines=lines)
    given = Exemption("<b>mia</b>", "<script>alert(1)</script>", whole.made.replace(year=2027))
    place, complaints, asked = tmp_path / "evidence.html", [], []
    text = "".join(evidence_html(chapter_of(CIS, whole, {"row0": given}, ["KV-ACCESS"]), whole))
    place.write_text(text, encoding="utf-8", errors="backslashreplace")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(place.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (complaints, asked) == ([], [place.as_uri()])
    assert page.get_by_text("exempted by <b>mia</b> until").count() == 1
    assert page.get_by_text("switched off by the deployment").count() > 0
    axe(page)
    context.close()
