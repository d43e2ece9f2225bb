"""Lists in pages, for every provider: `value`, and `nextLink` while there is more.

The link is built from the Host header, so that a client behind any name or port can follow it.
"""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.providers.shape import Call

LARGEST = 1000


def page(call: Call, items: Sequence[Any], *, trailing: bool = False) -> Answer:
    """One page of a list that is already in order.

    A `trailing` list links from every page that has rows, so that its last page is empty (Key Vault's, all recordings).
    """
    size = _size(call, loose=trailing and call.sim.knobs.loose_top)
    start, empty = _start(call.query.get("$skiptoken"))
    if empty < call.sim.knobs.empty_pages or (call.sim.knobs.empty_page and "$skiptoken" not in call.query):
        return Answer(200, {"value": [], "nextLink": _link(call, start, empty + 1)})
    chosen = items[start : start + size]
    body: Json = {"value": list(chosen)}
    if start + size < len(items) or (trailing and chosen):
        body["nextLink"] = _link(call, start + size)
    return Answer(200, body)


def ids(call: Call, kind: str) -> list[str]:
    """Ids of one type in the subscription or the group that the path names, in order."""
    target = call.target
    prefix = f"/subscriptions/{target.subscription}/"
    if target.group:
        prefix += f"resourcegroups/{target.group}/"
    return call.sim.world.ids(kind, target.subscription, prefix)


def listed(call: Call, *, trailing: bool = False) -> Answer:
    """List the kind that the path names; only the bodies of the page are fetched."""
    answer = page(call, ids(call, call.target.kind), trailing=trailing)
    answer.body["value"] = [call.sim.world.get(each) for each in answer.body["value"]]
    return answer


def _size(call: Call, *, loose: bool) -> int:
    asked = call.query.get("$top")
    if asked is None or loose:
        return max(1, call.sim.knobs.page_size)
    if not asked.isdigit() or int(asked) < 1:
        raise Refused(400, "InvalidQueryParameter", f"The value '{asked}' of $top is not a positive number.")
    return min(int(asked), LARGEST, max(1, call.sim.knobs.page_size))


def _start(token: str | None) -> tuple[int, int]:
    """Where a page starts, and how many empty ones have come before it since the last row."""
    if token is None:
        return 0, 0
    try:
        start, _, empty = base64.urlsafe_b64decode(token.encode()).decode().partition("|")
        return int(start), int(empty or 0)
    except ValueError:
        raise Refused(400, "InvalidSkipToken", "The skip token is invalid.") from None


def _link(call: Call, start: int, empty: int = 0) -> str:
    token = base64.urlsafe_b64encode(f"{start}|{empty}".encode()).decode()
    rest = {name: value for name, value in call.query.items() if name != "$skiptoken"}
    return f"{call.base}{call.target.path}?{urlencode({**rest, '$skiptoken': token})}"
