"""Ports that can only be read: whatever else is called of them fails the test that did it."""

from typing import Any

from tests.fakes import World

# What reads, of each port. What is not named here raises.
READS = {
    "records": {"get", "page", "walk", "summaries", "history", "heads", "histories", "known", "memories", "writes", "poisoned", "poison_page"},
    "estate": {"page", "under"},
    "surveys": {"get", "latest"},
    "inventory": {"vaults_in"},
    "clock": {"now"},
    "tickets": set[str](),
    "queue": set[str](),
    "arm": set[str](),
    "hand": set[str](),
    "keys": set[str](),
    "grants": set[str](),
    "diary": set[str](),
    "answers": set[str](),
    "vitals": set[str](),
}  # fmt: skip


class WroteError(AssertionError):
    """Something was called that does not only read."""


class Only:
    """A port of which only some methods can be called."""

    def __init__(self, name: str, whole: Any, allowed: set[str]) -> None:
        self._name, self._whole, self._allowed = name, whole, allowed

    def __getattr__(self, method: str) -> Any:
        if method not in self._allowed:
            raise WroteError(f"{self._name}.{method}")
        return getattr(self._whole, method)


def sealed(world: World) -> Any:
    """Return the ports of a world with every port that writes, sends or asks Azure closed."""

    class Sealed:
        choices, remediators = world.choices, world.remediators

        def __getattr__(self, name: str) -> Any:
            return Only(name, getattr(world, name), READS[name])

    return Sealed()
