"""A real Chromium in front of the local Azure: people sign in on its sign-in page, and no complaint passes unseen.

    def test_a_page(visit: Visit, watch: Watch) -> None:
        page = visit("/remediations", "Ada Approver")  # signs in by hand, in a browser of her own; without a name: nobody
        ...
        axe(page)  # tests.browser.axe
        watch.expects("409: POST")  # only for what has to go wrong; all else fails the test when it ends

Each `visit` is a context of its own, with whatever else `Browser.new_context` takes (`java_script_enabled=False`,
`viewport=...`, `color_scheme="dark"`). Paths are those of the app (`page.goto("/...")`). The Content-Security-Policy of a
page is in force. Playwright keeps its thread's event loop: `asyncio.run` does not work in these tests, and the browser is
closed as soon as tests of another folder come.

Chromium is the machine's own, or what CMK_CHROMIUM names. Where there is none the tests are skipped, in CI they fail.
"""

import os
import shutil
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from simulator.client import Client
from tests.browser.axe import SOURCE
from tests.browser.watch import Watch

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 15_000  # milliseconds that a page may take on a busy machine


class Visit(Protocol):
    """Opens a path of the app in a new context, signed in as a person of simulator/estate.py or as nobody."""

    def __call__(self, path: str, person: str = "", **options: Any) -> Page: ...


def _chromium() -> str:
    """Return the path of Chromium. Skips the test where something is missing; in CI that fails it."""
    named = os.environ.get("CMK_CHROMIUM", "")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    found = next((path for path in map(shutil.which, names) if path), "")
    problem = "" if found else f"no Chromium here ({', '.join(names)}): apt-get install chromium, or set CMK_CHROMIUM"
    if not SOURCE.exists():
        problem = "axe-core is not installed here: make setup"
    if problem and os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(problem, pytrace=False)
    if problem:
        pytest.skip(problem)
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium, once for all tests of this folder that follow one another."""
    path = _chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def watch() -> Watch:
    """The watch over all pages of a test."""
    return Watch()


@pytest.fixture
def visit(browser: Browser, azure: Client, watch: Watch) -> Iterator[Visit]:
    """Open pages; when the test ends they are closed, and nothing may have gone wrong on any of them."""
    opened: list[BrowserContext] = []

    def go(path: str, person: str = "", **options: Any) -> Page:
        context = browser.new_context(base_url=azure.facts["functions"], **options)
        opened.append(context)
        context.set_default_timeout(PATIENCE)
        watch.over(context)
        page = context.new_page()
        if person:
            pick(page, path, person)
        else:
            page.goto(path)
        return page

    yield go
    for context in opened:
        context.close()
    watch.check()


def pick(page: Page, path: str, person: str) -> None:
    """Sign in on the sign-in page, and come back to a path."""
    page.goto(f"/.auth/login/aad?{urlencode({'post_login_redirect_uri': path})}")
    page.get_by_role("button", name=person).click()
    page.wait_for_url(lambda url: "/.auth/login/aad" not in url)
