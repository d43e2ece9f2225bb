"""A browser signs in as App Service would have it, and the app takes its session for what it is worth."""

from typing import Any

import pytest
from playwright.sync_api import Page

from simulator.client import Client
from tests.browser.axe import axe
from tests.browser.conftest import Visit, pick
from tests.browser.watch import Watch

LIST = "/api/remediations?limit=1"
NOWHERE = "/api/remediations/aaaaaaaaaaaaaaaa/retry"
FETCH = "([path, options]) => fetch(path, options).then(async answer => [answer.status, await answer.text()])"
# What stands at the paths of these tests is no page of the app, and its policy allows no calls.
CALLS: dict[str, Any] = {"bypass_csp": True}
# What a page of another site can do without asking: send a form.
SEND = """address => {
    const form = document.createElement('form');
    Object.assign(form, {method: 'post', enctype: 'text/plain', action: address});
    document.body.append(form);
    form.submit();
}"""
INLINE = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))"


def fetch(page: Page, path: str, **options: Any) -> tuple[int, str]:
    """Call the app from within a page, with nothing but its cookie."""
    status, text = page.evaluate(FETCH, [path, options])
    return status, text


def test_somebody_comes_back_to_the_path_asked_for_and_the_cookie_alone_is_enough(visit: Visit, azure: Client) -> None:
    """The app accepts the session; no script of the page can read it."""
    page = visit(LIST, "Rada Reader", **CALLS)

    assert page.url == f"{azure.facts['functions']}{LIST}"
    assert fetch(page, LIST)[0] == 200
    assert page.evaluate("document.cookie") == ""


def test_no_script_is_needed(visit: Visit, azure: Client) -> None:
    """The sign-in is a form."""
    page = visit("/.auth/me", "Amit Approver", java_script_enabled=False)

    assert page.url == f"{azure.facts['functions']}/.auth/me"
    assert "amit.approver@example.com" in page.content()


def test_nobody_and_somebody_without_a_role_stay_outside(visit: Visit, watch: Watch) -> None:
    """Who has not signed in is unknown; who has no role is known and not allowed."""
    watch.expects("401: GET")
    watch.expects("403: GET")

    assert fetch(visit("/.auth/logout/complete", **CALLS), LIST)[0] == 401
    assert fetch(visit("/.auth/login/done", "Nora Newcomer", **CALLS), LIST)[0] == 403


def test_the_people_are_those_with_a_browser(visit: Visit) -> None:
    """An application cannot be picked."""
    names = visit("/.auth/login/aad").get_by_role("button").all_inner_texts()

    assert [name.splitlines()[0].strip() for name in names] == [
        "Rada Reader", "Ada Approver", "Amit Approver", "Dana Admin", "Nora Newcomer",
    ]  # fmt: skip


def test_signing_out_ends_the_session(visit: Visit, watch: Watch, azure: Client) -> None:
    """It goes back to the path asked for; after that the same browser is nobody, and may be somebody else."""
    watch.expects("401: GET")
    page = visit("/api/health", "Ada Approver", **CALLS)
    (kept,) = page.context.cookies()
    page.goto("/.auth/logout?post_logout_redirect_uri=/api/health")

    assert page.url == f"{azure.facts['functions']}/api/health"
    assert page.context.cookies() == []
    assert fetch(page, LIST)[0] == 401
    page.context.add_cookies([{"name": kept["name"], "value": kept["value"], "url": azure.facts["functions"]}])
    assert fetch(page, LIST)[0] == 401
    pick(page, "/.auth/me", "Dana Admin")
    assert "dana.admin@example.com" in page.content()


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "/\t/evil.example"])
def test_nobody_is_sent_to_another_site(visit: Visit, azure: Client, target: str) -> None:
    """Azure passes such a target over and says that the sign-in is done; signing out is the same."""
    page = visit(target, "Rada Reader")
    here = azure.facts["functions"]

    assert page.url == f"{here}/.auth/login/done"
    assert page.get_by_role("heading").inner_text() == "You have successfully signed in"
    page.goto(f"/.auth/logout?post_logout_redirect_uri={target}")
    assert page.url == f"{here}/.auth/logout/complete"


def test_a_page_of_another_site_writes_nothing(visit: Visit, watch: Watch, azure: Client) -> None:
    """The browser sends the cookie along with a form of any site: it is the app that looks where it came from."""
    watch.expects("403: POST")
    watch.expects("404: POST")
    page = visit("/api/health", "Ada Approver", **CALLS)
    here = azure.facts["functions"]
    own = fetch(page, NOWHERE, method="POST", body="{}", headers={"Content-Type": "application/json"})
    page.goto(f"{here.replace('127.0.0.1', 'localhost')}/api/health")
    with page.expect_navigation():
        page.evaluate(SEND, f"{here}{NOWHERE}")

    assert own[0] == 404
    assert page.url == f"{here}{NOWHERE}"
    assert "CrossSite" in page.content()


def test_the_pages_of_the_sign_in_are_for_everybody(visit: Visit) -> None:
    """axe-core finds nothing wrong, in light and in dark."""
    for scheme in ("light", "dark"):
        page = visit("/.auth/login/aad", color_scheme=scheme)
        axe(page)
        page.goto("/.auth/login/done")
        axe(page)


def test_axe_sees_what_is_wrong_and_the_policy_of_the_page_stays_in_force(visit: Visit, watch: Watch) -> None:
    """A page without a language is named; a script that the policy forbids does not run before, nor after."""
    watch.expects("Content Security Policy")
    page = visit("/.auth/login/aad")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    with pytest.raises(AssertionError, match="html-has-lang"):
        axe(page)
    page.evaluate(INLINE)

    assert page.evaluate("[window.ran, window.axe]") == [None, None]


def test_the_watch_lets_nothing_pass(visit: Visit, watch: Watch) -> None:
    """An error, a complaint, an answer of 404 and a failed request are each noted; so is what was announced in vain."""
    page = visit("/api/health", "Rada Reader", **CALLS)
    page.evaluate("console.error('complaint'); setTimeout(() => { throw new Error('thrown') })")
    page.evaluate("Promise.allSettled([fetch('/api/nothing'), fetch('http://127.0.0.1:1/')])")
    page.wait_for_function("true")
    seen = Watch()
    seen.complaints = list(watch.complaints)
    for text in ("console: complaint", "error: thrown", "404: GET", "failed: GET"):
        with pytest.raises(AssertionError):
            seen.check()
        seen.expects(text)
        watch.expects(text)
    seen.expects("never")

    with pytest.raises(AssertionError):
        seen.check()
