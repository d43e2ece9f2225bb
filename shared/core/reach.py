"""What reaches each vault of a subscription, of the lists of that subscription, as a short text that changes with it.

It tells the sweep which vaults to look at anew; it judges nothing. What a user holds from above is left out: users come
and go, and none is the identity of a workspace. So are locks: they stand in the way of plans, never of compliance.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from shared.core.ids import ResourceId, fold

Json = Mapping[str, Any]

_OF_A_VAULT = re.compile(
    r"(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.keyvault/vaults/[^/]+)(/.*)?", re.DOTALL
)
_ABOVE_ALL = "/"  # management groups and the tenant: they reach every vault of the subscription


class Reach:
    """Role assignments and denials by where they are, and the roles of our own making that they may give."""

    def __init__(self, assignments: Iterable[Json], denials: Iterable[Json], roles: Iterable[Json]) -> None:
        self._at: dict[str, list[str]] = defaultdict(list)
        for body in assignments:
            place = _place(body)
            if _OF_A_VAULT.fullmatch(place) or not _is_user(body):
                self._add(place, body)
        for body in denials:
            self._add(_place(body), body)
        self._roles = _text(sorted(_text(body) for body in roles))

    def of(self, vault: ResourceId) -> str:
        """Return the text of one vault."""
        words = vault.key.split("/")
        above = ["/".join(words[:n]) for n in (3, 5)]
        found = [text for place in (_ABOVE_ALL, *above, vault.key) for text in self._at.get(place, ())]
        return short([self._roles, *sorted(found)])

    def _add(self, place: str, body: Json) -> None:
        of_a_vault = _OF_A_VAULT.fullmatch(place)
        is_above = not place.startswith("/subscriptions/")
        self._at[_ABOVE_ALL if is_above else of_a_vault[1] if of_a_vault else place].append(_text(body))


def short(words: Iterable[str]) -> str:
    """Return a short text that changes with any of these words or their order."""
    return hashlib.sha256(json.dumps(list(words)).encode()).hexdigest()[:32]


def _place(body: Json) -> str:
    found = _properties(body).get("scope")
    return fold(found).rstrip("/") if isinstance(found, str) else ""


def _is_user(body: Json) -> bool:
    return _properties(body).get("principalType") == "User"


def _properties(body: Json) -> Json:
    found = body.get("properties")
    return found if isinstance(found, Mapping) else {}


def _text(value: Any) -> str:
    """Return it as text, the same whatever the order of its fields and the case of its ids."""
    return fold(json.dumps(value, sort_keys=True))
