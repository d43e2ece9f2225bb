"""What goes with a CMK vault that is deleted, and is not in Azure's copy of it: the roles held there (AZURE 0.7). Pure.

While a vault is there each look keeps what is held at it. Once it is found gone that stands still, as what was lost,
until what we may give back is held again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.choices import Choices
from shared.core.control import Alive, Given, Lost, Memory
from shared.core.facts import Absent, Assignment, Hindrances, Roles, Snapshot, Unreadable, Vault
from shared.core.ids import ResourceId
from shared.core.moves import grant as moves

MOST = 100  # roles kept of a vault, the ones that we may give back first
LAG = timedelta(minutes=10)  # after that a vault that is not among the deleted ones is gone for good


def is_remembered(memory: Memory) -> bool:
    """Whether anybody ever knew the vault as a CMK vault."""
    return memory.was_cmk_vault or bool(memory.nominations)


def host_of(vault: ResourceId, memory: Memory) -> str:
    """Return the host that workspaces name a vault by: the one that was seen, else the usual one."""
    return memory.alive.host if memory.alive else f"{vault.name.lower()}.vault.azure.net"


def seen_alive(snapshot: Snapshot, memory: Memory, choices: Choices) -> Memory:
    """Return the memory of a CMK vault that is there. While something is lost, what is held now teaches nothing."""
    vault = snapshot.vault
    if not isinstance(vault, Vault):
        return memory
    if memory.lost and (not is_known(snapshot, memory.lost) or any(owed(snapshot, memory, choices))):
        return memory
    given = memory.alive.given if memory.alive else ()
    if not vault.rbac:
        given = ()
    elif isinstance(snapshot.roles, Roles):
        given = tuple(_given(snapshot, given, choices))[:MOST]
    return replace(memory, alive=Alive(vault.tenant, vault.host, given), lost=None)


def missed(snapshot: Snapshot, memory: Memory, now: datetime) -> Memory:
    """Return the memory of a CMK vault that is not there. What lay in a purged one is owed to no vault of its name."""
    if not isinstance(snapshot.vault, Absent) or snapshot.deleted is None or isinstance(snapshot.deleted, Unreadable):
        return memory
    lost = memory.lost or Lost(now, memory.alive.given if memory.alive else ())
    if isinstance(snapshot.deleted, Absent) and not is_young(memory, now):
        return replace(memory, lost=replace(lost, given=()), alive=None)
    return replace(memory, lost=lost)


def is_young(memory: Memory, now: datetime) -> bool:
    """Whether it was found gone only now: Azure's lists may lag behind its own events."""
    return memory.lost is None or now - memory.lost.since < LAG


def is_known(snapshot: Snapshot, lost: Lost) -> bool:
    """Whether anybody can say what of it is held again."""
    is_asked = bool(lost.given) and isinstance(snapshot.vault, Vault) and snapshot.vault.rbac
    return isinstance(snapshot.roles, Roles) or not is_asked


def owed(snapshot: Snapshot, memory: Memory, choices: Choices) -> Iterator[Given]:
    """Yield what is to be given back: narrow, plain, ours to give, and to somebody who still has business there."""
    gone = left(snapshot, memory, choices)
    yield from (it for it in missing(snapshot, memory) if is_ours(it, snapshot.target, choices) and it not in gone)


def left(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Given, ...]:
    """Return what stays lost: it belonged to an identity of a workspace, and no workspace has that identity now."""
    once = {it.principal for it in memory.identities if it.layer != "managedServices"} - {choices.databricks}
    gone = once - _named(snapshot, memory)
    return tuple(it for it in missing(snapshot, memory) if it.principal in gone)


def missing(snapshot: Snapshot, memory: Memory) -> tuple[Given, ...]:
    """Return what was held before and is not held now, under whatever name."""
    held = {(it.principal, it.role, it.scope) for it in snapshot.assignments}
    lost = memory.lost.given if memory.lost else memory.alive.given if memory.alive else ()
    return tuple(it for it in lost if (it.principal, it.role, snapshot.target.key + it.below) not in held)


def is_ours(given: Given, vault: ResourceId, choices: Choices) -> bool:
    """Whether the writer may give it: the roles and principals of infra/roles/grants.condition, at a vault or a key."""
    is_narrow = given.role in {moves.NARROW, moves.STRICT}
    reads = given.role == moves.SECRETS_USER and given.principal == choices.databricks != ""
    return (
        (is_narrow or reads)
        and given.principal_type.lower() == "serviceprincipal"
        and not given.is_bound
        and moves.is_ours(vault, f"{vault}{given.below}")
    )


def _named(snapshot: Snapshot, memory: Memory) -> set[str]:
    """Return the principals of the workspaces that name the vault; where those cannot be read, of those that did last."""
    if isinstance(snapshot.dependants, Unreadable):
        return {it.principal for nomination in memory.nominations for it in nomination.layers}
    host = host_of(snapshot.target, memory)
    return {
        layer.principal for it in snapshot.dependants for layer in it.layers if layer.key and layer.key.host == host
    }


def _given(snapshot: Snapshot, before: tuple[Given, ...], choices: Choices) -> list[Given]:
    """Return what is held at the vault and below it, as it is kept; that a role ends stays known until Azure says other."""
    place = snapshot.target.key
    timed = snapshot.hindrances.timed if isinstance(snapshot.hindrances, Hindrances) else None
    bound = {replace(it, is_bound=False) for it in before if it.is_bound}

    def kept(it: Assignment) -> Given:
        found = Given(it.principal, it.principal_type, it.role, it.scope.removeprefix(place))
        ends = it.id in timed if timed is not None else found in bound
        return replace(found, is_bound=it.is_conditional or ends)

    held = {kept(it) for it in snapshot.assignments if it.scope == place or it.scope.startswith(place + "/")}
    return sorted(
        held, key=lambda it: (not is_ours(it, snapshot.target, choices), it.principal, it.role, it.below, it.is_bound)
    )
