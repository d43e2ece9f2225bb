"""Collect everything that one decision needs into a Snapshot. Reads only, under the reader identity.

    target      reads
    vault       GET vault; one inventory query for the workspaces that name it; with RBAC the role assignments
    workspace   GET workspace
    deeper      once there is a plan that takes something away, and for the sweep and for people: locks, denials,
                timed assignments, and the roles of a vault that does not go by them

What we may not read, and what makes no sense, becomes Unreadable: a fact like any other. What may work later
(throttling, a 5xx) rises as Temporary and the whole look comes back through the queue.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shared.core import ids, parse
from shared.core.control import Memory
from shared.core.errors import BadInput, Denied, Temporary
from shared.core.facts import Absent, Hindrances, Roles, Snapshot, Unreadable, Vault, Workspace
from shared.core.graph import graph, uses_of
from shared.core.ids import ResourceId
from shared.core.parse import wire
from shared.core.ports import Ports


def gather(ports: Ports, target: ResourceId, memory: Memory, *, needs_roles: bool = True) -> Snapshot:
    """Return the snapshot of a target. Raises Temporary, and BadInput for a kind of resource that is not ours.

    `needs_roles` is False where nothing that is judged looks at who may do what.
    """
    if target.kind == ids.VAULT:
        vault = _read(ports, target, parse.vault)
        if not isinstance(vault, Vault):
            return Snapshot(target, vault=vault)
        snapshot = Snapshot(target, vault=vault, dependants=_dependants(ports, vault), declared=_declared(ports))
        is_read = vault.rbac and needs_roles
        return replace(snapshot, roles=_roles(ports, snapshot, memory)) if is_read else snapshot
    if target.kind == ids.WORKSPACE:
        return Snapshot(target, workspace=_read(ports, target, parse.workspace))
    raise BadInput("NotOurs", f"{target.kind} is neither a key vault nor a Databricks workspace")


def deepen(ports: Ports, snapshot: Snapshot, memory: Memory) -> Snapshot:
    """Return the snapshot with what stands between a plan and its writes, and with the roles that are ignored."""
    if not isinstance(snapshot.vault, Vault) or snapshot.hindrances is not None:
        return snapshot
    hindrances = _tried("locks, denials and timed assignments", lambda: _hindrances(ports, snapshot))
    roles = snapshot.roles if snapshot.roles is not None else _roles(ports, snapshot, memory)
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
        workspace = _read(ports, ids.parse(named), parse.workspace)
        if isinstance(workspace, Unreadable):
            return snapshot
        if isinstance(workspace, Workspace) and any(uses_of(workspace, vault.host, ports.choices)):
            found[workspace.id.key] = workspace
    return replace(snapshot, dependants=tuple(found.values()), is_complete=True)


def check_settled(snapshot: Snapshot) -> None:
    """Raise Temporary while Azure is still creating or changing the target: what it says now is not the end of it."""
    if isinstance(snapshot.vault, Vault) and not snapshot.vault.is_settled:
        raise Temporary("StillProvisioning", f"Azure is not done with {snapshot.target} yet")


def read_again(ports: Ports, snapshot: Snapshot, memory: Memory) -> Snapshot:
    """Return the snapshot with what a write of ours may have changed, read anew: the vault, and with RBAC its roles."""
    fresh = replace(snapshot, vault=_read(ports, snapshot.target, parse.vault))
    if isinstance(fresh.vault, Vault) and fresh.vault.rbac and snapshot.roles is not None:
        return replace(fresh, roles=_roles(ports, fresh, memory))
    return fresh


def _read[T](ports: Ports, target: ResourceId, parsed: Callable[[Mapping[str, Any]], T]) -> T | Unreadable | Absent:
    def read() -> T | Absent:
        body = ports.arm.read(target)
        return Absent() if body is None else parsed(body)

    return _tried(target.kind, read)


def _tried[T](what: str, read: Callable[[], T]) -> T | Unreadable:
    try:
        return read()
    except (Denied, BadInput) as error:
        return Unreadable(what, error.reason, error.message)


def _dependants(ports: Ports, vault: Vault) -> tuple[Workspace, ...] | Unreadable:
    """Return the workspaces with a layer in this vault. One that cannot be understood makes the whole set unknown."""
    found = _tried(
        "the workspaces that use the vault",
        lambda: tuple(parse.workspace(body) for body in ports.inventory.workspaces_naming(vault.host)),
    )
    if isinstance(found, Unreadable):
        return found
    return tuple(workspace for workspace in found if workspace.layers_in(vault.host))


def _declared(ports: Ports) -> frozenset[str] | Unreadable:
    """Return the object ids of the identities that the deployment declares. One that is missing makes them all unknown."""

    def principal(identity: ResourceId) -> str:
        body = ports.arm.read(identity)
        found = wire.text(wire.obj(body or {}, "properties"), "principalId")
        if not found:
            raise BadInput("NoSuchIdentity", f"{identity} (CMK_IDENTITIES) does not exist or has no principalId")
        return found.lower()

    return _tried("the declared identities", lambda: frozenset(principal(it) for it in ports.choices.identities))


def _roles(ports: Ports, snapshot: Snapshot, memory: Memory) -> Roles | Unreadable:
    return _tried("the role assignments", lambda: _roles_read(ports, snapshot, memory))


def _roles_read(ports: Ports, snapshot: Snapshot, memory: Memory) -> Roles:
    assignments = parse.assignments(ports.grants.assignments(snapshot.target))
    users = graph(snapshot, memory, ports.choices)
    groups = {it.principal for it in assignments if it.principal_type.lower() == "group"}
    meant = groups | {it.principal for it in users.identities} if users else groups
    # What others hold from above says nothing of this vault: their roles, custom ones mostly, need not be read.
    wanted = [it for it in assignments if it.principal in meant or it.scope.startswith(snapshot.target.key)]
    bodies = ports.grants.definitions(snapshot.target, frozenset(it.role for it in wanted))
    roles = Roles(assignments, parse.definitions(bodies))
    _check_defined(roles, meant)
    whole = graph(replace(snapshot, roles=roles), memory, ports.choices)
    if whole is None or not any(it.principal in groups for it in whole.grants):
        return roles
    # Who is in a group only Azure can say; it is asked for the few that use keys, and only where a group may do something.
    by_group = {
        it.principal: frozenset(
            a.id for a in parse.assignments(ports.grants.assigned_to(snapshot.target, it.principal))
        )
        for it in whole.identities
    }
    return replace(roles, by_group=by_group)


def _check_defined(roles: Roles, meant: set[str]) -> None:
    """Raise BadInput where nobody can say what a role lets one of them do: that is not nothing."""
    unknown = {it.role for it in roles.assignments if it.principal in meant and roles.role(it) is None}
    if unknown:
        raise BadInput("RoleNotDefined", f"Azure does not show the definition of {', '.join(sorted(unknown)[:5])}")


def _hindrances(ports: Ports, snapshot: Snapshot) -> Hindrances:
    vault = snapshot.target
    locks = parse.locks(ports.grants.locks(vault))
    if not (isinstance(snapshot.vault, Vault) and snapshot.vault.rbac):
        return Hindrances(locks)
    denials = parse.denials(ports.grants.denials(vault))
    return Hindrances(locks, denials, parse.timed(ports.grants.schedules(vault)))
