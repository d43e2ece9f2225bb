"""Keys in use that their vault does not list: deleted, or gone for good. Only somebody with a right on keys can tell which."""

from collections.abc import Iterator

from shared.core.choices import Choices
from shared.core.commands import az_recover_key
from shared.core.control import Compliant, Finding, NonCompliant, Unknown, Verdict
from shared.core.facts import Snapshot, Unreadable, Vault
from shared.core.graph import uses_of

_SHOWN = 20


def in_use(vault: Vault, snapshot: Snapshot, choices: Choices) -> dict[str, list[str]]:
    """Return the keys that layers of workspaces name here, by name in lower case, each with who uses it."""
    found: dict[str, list[str]] = {}
    for workspace in () if isinstance(snapshot.dependants, Unreadable) else snapshot.dependants:
        for use in uses_of(workspace, vault.host, choices):
            found.setdefault(use.key.lower(), []).append(f"{use.layer} of {use.workspace}")
    return found


def unread(vault: Vault, snapshot: Snapshot, choices: Choices) -> Unknown | None:
    """Return why nobody can say whether the keys in use are there, where that is so."""
    if isinstance(snapshot.dependants, Unreadable):
        why = snapshot.dependants
        return Unknown(Finding(why.reason, f"which keys workspaces use could not be read: {why.message}"))
    why_not = snapshot.held_keys
    if isinstance(why_not, Unreadable) and in_use(vault, snapshot, choices):
        return Unknown(Finding(why_not.reason, f"which keys the vault holds could not be read: {why_not.message}"))
    return None


def judge(vault: Vault, snapshot: Snapshot, known: tuple[str, ...], choices: Choices) -> Iterator[Verdict]:
    """Yield a verdict for each key that is missed, and an end for those that were. Silence where nobody can say."""
    if not isinstance(snapshot.held_keys, tuple) or isinstance(snapshot.dependants, Unreadable):
        return
    there = {it.name.lower() for it in snapshot.held_keys}
    used = in_use(vault, snapshot, choices)
    for key, users in sorted(used.items()):
        if key not in there:
            yield _missed(vault, key, sorted(users))
    for key in known:
        if key in there:
            yield Compliant(Finding("KeyIsThere", f"the vault lists the key {key}"), key)
        elif key not in used:
            yield Compliant(Finding("SubjectIsGone", "no workspace uses that key any more"), key)


def _missed(vault: Vault, key: str, users: list[str]) -> NonCompliant:
    return NonCompliant(
        Finding(
            "KeyIsDeleted",
            f"the vault does not list the key {key}, which {len(users)} layer(s) use: it is deleted, or was never there. "
            "What lies under it cannot be read until it is back",
            {
                "key": key,
                "used_by": users[:_SHOWN],
                "proposed": [az_recover_key(vault.id.name, key)],
                "soft_delete": vault.soft_delete,
                "purge_protection": vault.purge_protection,
            },
        ),
        key,
    )
