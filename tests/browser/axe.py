"""axe-core on a page: it must find nothing wrong with its accessibility.

It runs in a world of its own beside the page's scripts, put there by the browser's debugger. It needs no leave from the
page's Content-Security-Policy, so that nobody has to switch that off: what the page may do, it may do in the test.
"""

from typing import Any

from playwright.sync_api import CDPSession, Page

from simulator.stack import ROOT

SOURCE = ROOT / "tests/browser/node_modules/axe-core/axe.min.js"


def axe(page: Page) -> None:
    """Raise AssertionError with every rule that the page breaks, and where."""
    session = page.context.new_cdp_session(page)
    try:
        found = _run(session)
    finally:
        session.detach()

    assert found["passes"], "axe-core has looked at nothing"
    assert not found["violations"], "\n".join(_told(rule) for rule in found["violations"])


def _run(session: CDPSession) -> Any:
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]
    _evaluate(session, world, f"{SOURCE.read_text()}; 0")
    # Sheets of other sites would be fetched, which no page of ours has.
    return _evaluate(session, world, "axe.run(document, {preload: false})")


def _evaluate(session: CDPSession, world: int, expression: str) -> Any:
    wanted = {"expression": expression, "contextId": world, "awaitPromise": True, "returnByValue": True}
    answer = session.send("Runtime.evaluate", wanted)

    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


def _told(rule: dict[str, Any]) -> str:
    where = "; ".join(f"{node['target']}: {' '.join(node['failureSummary'].split())}" for node in rule["nodes"])
    return f"{rule['id']} ({rule['impact']}): {rule['help']}: {where}"
