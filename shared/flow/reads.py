"""Single reads of Azure as facts, for whoever gathers: what we may not read, and what makes no sense, is Unreadable.

What may work later rises as Temporary.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shared.core import parse
from shared.core.control import Memory
from shared.core.errors import BadInput, Denied
from shared.core.facts import (
    Absent,
    Contents,
    Deleted,
    HeldKey,
    Hindrances,
    LogSetting,
    Roles,
    Snapshot,
    Unreadable,
    Vault,
)
from shared.core.graph import graph
from shared.core.ids import ResourceId
from shared.core.ports import Ports


def read[T](ports: Ports, target: ResourceId, parsed: Callable[[Mapping[str, Any]], T]) -> T | Unreadable | Absent:
    """Read one resource."""

    def body() -> T | Absent:
        found = ports.arm.read(target)
        return Absent() if found is None else parsed(found)

    return tried(target.kind, body)


def tried[T](what: str, ask: Callable[[], T]) -> T | Unreadable:
    """Ask; what may not be read, or makes no sense, is Unreadable."""
    try:
        return ask()
    except (Denied, BadInput) as error:
        return Unreadable(what, error.reason, error.message)


def roles_of(ports: Ports, snapshot: Snapshot, memory: Memory) -> Roles | Unreadable:
    """Read the role assignments that reach a vault, and the roles that they give to whoever matters."""
    return tried("the role assignments", lambda: _roles_read(ports, snapshot, memory))


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


def contents_of(ports: Ports, vault: ResourceId) -> Contents | Unreadable:
    """Read which keys a vault holds, and whether it holds secrets."""
    return tried("what the vault holds", lambda: parse.contents(ports.vaults.keys(vault), ports.vaults.secrets(vault)))


def held_keys_of(ports: Ports, vault: ResourceId) -> tuple[HeldKey, ...] | Unreadable:
    """Read which keys a vault holds."""
    return tried("which keys the vault holds", lambda: parse.contents(ports.vaults.keys(vault), ()).keys)


def logging_of(ports: Ports, vault: ResourceId) -> tuple[LogSetting, ...] | Unreadable:
    """Read where the logs of a vault go."""
    return tried("the diagnostic settings", lambda: parse.log_settings(ports.vaults.settings(vault)))


def deleted_of(ports: Ports, vault: ResourceId) -> Deleted | Absent | Unreadable:
    """Read what Azure says of a vault that is not there: deleted, or not even that."""
    return tried("the deleted vaults", lambda: parse.deleted(ports.vaults.deleted(vault.subscription), vault))


def hindrances_of(ports: Ports, snapshot: Snapshot) -> Hindrances | Unreadable:
    """Read what stands between a plan and its writes."""
    return tried("locks, denials and timed assignments", lambda: _hindrances_read(ports, snapshot))


def _hindrances_read(ports: Ports, snapshot: Snapshot) -> Hindrances:
    vault = snapshot.target
    locks = parse.locks(ports.grants.locks(vault))
    if not (isinstance(snapshot.vault, Vault) and snapshot.vault.rbac):
        return Hindrances(locks)
    denials = parse.denials(ports.grants.denials(vault))
    return Hindrances(locks, denials, parse.timed(ports.grants.schedules(vault)))
