"""A migration approved in a real Chromium: the same end as through the API (tests/journeys/test_migration.py)."""

import re

import pytest
from playwright.sync_api import Page, expect

from simulator.client import Client, until
from tests.browser.conftest import Visit
from tests.journeys.test_migration import moved, ticket
from tests.migration import WEST, Plain, check_moved, key_vault, plain


def approve(page: Page, at: Plain) -> None:
    """Say yes as the page asks for it."""
    page.locator("#approve").get_by_label("Why is this right?").fill("seen, and right")
    page.get_by_label(re.compile("cannot be undone by anybody")).fill(at.id.rsplit("/", 1)[1])
    page.get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.get_by_text("Your yes is on record.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_from_the_queue_to_three_layers_on_one_key(azure: Client, visit: Visit, scripts: bool) -> None:
    """Found in the queue, read, approved, watched, confirmed."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    key_vault(azure, WEST)
    at = plain(azure, WEST)
    row = at.soon("awaiting_approval")
    until(lambda: ticket(at, row, "open"), "a ticket")
    before, name = at.body(), at.id.rsplit("/", 1)[1]
    ada = visit(f"/?q={name}", "Ada Approver", java_script_enabled=scripts)
    ada.get_by_role("link", name=name).click()
    approve(ada, at)
    if at.row_in("awaiting_approval"):  # nobody knows whose change it is: it takes a second person
        approve(visit(f"/remediations/{row['id']}", "Amit Approver"), at)
        ada.reload()
    # The page follows by itself: htmx, or the reload that browsers do without scripts.
    expect(ada.get_by_role("heading", name="Our part is done; a person must do the rest")).to_be_visible(
        timeout=120_000
    )
    moved(at)
    ada.get_by_label("What was done, and how?").fill("all clusters, pools and warehouses restarted")
    ada.get_by_role("button", name="It is done").click()
    at.soon("resolved")
    until(lambda: ticket(at, row, "closed"), "the end of the ticket")
    ada.goto(f"/remediations/{row['id']}")

    expect(ada.get_by_text("chain whole")).to_be_visible()
    expect(ada.locator("h1 .badge")).to_have_text("resolved")
    check_moved(at, before)
