"""`python -m tests.browser.gallery`: the pages as pictures in docs/pages, light and dark, for a phone and for a desk.

docs/pages/<page>-<light|dark>-<400|1440>.jpeg
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import ROOT, Stack
from tests.browser.conftest import FLAGS, pick
from tests.browser.past import live
from tests.browser.scene import Scene, scene

FOLDER = ROOT / "docs/pages"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {400: 1000, 1440: 1000}
_TALL = 2600  # pixels of the page that people must be able to read down


def main() -> int:
    """Make every picture anew."""
    chromium = shutil.which("chromium")
    if not chromium:
        print("there is no Chromium here:  apt-get install chromium", file=sys.stderr)  # noqa: T201
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, Stack(chosen("random"), Path(folder) / "local") as stack:
        azure = Client(stack.facts)
        there = scene(azure)
        live(azure, Path(folder) / "local")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for scheme in SCHEMES:
                for width, height in SIZES.items():
                    _pictures(browser, azure, there, scheme, (width, height))
            browser.close()
    return 0


def pages(there: Scene) -> dict[str, str]:
    """Return the path of every page that is pictured, by its name."""
    return {
        "overview": "/overview",
        "queue": "/",
        "open": "/?shelf=open",
        "remediation": f"/remediations/{there.waiting['id']}",
        "estate": "/estate",
        "vaults": "/estate?kind=vaults",
        "explain": f"/explain?resource={there.used}",
        "history": "/history?verify=1",
        "poison": "/poison",
        "reports": "/reports",
        "what-if": "/what-if?mode=auto",
    }


def _pictures(
    browser: Browser, azure: Client, there: Scene, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> None:
    context = browser.new_context(
        base_url=azure.facts["functions"], color_scheme=scheme, viewport={"width": size[0], "height": size[1]}
    )
    page = context.new_page()
    page.goto("/")
    _picture(page, "signed-out", scheme, size[0])
    pick(page, "/", "Ada Approver")
    for name, path in pages(there).items():
        page.goto(path)
        _picture(page, name, scheme, size[0])
    context.close()


def _picture(page: Page, name: str, scheme: str, width: int) -> None:
    height = _TALL if name in {"overview", "remediation"} else SIZES[width]
    page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=FOLDER / f"{name}-{scheme}-{width}.jpeg", type="jpeg", quality=50)


if __name__ == "__main__":
    sys.exit(main())
