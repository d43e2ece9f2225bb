"""Whom the graph of a vault knows: who uses its keys, and whom else a grant lets touch them. Alerts compare with it."""

from dataclasses import dataclass

from shared.core.choices import Choices
from shared.core.control import Memory
from shared.core.facts import Snapshot
from shared.core.graph import graph


@dataclass(frozen=True, slots=True)
class Principals:
    """Object ids in lower case, sorted. `holders` use no key here, as far as anybody knows, and could."""

    users: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()


def principals(snapshot: Snapshot, memory: Memory, choices: Choices) -> Principals | None:
    """Return whom the graph of a vault knows; None where it is none, or holds no customer-managed key.

    Grants of the model that the vault does not go by count as well: one setting away they let their holder in.
    """
    whole = graph(snapshot, memory, choices)
    if whole is None or not (whole.uses or memory.was_cmk_vault):
        return None
    users = {it.principal.lower() for it in whole.identities}
    held = {it.principal.lower() for it in whole.grants if any(word.startswith("keys/") for word in it.allows)}
    return Principals(tuple(sorted(users)), tuple(sorted(held - users)))
