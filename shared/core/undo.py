"""The way back: the plan that restores what a plan has changed, from its before-images.

Only what the writer may do is planned. A role that was taken away comes back by its owner's own command
(`render.undo_commands`): the writer may assign nothing but the narrow one. A diagnostic setting of ours goes the same way:
the writer may make one and delete none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.core.errors import Refused
from shared.core.facts import Policy, Snapshot, Vault
from shared.core.moves import grant as moves
from shared.core.moves import logs, vault
from shared.core.parse.access import GROUPS
from shared.core.record import PlannedStep, Remediation, carried_out
from shared.core.render import undo_commands
from shared.core.steps import Step

_BY_HAND = moves.ON_ROLES | {logs.SEND}
SUBJECT = "undo of"  # an undo has a row of its own, of which no control speaks


def carried(row: Remediation) -> tuple[PlannedStep, ...]:
    """Return the steps that we have carried out, and nobody else."""
    found = carried_out(row)
    return found.steps if found else ()


def covers(row: Remediation) -> tuple[str, ...]:
    """Return what an undo must exempt: what was found when those steps were carried out, and nothing beyond."""
    found = carried_out(row)
    return found.covers if found else ()


def check(row: Remediation) -> None:
    """Raise Refused where there is nothing to undo, or nobody can."""
    if not carried(row):
        raise Refused("NothingToUndo", "cmkwarden has written nothing for this remediation")
    if any(step.irreversible for step in carried(row)):
        raise Refused("Irreversible", "a step of it cannot be undone by anybody")
    if any(step.kind == vault.RECOVER for step in carried(row)):
        raise Refused("NotByUs", "cmkwarden deletes no vault: whoever wants it gone deletes it again")
    if any(step.kind not in moves.ON_POLICIES | _BY_HAND for step in carried(row)):
        raise Refused(
            "NotByUs", "cmkwarden takes no workspace back to the key it was on: its runbook says how a person does"
        )


def is_by_hand(row: Remediation) -> bool:
    """Whether only an owner can undo it: the writer may neither assign a broad role nor delete a diagnostic setting."""
    return any(step.kind in _BY_HAND for step in carried(row))


def commands(row: Remediation) -> list[str]:
    """Return what an owner types to give back the roles that were taken, or to take a diagnostic setting away."""
    return undo_commands(carried(row))


def is_back(row: Remediation, snapshot: Snapshot) -> bool:
    """Whether an owner has done it: every role that was taken is held again, and our setting sends nothing any more."""
    kinds = {step.kind for step in carried(row)} & _BY_HAND
    roles, sends = bool(kinds & moves.ON_ROLES), logs.SEND in kinds
    return bool(kinds) and (not roles or _roles_are_back(row, snapshot)) and (not sends or _sends_no_more(snapshot))


def _sends_no_more(snapshot: Snapshot) -> bool:
    found = snapshot.logging
    return isinstance(found, tuple) and not any(it.is_seen for it in found if it.name.lower() == logs.NAME)


def _roles_are_back(row: Remediation, snapshot: Snapshot) -> bool:
    """Whether every role that was taken is held again, under whatever name."""
    held = {(it.principal, it.role, it.scope) for it in snapshot.assignments}
    taken = [step.before for step in carried(row) if step.kind == moves.ROLE_DELETE]
    return bool(taken) and all(
        (
            str(it["principalId"]).lower(),
            str(it["roleDefinitionId"]).rsplit("/", 1)[-1].lower(),
            str(it["scope"]).lower(),
        )
        in held
        for it in taken
    )


def steps(row: Remediation, snapshot: Snapshot) -> tuple[Step, ...]:
    """Return what restores the policies that a remediation changed; nothing where they are as they were.

    Raises Refused where a policy is neither as it was before nor as it was left: somebody has changed it since.
    """
    if not isinstance(snapshot.vault, Vault):
        raise Refused("VaultIsGone", "there is no vault to restore anything at")
    return tuple(_restored(row, snapshot.vault))


def _restored(row: Remediation, vault: Vault) -> Iterator[Step]:
    for step in carried(row):
        if step.kind not in moves.ON_POLICIES:
            continue
        principal = str(step.after["objectId"])
        now = vault.policies_of(principal)
        entries = step.before["entries"]
        if _said(now) == _before(entries):
            continue
        if _said(now) != _after(step):
            raise Refused(
                "ChangedSince", f"the policy of {principal} is neither as it was nor as it was left: look at it by hand"
            )
        if not entries:
            yield moves.remove_policy(vault, now, principal)
        else:
            whole = {group: moves.joined(entries, group) for group in GROUPS}
            yield moves.set_policy(vault, now, whole, principal, grants=True)


def _before(entries: list[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    return {group: frozenset(word.lower() for word in moves.joined(entries, group)) for group in GROUPS}


def _after(step: PlannedStep) -> dict[str, frozenset[str]]:
    if step.kind == moves.POLICY_REMOVE:
        return dict.fromkeys(GROUPS, frozenset())
    before = _before(step.before["entries"])
    return {
        group: frozenset(word.lower() for word in step.after[group]) if group in step.after else before[group]
        for group in GROUPS
    }


def _said(policies: tuple[Policy, ...]) -> dict[str, frozenset[str]]:
    empty = frozenset[str]()
    return {group: empty.union(*(it.permissions.get(group, empty) for it in policies)) for group in GROUPS}
