"""Whether each key in a CMK vault was asked for. Rules are named for the violation; all are pure.

a key                                                       counts as
cmkwarden has made it: for a migration or for a request     known
cmkwarden has drawn its name                                known for an hour: it is being made
it belongs to a certificate                                 no key of its own
a layer of a workspace names it                             in use, and not asked for
any other                                                   a stray
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Contents, HeldKey, Snapshot, Unreadable
from shared.core.graph import graph
from shared.core.reach import short
from shared.core.scope import InScope, cmk_vault

_BEING_MADE = timedelta(hours=1)  # longer than it takes to make a key and to see that it is ours, failures and all
# A look takes seconds: a key that it sees may have been drawn after it had asked what is known. It is judged anew then.
_A_LOOK = timedelta(minutes=5)
_SHOWN = 20  # keys in the evidence
_NAMED = 1000  # keys that an exemption names one by one


def judge(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> Verdict:
    """Judge one vault. Whether anybody uses a key does not make it known: somebody must have agreed to it."""
    scope = cmk_vault(snapshot, memory, choices)
    if not isinstance(scope, InScope):
        return scope
    found = snapshot.contents
    if found is None:
        return Unknown(Finding("NotRead", "which keys the vault holds was not read"))
    if isinstance(found, Unreadable):
        return Unknown(Finding(found.reason, f"which keys the vault holds could not be read: {found.message}"))
    if not memory.is_kept:
        said = "who has asked for which key is on the record of the app alone, and a scan has none"
        return NotApplicable(Finding("NoRecord", said))
    unknown = keys_that_nobody_asked_for(found, memory, now)
    evidence = {"keys": len(found.keys), "certificates": len(found.certificates), "in_scope_because": scope.because}
    if not unknown:
        return Compliant(Finding("KeysAreKnown", "every key in the vault was asked for and approved", evidence))
    uses = _uses(snapshot, memory, choices)
    finding = _finding(unknown, uses, {**evidence, "beyond": _names(unknown)})
    young = [it.created + _A_LOOK for it in unknown if it.created and it.created > now - _A_LOOK]
    return NonCompliant(finding, quiet=min(young) if len(young) == len(unknown) else None)


def keys_that_nobody_asked_for(found: Contents, memory: Memory, now: datetime) -> tuple[HeldKey, ...]:
    """Return the keys that are on no record of ours, in the order of their names."""
    drawn = {it.name.lower() for it in memory.drawn if it.time > now - _BEING_MADE}
    known = {*memory.made, *drawn, *(name.lower() for name in found.certificates)}
    unknown = (it for it in found.keys if it.name.lower() not in known)
    return tuple(sorted(unknown, key=lambda it: it.name.lower()))


def _uses(snapshot: Snapshot, memory: Memory, choices: Choices) -> Mapping[str, Sequence[str]]:
    """Return which workspaces name a key, or named it when they were last read, by its name in lower case."""
    found: dict[str, dict[str, None]] = {}
    whole = graph(snapshot, memory, choices)
    for use in whole.uses if whole else ():
        found.setdefault(use.key.lower(), {})[use.workspace] = None
    for nomination in memory.nominations:
        for layer in nomination.layers:
            found.setdefault(layer.key.lower(), {})[nomination.workspace] = None
    return {key: list({name.lower(): name for name in names}.values()) for key, names in found.items()}


def _finding(unknown: Sequence[HeldKey], uses: Mapping[str, Sequence[str]], evidence: Mapping[str, Any]) -> Finding:
    used = [it for it in unknown if it.name.lower() in uses]
    strays = [it for it in unknown if it.name.lower() not in uses]
    said = []
    if strays:
        said.append(f"{len(strays)} key(s) of the vault were never asked for, and no workspace is known to use them")
    if used:
        said.append(f"{len(used)} key(s) of the vault are in use and were never asked for")
    shown = {"strays": _shown(strays, uses), "in_use": _shown(used, uses)}
    return Finding("HoldsStrayKeys" if strays else "UsesKeysNotAskedFor", "; ".join(said), {**evidence, **shown})


def _shown(keys: Sequence[HeldKey], uses: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [
        {
            "name": it.name,
            "created": it.created.isoformat() if it.created else "",
            "workspaces": list(uses.get(it.name.lower(), ()))[:_SHOWN],
        }
        for it in keys[:_SHOWN]
    ]


def _names(keys: Sequence[HeldKey]) -> list[str]:
    """Return what an exemption covers: every key by its name, and of more than are named a digest that another one changes."""
    names = [it.name.lower() for it in keys]
    return [*names[:_NAMED], *([short(names[_NAMED:])] if names[_NAMED:] else [])]
