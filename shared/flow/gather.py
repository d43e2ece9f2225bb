"""Collect everything that one decision needs into a Snapshot. Reads only, under the reader identity.

    target      reads
    vault       GET vault; one inventory query for the workspaces that name it; with RBAC the role assignments
                a CMK vault: where its logs go, and the lists of its keys and secrets, each for a control that is on
                a CMK vault that is not there: the deleted vaults of its subscription, and the workspaces that name it
    workspace   GET workspace; what surrounds it is read by flow/surround.py
    deeper      once there is a plan that takes something away, and for the sweep and for people: locks, denials,
                timed assignments, and the roles of a vault that does not go by them

What we may not read, and what makes no sense, becomes Unreadable: a fact like any other. What may work later
(throttling, a 5xx) rises as Temporary and the whole look comes back through the queue; or, where the caller can judge by
the rest, it is noted as late and left out of the snapshot.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.core import ids, parse
from shared.core.control import Control, Memory
from shared.core.errors import BadInput, Temporary
from shared.core.facts import Absent, Contents, Snapshot, Unreadable, Vault, Workspace
from shared.core.graph import uses_of
from shared.core.ids import ResourceId
from shared.core.lost import host_of, is_remembered
from shared.core.parse import wire
from shared.core.ports import Ports
from shared.core.scope import why_in_scope
from shared.flow.late import Late, put_off
from shared.flow.reads import contents_of, deleted_of, held_keys_of, hindrances_of, logging_of, read, roles_of, tried
from shared.flow.surround import surround

# Nobody knows them now: whoever would take one of them for a stranger must not be able to.
_LATE = Unreadable("the declared identities", "NotReadYet", "they could not be read at this look")


def gather(
    ports: Ports, target: ResourceId, memory: Memory, *, needs_roles: bool = True, only: Control | None = None,
    late: Late | None = None,
) -> Snapshot:  # fmt: skip
    """Return the snapshot of a target. Raises Temporary, and BadInput for a kind of resource that is not ours.

    `needs_roles` is False where nothing that is judged looks at who may do what. `only` is the one control that is judged,
    None where all are: what just others need is not read. `late` takes what only some controls need and cannot be had now;
    the target itself and its dependants every control needs.
    """
    if target.kind == ids.VAULT:
        vault = read(ports, target, parse.vault)
        if isinstance(vault, Absent) and "deleted" in _needs(ports, only):
            return _missed(ports, target, memory, only, late)
        if not isinstance(vault, Vault):
            return Snapshot(target, vault=vault)
        dependants = _dependants(ports, vault.host)
        declared = put_off(late, "access", lambda: _declared(ports))
        snapshot = Snapshot(
            target, vault=vault, dependants=dependants, declared=_LATE if declared is None else declared
        )
        snapshot = _looked_into(ports, snapshot, vault, memory, only, late)
        if not (vault.rbac and needs_roles):
            return snapshot
        return replace(snapshot, roles=put_off(late, "roles", lambda: roles_of(ports, snapshot, memory)))
    if target.kind == ids.WORKSPACE:
        snapshot = Snapshot(target, workspace=read(ports, target, parse.workspace))
        looks = any(it.control.looks_around and ports.choices.is_on(it.control.id) for it in ports.remediators)
        if not looks:
            return snapshot
        return put_off(late, "surroundings", lambda: surround(ports, snapshot, memory)) or snapshot
    raise BadInput("NotOurs", f"{target.kind} is neither a key vault nor a Databricks workspace")


def _needs(ports: Ports, only: Control | None) -> frozenset[str]:
    """Return what the controls that are on and judged here ask for."""
    judged = [only] if only else [it.control for it in ports.remediators]
    return frozenset[str]().union(*(it.needs for it in judged if ports.choices.is_on(it.id)))


def _missed(ports: Ports, target: ResourceId, memory: Memory, only: Control | None, late: Late | None) -> Snapshot:
    """Return the snapshot of a vault that is not there. Of one that nobody knew as a CMK vault nothing more is read.

    Raises Temporary where somebody's yes is being carried out and the vault is neither there nor deleted: it is on its way.
    """
    snapshot = Snapshot(target, vault=Absent())
    if not is_remembered(memory):
        return snapshot
    found = put_off(late, "deleted", lambda: deleted_of(ports, target))
    if only and isinstance(found, Absent):
        raise Temporary("NotVisibleYet", f"{target} is neither there nor among the deleted vaults")
    return replace(snapshot, deleted=found, dependants=_dependants(ports, host_of(target, memory)))


def _looked_into(
    ports: Ports, snapshot: Snapshot, vault: Vault, memory: Memory, only: Control | None, late: Late | None
) -> Snapshot:
    """Return the snapshot of a CMK vault with what it holds and where its logs go, as far as a control asks for it."""
    needs = _needs(ports, only) & {"contents", "keys", "logging"}
    if not needs or not vault.is_settled or not isinstance(why_in_scope(vault, snapshot, memory, ports.choices), str):
        return snapshot

    def read_if_needed[T](need: str, ask: Callable[[Ports, ResourceId], T]) -> T | None:
        return put_off(late, need, lambda: ask(ports, vault.id)) if need in needs else None

    contents = read_if_needed("contents", contents_of)
    keys = contents.keys if isinstance(contents, Contents) else read_if_needed("keys", held_keys_of)
    return replace(snapshot, contents=contents, held_keys=keys, logging=read_if_needed("logging", logging_of))


def deepen(ports: Ports, snapshot: Snapshot, memory: Memory) -> Snapshot:
    """Return the snapshot with what stands between a plan and its writes, and with the roles that are ignored."""
    if not isinstance(snapshot.vault, Vault) or snapshot.hindrances is not None:
        return snapshot
    hindrances = hindrances_of(ports, snapshot)
    roles = snapshot.roles if snapshot.roles is not None else roles_of(ports, snapshot, memory)
    return replace(snapshot, hindrances=hindrances, roles=roles)


def complete(ports: Ports, snapshot: Snapshot, memory: Memory) -> Snapshot:
    """Return the snapshot with word of whether nobody who depends on the vault can have been overlooked.

    Every subscription of the estate must be visible, and every workspace whose identity we remember is read itself:
    Resource Graph may lag.
    """
    vault, dependants = snapshot.vault, snapshot.dependants
    if not isinstance(vault, Vault) or isinstance(dependants, Unreadable) or not memory.identities:
        return snapshot
    estate = set(ports.choices.subscriptions)
    if not estate or not estate <= ports.inventory.subscriptions():
        return snapshot
    found = {it.id.key: it for it in dependants}
    for named in sorted({once.workspace for once in memory.identities} - set(found)):
        workspace = read(ports, ids.parse(named), parse.workspace)
        if isinstance(workspace, Unreadable):
            return snapshot
        if isinstance(workspace, Workspace) and any(uses_of(workspace, vault.host, ports.choices)):
            found[workspace.id.key] = workspace
    return replace(snapshot, dependants=tuple(found.values()), is_complete=True)


def check_settled(snapshot: Snapshot) -> None:
    """Raise Temporary while Azure is still creating or changing the target: what it says now is not the end of it."""
    target = snapshot.vault or snapshot.workspace
    if isinstance(target, Vault | Workspace) and not target.is_settled:
        raise Temporary("StillProvisioning", f"Azure is not done with {snapshot.target} yet ({target.provisioning})")


def read_again(ports: Ports, snapshot: Snapshot, memory: Memory) -> Snapshot:
    """Return the snapshot with what a write of ours may have changed, read anew: the vault, with RBAC its roles, its logging."""
    fresh = replace(snapshot, vault=read(ports, snapshot.target, parse.vault))
    if fresh.logging is not None:
        fresh = replace(fresh, logging=logging_of(ports, snapshot.target))
    if isinstance(fresh.vault, Vault) and fresh.vault.rbac and snapshot.roles is not None:
        return replace(fresh, roles=roles_of(ports, fresh, memory))
    return fresh


def _dependants(ports: Ports, host: str) -> tuple[Workspace, ...] | Unreadable:
    """Return the workspaces with a layer in this vault. One that cannot be understood makes the whole set unknown."""
    found = tried(
        "the workspaces that use the vault",
        lambda: tuple(parse.workspace(body) for body in ports.inventory.workspaces_naming(host)),
    )
    if isinstance(found, Unreadable):
        return found
    return tuple(workspace for workspace in found if workspace.layers_in(host))


def _declared(ports: Ports) -> frozenset[str] | Unreadable:
    """Return the object ids of the identities that the deployment declares. One that is missing makes them all unknown."""

    def principal(identity: ResourceId) -> str:
        body = ports.arm.read(identity)
        found = wire.text(wire.obj(body or {}, "properties"), "principalId")
        if not found:
            raise BadInput("NoSuchIdentity", f"{identity} (CMK_IDENTITIES) does not exist or has no principalId")
        return found.lower()

    return tried("the declared identities", lambda: frozenset(principal(it) for it in ports.choices.identities))
