"""Every page in a real Chromium: no rule of accessibility broken, no complaint, at a desk and on a phone, light and dark."""

import re

import pytest
from playwright.sync_api import Page, expect

from simulator.client import Client
from tests.browser.axe import axe
from tests.browser.conftest import Visit
from tests.browser.gallery import pages
from tests.browser.scene import HOSTILE, Scene, scene
from tests.browser.watch import Watch

SIZES = {"phone": {"width": 400, "height": 860}, "desk": {"width": 1440, "height": 900}}


@pytest.fixture(scope="module")
def there(azure: Client) -> Scene:
    """The estate that the pages show."""
    return scene(azure)


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", "desk"), ("dark", "phone"), ("light", "phone"), ("dark", "desk")]
)
def test_every_page_is_for_everybody(visit: Visit, there: Scene, scheme: str, size: str) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    page = visit("/", "Ada Approver", color_scheme=scheme, viewport=SIZES[size])
    states = {
        "hostile": f"/remediations/{there.hostile['id']}",
        "resolved": f"/remediations/{there.resolved['id']}",
        "failed": f"/remediations/{there.failed['id']}",
        "nothing found": "/?q=nothing-is-called-so",
        "an empty explain": "/explain",
        "a workspace that may be given a key": f"/explain?resource={there.moving.id}",
    }
    for name, path in {**pages(there), **states}.items():
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_pages_that_say_no(visit: Visit, watch: Watch, there: Scene) -> None:
    """Not signed in, not there, not an id, not a form, may only read: each is a page, and a good one."""
    for status in (400, 401, 404):
        watch.expects(f"{status}: GET")
    nobody = visit("/estate")
    expect(nobody.get_by_role("link", name="Sign in")).to_be_visible()
    axe(nobody)
    rada = visit("/", "Rada Reader")
    for path in ("/remediations/aaaaaaaaaaaaaaaa", "/explain?resource=nonsense", "/?state=nonsense", "/nowhere"):
        rada.goto(path)
        axe(rada)
    rada.goto(f"/remediations/{there.waiting['id']}")
    expect(rada.get_by_text("To say yes or no one needs the role")).to_be_visible()
    expect(rada.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    axe(rada)


def test_hostile_names_are_words_on_the_page(visit: Visit, there: Scene) -> None:
    """A tag that is a script runs nowhere and is read as it is written, what cannot be seen left out."""
    page = visit(f"/remediations/{there.hostile['id']}", "Ada Approver")
    shown = page.get_by_text("<script>alert(1)</script>", exact=False).first

    expect(shown).to_contain_text("=cmd|' /C calc'!A0")
    assert "\u202e" in HOSTILE
    assert "\u202e" not in page.content()
    assert page.evaluate("document.querySelectorAll('main script').length") == 0


def test_by_keyboard_alone(visit: Visit, there: Scene) -> None:
    """From the queue to a plan's decision without a mouse; what has the focus can be seen."""
    page = visit("/", "Ada Approver")
    page.keyboard.press("/")
    page.keyboard.type(there.moving.id.rsplit("/", 1)[1])
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    page.keyboard.press("j")
    expect(page.locator("a[data-row]:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/remediations/*")
    page.keyboard.press("a")
    expect(page.locator("#approve textarea")).to_be_focused()
    page.locator("body").press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url("**/history")


def test_from_a_figure_to_what_is_behind_it(visit: Visit, there: Scene) -> None:
    """Without a script: the figures, their meaning, and by a link the remediations of a control; `g` `o` leads there, too."""
    plain = visit("/overview", "Rada Reader", java_script_enabled=False)
    expect(plain.get_by_role("heading", name="What each figure means")).to_be_visible()
    plain.get_by_role("region", name="Compliance by control").get_by_role("link", name="KV-RECOVERY").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("History")
    expect(plain.get_by_label("Control")).to_have_value("KV-RECOVERY")
    name = there.resolved["target"].rsplit("/", 1)[1]
    plain.get_by_role("searchbox").fill(name)  # other tests on this storage have left rows of the same control
    plain.get_by_role("button", name="Filter").click()
    expect(plain.get_by_role("link", name=name)).to_be_visible()
    page = visit("/", "Rada Reader")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/overview")


def test_times_are_the_readers_own(visit: Visit, there: Scene) -> None:
    """In the zone of whoever reads, with UTC as the title; without JavaScript it is UTC that is read."""
    options = {"timezone_id": "Asia/Tokyo", "locale": "en-GB"}
    path = f"/remediations/{there.resolved['id']}"
    own = visit(path, "Rada Reader", **options).locator("time").first
    plain = visit(path, "Rada Reader", java_script_enabled=False, **options).locator("time").first
    utc = own.get_attribute("title")

    assert utc is not None
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", utc)
    assert plain.text_content() == utc
    shown = own.text_content() or ""
    assert (int(utc[11:13]) + 9) % 24 == int(re.findall(r"(\d\d):\d\d", shown)[0])


def test_a_sheet_and_a_proof_can_be_taken_away(visit: Visit, there: Scene) -> None:
    """Both downloads of the history, by their links."""
    page = visit("/history", "Rada Reader")
    for name, file in (("As a sheet", "remediations.csv"), ("As proof", "remediations.json")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == file
        assert there.waiting["id"] in download.value.path().read_text()


def test_several_are_rejected_without_javascript(visit: Visit, there: Scene) -> None:
    """Ticked, one reason, and the page says what became of each."""
    page = visit(f"/?q={there.hostile['target'].rsplit('/', 1)[1]}", "Amit Approver", java_script_enabled=False)
    page.get_by_role("checkbox", name="KV-RECOVERY").check()
    page.get_by_label("Why", exact=True).fill("a sandbox may lose its keys")
    page.get_by_role("button", name="Reject").click()

    expect(page.get_by_text("Rejected:")).to_be_visible()
    _leads_to(page, f"/remediations/{there.hostile['id']}", "rejected")


def _leads_to(page: Page, path: str, state: str) -> None:
    page.goto(path)
    expect(page.locator("h1 .badge")).to_have_text(state)
