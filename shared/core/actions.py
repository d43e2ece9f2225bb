"""Data actions of Key Vault: what a role lets its holder do, with wildcards expanded and exceptions taken away."""

from collections.abc import Iterable
from functools import cache

from shared.core.facts.access import Actions

PREFIX = "microsoft.keyvault/vaults/"
# Every data action of a vault [LEARN role-based-access-control/permissions/security, Microsoft.KeyVault], without the
# prefix. A wildcard of a role is expanded over these; an action that a role spells out counts whether listed or not.
KNOWN = frozenset(
    f"{kind}/{verb}"
    for kind, verbs in {
        "certificatecas": "delete read write",
        "certificatecontacts": "write",
        "certificates": (
            "delete read backup/action purge/action update/action create/action import/action recover/action "
            "restore/action"
        ),
        "keyrotationpolicies": "read write",
        "keys": (
            "read update/action create/action import/action recover/action restore/action delete backup/action "
            "purge/action encrypt/action decrypt/action unwrap/action wrap/action verify/action sign/action "
            "release/action rotate/action"
        ),
        "secrets": (
            "delete backup/action purge/action update/action recover/action restore/action readmetadata/action "
            "getsecret/action setsecret/action"
        ),
        "storageaccounts": (
            "read set/action delete backup/action purge/action regeneratekey/action recover/action restore/action "
            "sas/set/action sas/delete"
        ),
    }.items()
    for verb in verbs.split()
)


def granted(blocks: Iterable[Actions]) -> frozenset[str]:
    """Return what the blocks of a role, or of a denial, speak of; without the prefix, in lower case."""
    return frozenset(action for block in blocks for action in _of(block))


@cache
def _of(block: Actions) -> frozenset[str]:
    patterns = [pattern.lower() for pattern in block.data]
    exceptions = [pattern.lower() for pattern in block.exceptions]
    spelt = {it.removeprefix(PREFIX) for it in patterns if it.startswith(PREFIX) and "*" not in it}
    return frozenset(
        action
        for action in KNOWN | spelt
        if any(matches(pattern, PREFIX + action) for pattern in patterns)
        and not any(matches(pattern, PREFIX + action) for pattern in exceptions)
    )


def matches(pattern: str, action: str) -> bool:
    """Whether an action meets a pattern; `*` stands for any text, slashes too (AZURE 3.1: `vaults/*`)."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == action
    last = middle.pop()
    if not action.startswith(first) or len(action) < len(first) + len(last) or not action.endswith(last):
        return False
    at, end = len(first), len(action) - len(last)
    for word in middle:
        found = action.find(word, at, end)
        if found < 0:
            return False
        at = found + len(word)
    return True
