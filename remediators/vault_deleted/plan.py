"""How to put it right: take the vault back, then give back the narrow roles that Azure has deleted with it."""

from collections.abc import Sequence

from shared.core.choices import Choices
from shared.core.commands import az_role_back
from shared.core.control import Given, Memory
from shared.core.facts import Deleted, Snapshot
from shared.core.lost import is_ours, left, missing, owed
from shared.core.moves import grant, vault
from shared.core.steps import Step

_SHOWN = 50


def steps(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
    """Return the steps that are left. Nothing where nobody knows what a recovery must say: a person types the command."""
    given = tuple(_give(snapshot, it) for it in owed(snapshot, memory, choices))
    if not isinstance(snapshot.deleted, Deleted):
        return given
    tenant = tenant_of(memory, choices)
    if not (tenant and snapshot.deleted.location):
        return ()
    return (vault.recover(snapshot.target, snapshot.deleted, tenant), *given)


def tenant_of(memory: Memory, choices: Choices) -> str:
    """Return the tenant of a vault that is not there; '' where nobody knows it."""
    return memory.alive.tenant if memory.alive and memory.alive.tenant else choices.tenant


def by_hand(snapshot: Snapshot, memory: Memory, choices: Choices) -> list[str]:
    """Return the commands for what was held and cmkwarden may not give: broad roles, people, groups, conditions."""
    gone = left(snapshot, memory, choices)
    rest = [it for it in missing(snapshot, memory) if not is_ours(it, snapshot.target, choices) and it not in gone]
    return [_said(snapshot, it) for it in rest[:_SHOWN]]


def shown(given: Sequence[Given]) -> list[str]:
    """Return roles in words."""
    return [f"{it.role} for {it.principal}{f' at {it.below}' if it.below else ''}" for it in given[:_SHOWN]]


def _said(snapshot: Snapshot, given: Given) -> str:
    command = az_role_back(snapshot.target, given)
    return f"{command}  # it had a condition or an end: set that again" if given.is_bound else command


def _give(snapshot: Snapshot, given: Given) -> Step:
    return grant.assign_role_at(
        snapshot.target, f"{snapshot.target}{given.below}", given.role, given.principal, grants=True
    )
