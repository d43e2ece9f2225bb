"""The HTML report of a scan in a real Chromium: on a desk and on a phone, by day and by night, full of hostile names."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from shared.web.paper import html_text
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
