"""What must hold of a CMK vault's being there. Rules are named for the violation; all are pure.

the vault                          among the deleted   verdict
is there                           -                   Compliant, once what it lost with an earlier deletion is back
is not, and nobody missed it       -                   NotApplicable
is not                             yes                 VaultIsDeleted: it can be taken back until it is purged
is not, and a workspace names it   no                  Unknown for some minutes, since lists lag; then VaultIsPurged
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from remediators.vault_deleted import keys, plan
from shared.core.choices import Choices
from shared.core.commands import az_recover
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Absent, Deleted, Snapshot, Unreadable
from shared.core.graph import uses_of
from shared.core.lost import host_of, is_known, is_remembered, is_young, left, missing, owed
from shared.core.scope import InScope, cmk_vault

ID = "KV-DELETED"
_SHOWN = 50
_ASKS = (
    "somebody has deleted this vault: find out who and why before you take it back. Its keys, secrets and policies come back "
    "as they were, then {count} role(s) are given back"
)
_ASKS_GRANTS = "the vault is back and its roles are not: do these {count} still need what they held?"


def judge(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
    """Judge one vault, and the keys in it. What could not be read is Unknown, never compliant."""
    known = memory.subjects_of(ID)
    if isinstance(snapshot.vault, Absent) and is_remembered(memory):
        gone = Finding("VaultIsGone", "the vault is not there: its own row says what there is to do")
        return _missed(snapshot, memory, choices, now), *(NotApplicable(gone, it) for it in known)
    scope = cmk_vault(snapshot, memory, choices)
    if isinstance(scope, NotApplicable):
        return scope, *(replace(scope, subject=it) for it in known)
    if not isinstance(scope, InScope):
        return (scope,)
    return _present(scope, snapshot, memory, choices), *keys.judge(scope.vault, snapshot, known, choices)


def vault_is_deleted(snapshot: Snapshot) -> bool:
    """It is among the deleted vaults of its subscription."""
    return isinstance(snapshot.deleted, Deleted)


def grants_are_gone(snapshot: Snapshot, memory: Memory, choices: Choices) -> bool:
    """It came back from a deletion, and what was held there is not held any more."""
    return memory.lost is not None and any(owed(snapshot, memory, choices))


def _present(scope: InScope, snapshot: Snapshot, memory: Memory, choices: Choices) -> Verdict:
    if memory.lost and not is_known(snapshot, memory.lost):
        said = snapshot.roles.message if isinstance(snapshot.roles, Unreadable) else "nobody has read them"
        return Unknown(
            Finding("RolesUnknown", f"whether the roles are back that went with the vault is unknown: {said}")
        )
    if grants_are_gone(snapshot, memory, choices):
        steps = plan.steps(snapshot, memory, choices)
        found = Finding(
            "GrantsAreGone",
            f"the vault was deleted and is back; {len(steps)} role(s) that were held at it are not: whoever held them cannot "
            "use its keys",
            _roles(snapshot, memory, choices) | {"used_by": _users(snapshot, memory, choices)},
        )
        return NonCompliant(found, asks=_ASKS_GRANTS.format(count=len(steps)), steps=steps, insists=True)
    unread = keys.unread(scope.vault, snapshot, choices)
    lost = _roles(snapshot, memory, choices) if memory.lost else {}
    evidence = {"in_scope_because": scope.because, **lost}
    return unread or Compliant(Finding("VaultIsThere", "the vault is there", evidence))


def _missed(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> Verdict:
    """Judge a CMK vault that is not there."""
    if isinstance(snapshot.deleted, Unreadable):
        said = snapshot.deleted
        return Unknown(Finding(said.reason, f"whether the vault is deleted could not be read: {said.message}"))
    if isinstance(snapshot.deleted, Deleted):
        return _deleted(snapshot, snapshot.deleted, memory, choices, now)
    if snapshot.deleted is None:
        return Unknown(Finding("NotRead", "whether the vault is deleted was not read"))
    if isinstance(snapshot.dependants, Unreadable):
        why = snapshot.dependants
        return Unknown(Finding(why.reason, f"whether a workspace still names the vault is unknown: {why.message}"))
    users = _users(snapshot, memory, choices)
    if not users:
        return NotApplicable(
            Finding("VaultIsGone", "the vault is gone for good, or not visible yet, and no workspace names it")
        )
    if is_young(memory, now):
        return Unknown(Finding("NotListedYet", "the vault is neither there nor among the deleted ones: Azure may lag"))
    return NonCompliant(
        Finding(
            "VaultIsPurged",
            f"the vault is gone for good, and {len(users)} layer(s) of workspaces use keys in it: cmkwarden cannot bring it "
            "back. Look for a backup of its keys, and for another copy of the data",
            {"used_by": users},
        )
    )


def _deleted(snapshot: Snapshot, it: Deleted, memory: Memory, choices: Choices, now: datetime) -> NonCompliant:
    users, steps = _users(snapshot, memory, choices), plan.steps(snapshot, memory, choices)
    until = f"on {it.purged:%Y-%m-%d} Azure destroys it" if it.purged else "Azure destroys it some day"
    sooner = "" if it.purge_protection else ", and whoever may purge can do it today"
    evidence = {
        "deleted": it.deleted.isoformat() if it.deleted else None,
        "purged": it.purged.isoformat() if it.purged else None,
        "days_left": max((it.purged - now).days, 0) if it.purged else None,
        "purge_protection": it.purge_protection,
        "used_by": users,
        **_roles(snapshot, memory, choices),
    }
    if not steps:
        evidence["proposed"] = [az_recover(snapshot.target, it.location), *evidence["proposed"]]
    return NonCompliant(
        Finding(
            "VaultIsDeleted",
            f"the vault is deleted: nothing under its keys can be read, and {until} with its keys for good{sooner}; "
            f"{len(users)} layer(s) of workspaces use keys in it",
            evidence,
        ),
        asks=_ASKS.format(count=sum(step.grants for step in steps)),
        steps=steps,
        insists=True,
    )


def _roles(snapshot: Snapshot, memory: Memory, choices: Choices) -> dict[str, Any]:
    """Return what was held at the vault and is gone, by what becomes of it."""
    return {
        "lost": len(missing(snapshot, memory)),
        "given_back": plan.shown(tuple(owed(snapshot, memory, choices))),
        "proposed": plan.by_hand(snapshot, memory, choices),
        "not_given_back": plan.shown(left(snapshot, memory, choices)),
    }


def _users(snapshot: Snapshot, memory: Memory, choices: Choices) -> list[str]:
    """Return who names the vault: the workspaces that do, or where those cannot be read the ones that did last."""
    if isinstance(snapshot.dependants, Unreadable):
        named = [f"{it.layer} of {who.workspace}" for who in memory.nominations for it in who.layers]
    else:
        host = host_of(snapshot.target, memory)
        uses = (use for it in snapshot.dependants for use in uses_of(it, host, choices))
        named = [f"{it.layer} of {it.workspace}" for it in uses]
    return sorted(set(named))[:_SHOWN]
