"""What a CMK vault may hold. Rules are named for the violation; all are pure.

a key                                            counts as
a layer of a workspace names it, or did once     a customer-managed key
a migration of ours has drawn it                 one
anything else                                    a stray, once it is a day old
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, Unknown, Verdict
from shared.core.facts import Contents, HeldKey, Snapshot, Unreadable, Vault
from shared.core.graph import graph
from shared.core.scope import InScope, cmk_vault

_YOUNG = timedelta(days=1)  # a key is made before a workspace is put on it: somebody may be in between
_SHOWN = 20  # of each list in the evidence


def judge(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> Verdict:
    """Judge one vault. Where nobody can say who uses its keys, a key that nobody is known to use is Unknown."""
    scope = cmk_vault(snapshot, memory, choices)
    if not isinstance(scope, InScope):
        return scope
    found = snapshot.contents
    if found is None:
        return Unknown(Finding("NotRead", "what the vault holds was not read"))
    if isinstance(found, Unreadable):
        return Unknown(Finding(found.reason, f"what the vault holds could not be read: {found.message}"))
    loose = keys_that_nothing_uses(scope.vault, found, snapshot, memory, choices)
    evidence = {**_evidence(found, snapshot), "in_scope_because": scope.because}
    if loose and not found.secrets and isinstance(snapshot.dependants, Unreadable):
        said = f"who uses the keys could not be read: {snapshot.dependants.message}"
        return Unknown(Finding(snapshot.dependants.reason, said, evidence))
    known = loose if not isinstance(snapshot.dependants, Unreadable) else ()
    young = [it for it in known if is_young(it, now)]
    strays = [it for it in known if it not in young]
    evidence |= {"unused_keys": _named(strays), "young_keys": _named(young)}
    if found.secrets or strays:
        return NonCompliant(_finding(found, len(strays), evidence))
    if young:
        ends = min(it.created + _YOUNG for it in young if it.created)
        return NonCompliant(_finding(found, len(young), evidence), quiet=ends)
    return Compliant(Finding("Dedicated", "the vault holds customer-managed keys and nothing else", evidence))


def keys_that_nothing_uses(
    vault: Vault, contents: Contents, snapshot: Snapshot, memory: Memory, choices: Choices
) -> tuple[HeldKey, ...]:
    """Return the keys that no workspace is known to use or to have used, and that no migration of ours has made.

    One that was in use counts as a customer-managed key for good: data may still lie under it.
    """
    whole = graph(snapshot, memory, choices)
    known = {it.key.lower() for it in (whole.uses if whole else ())}
    known |= {it.key.lower() for nomination in memory.nominations for it in nomination.layers}
    known |= {it.key.lower() for it in memory.identities}
    known |= {it.name.lower() for it in memory.drawn if it.vault == vault.id.key} | set(memory.made)
    return tuple(it for it in contents.keys if it.name.lower() not in known)


def is_young(key: HeldKey, now: datetime) -> bool:
    """Whether a key was made within a day. One whose age nobody knows is not."""
    return key.created is not None and key.created > now - _YOUNG


def _finding(found: Contents, loose: int, evidence: dict[str, Any]) -> Finding:
    said = []
    if found.secrets:
        said.append("the vault holds secrets: whoever needs one of them is let into the vault of the keys")
    if loose:
        said.append(f"the vault holds {loose} key(s) that no workspace is known to use")
    return Finding("HoldsSecrets" if found.secrets else "HoldsUnusedKeys", "; ".join(said), evidence)


def _evidence(found: Contents, snapshot: Snapshot) -> dict[str, Any]:
    declared = snapshot.declared
    return {
        "keys": len(found.keys),
        "secrets": list(found.secrets[:_SHOWN]),
        "more_secrets": len(found.secrets) > _SHOWN,
        "certificates": list(found.certificates[:_SHOWN]),
        "declared_identities": "unknown" if isinstance(declared, Unreadable) else len(declared),
        "searched": "the whole estate" if snapshot.is_complete else "what Resource Graph shows, and what we remember",
    }


def _named(keys: Sequence[HeldKey]) -> list[dict[str, str]]:
    return [{"name": it.name, "created": it.created.isoformat() if it.created else ""} for it in keys[:_SHOWN]]
