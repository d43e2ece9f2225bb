"""From the names that Azure invented in a recording to those that the simulator invents in its place.

Learnt from each pair of answers, applied to every later request: principal ids, key versions, storage accounts, and the
URLs of operations and further pages.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SLASHES = re.compile("/+")
NOBODY = "00000000-0000-0000-0000-000000000000"  # what recorders put in place of ids, of subscriptions too
TIME = re.compile(r"\d{4}-\d\d-\d\d")
# Every answer to a poll signs its link anew; of a run of polls only the first was kept.
SIGNATURES = {"t", "c", "s", "h"}
LINKS = ("azure-asyncoperation", "location")


class Names:
    """What is known so far."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._table = dict(known)
        self._links: dict[str, str] = {}

    def learn(self, recorded: Any, actual: Any) -> None:
        """Compare two bodies and keep what differs and looks like an invention."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for name in recorded.keys() & actual.keys():
                self.learn(recorded[name], actual[name])
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in pairs(recorded, actual):
                self.learn(one, other)
        elif isinstance(recorded, str) and isinstance(actual, str) and recorded != actual:
            self._pair(recorded, actual)

    def learn_links(self, recorded: Mapping[str, str], actual: Mapping[str, str]) -> None:
        """Where to poll."""
        for name in LINKS:
            if name in recorded and name in actual:
                self._links[plain(recorded[name])] = actual[name]

    def link(self, url: str) -> str | None:
        """The simulator's URL in place of one that Azure had handed out; a page is known by its token alone, too."""
        return self._links.get(plain(url)) or self._links.get(token(url))

    def apply(self, value: Any) -> Any:
        """A request's URL or body with everything known put in."""
        text = value if isinstance(value, str) else json.dumps(value)
        for old in sorted(self._table, key=len, reverse=True):
            text = text.replace(old, self._table[old])
        return text if isinstance(value, str) else json.loads(text)

    def _pair(self, recorded: str, actual: str) -> None:
        if recorded.startswith("https://") and "skiptoken" in recorded.lower():
            self._links[plain(recorded)] = self._links[token(recorded)] = actual
            return
        ones, others = recorded.split("/"), actual.split("/")
        if len(ones) == len(others):
            self._table |= {
                one: other for one, other in zip(ones, others, strict=True) if one != other and is_invented(one)
            }


def pairs(recorded: list[Any], actual: list[Any]) -> list[tuple[Any, Any]]:
    """Rows that belong together: by id where they have one, by place otherwise."""
    known = {identity(item): item for item in actual}
    if all(isinstance(item, dict) and ("id" in item or "kid" in item) for item in recorded):
        return [(item, known[identity(item)]) for item in recorded if identity(item) in known]
    return list(zip(recorded, actual, strict=False))


def identity(item: Any) -> str:
    """What tells a row of a list apart."""
    return str(item.get("id") or item.get("kid") or item).lower() if isinstance(item, dict) else str(item)


def is_invented(text: str) -> bool:
    """Whether a word looks like something that a server made up."""
    return text != NOBODY and len(text) >= 8 and any(char.isdigit() for char in text) and not TIME.match(text)


def token(url: str) -> str:
    """The token of a page: one recorder has put another subscription into URLs, and not into links."""
    found = [value for name, value in parse_qsl(urlsplit(url).query) if "skiptoken" in name.lower()]
    return f"token {found[0]}" if found else "no token"


def plain(url: str) -> str:
    """A URL in one spelling: unquoted, query in order, without signature and default port."""
    parts = urlsplit(url)
    # One recorder has made `//` to `/` even in tokens.
    pairs_of = [(name.lower(), SLASHES.sub("/", value.replace(" ", "+"))) for name, value in parse_qsl(parts.query)]
    query = sorted((name, value) for name, value in pairs_of if name not in SIGNATURES)
    return f"{parts.netloc.removesuffix(':443')}{unquote(parts.path)}?{query}"
