"""The tree above the subscriptions: management groups, and what holds at them.

A subscription or a group without a seeded parent hangs under the root management group, whose name is the tenant's id.
"""

from collections.abc import Callable

from simulator.arm.answer import Json
from simulator.arm.router import ROOT, Target, ancestors, covers, fold

MANAGEMENT_GROUPS = "microsoft.management/managementgroups"
MEMBERS = "microsoft.management/managementgroups/subscriptions"
PREFIX = "/providers/microsoft.management/managementgroups/"


class Tree:
    """Watches the world for management groups and the subscriptions in them."""

    def __init__(self, root: str, changed: Callable[[], None]) -> None:
        self._root, self._changed = fold(root), changed
        self._parents: dict[str, str] = {}  # management group -> the one above it
        self._homes: dict[str, str] = {}  # subscription -> its management group

    def put(self, target: Target, body: Json) -> None:
        """A group was described, or a subscription put into one."""
        if target.kind == MANAGEMENT_GROUPS:
            details = (body.get("properties") or {}).get("details") or {}
            parent = fold(str((details.get("parent") or {}).get("id") or "")) or self._root
            self._parents[target.id] = parent if parent.startswith(PREFIX) else PREFIX + parent
        elif target.kind == MEMBERS:
            self._homes[fold(f"/subscriptions/{target.name}")] = PREFIX + fold(target.names[0])
        else:
            return
        self._changed()

    def drop(self, target: Target) -> None:
        """One of them is gone: what was in it falls to the root."""
        if target.kind == MANAGEMENT_GROUPS:
            self._parents.pop(target.id, None)
        elif target.kind == MEMBERS:
            self._homes.pop(fold(f"/subscriptions/{target.name}"), None)
        else:
            return
        self._changed()

    def above(self, scope: str) -> list[str]:
        """Every scope whose roles reach this one, from the tenant down to itself, in lower case."""
        chain = ancestors(scope)
        first = chain[1] if len(chain) > 1 else ""
        if first.startswith("/subscriptions/"):
            groups = self._upward(self._homes.get(first, self._root))
        elif first.startswith(PREFIX):
            groups = self._upward(first)[1:]
        else:
            return chain
        return [ROOT, *reversed(groups), *chain[1:]]

    def children(self, group: str) -> list[str]:
        """The management groups and subscriptions straight under a group."""
        wanted = fold(group)
        return sorted(each for table in (self._parents, self._homes) for each, up in table.items() if up == wanted)

    def is_above(self, scope: str, other: str) -> bool:
        """Whether what holds at `scope` reaches `other` (both in lower case)."""
        return scope in self.above(other) if scope.startswith(PREFIX) else covers(scope, other)

    def _upward(self, group: str) -> list[str]:
        """A group and those above it; a loop in what was seeded ends where it closes."""
        found: list[str] = []
        while group not in found:
            found.append(group)
            group = self._parents.get(group, self._root)
        return found if self._root in found else [*found, self._root]
