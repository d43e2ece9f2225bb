"""Collect everything that one decision needs into a Snapshot. Reads only, under the reader identity.

    target      reads
    vault       GET vault; one inventory query for the workspaces that name it
    workspace   GET workspace

What we may not read, and what makes no sense, becomes Unreadable: a fact like any other. What may work later
(throttling, a 5xx) rises as Temporary and the whole look comes back through the queue.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.core import ids, parse
from shared.core.errors import BadInput, Denied, Temporary
from shared.core.facts import Absent, Snapshot, Unreadable, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.ports import Ports


def gather(ports: Ports, target: ResourceId) -> Snapshot:
    """Return the snapshot of a target. Raises Temporary, and BadInput for a kind of resource that is not ours."""
    if target.kind == ids.VAULT:
        vault = read_vault(ports, target)
        dependants = _dependants(ports, vault) if isinstance(vault, Vault) else ()
        return Snapshot(target, vault=vault, dependants=dependants)
    if target.kind == ids.WORKSPACE:
        return Snapshot(target, workspace=_read(ports, target, parse.workspace))
    raise BadInput("NotOurs", f"{target.kind} is neither a key vault nor a Databricks workspace")


def check_settled(snapshot: Snapshot) -> None:
    """Raise Temporary while Azure is still creating or changing the target: what it says now is not the end of it."""
    if isinstance(snapshot.vault, Vault) and not snapshot.vault.is_settled:
        raise Temporary("StillProvisioning", f"Azure is not done with {snapshot.target} yet")


def read_vault(ports: Ports, target: ResourceId) -> Vault | Unreadable | Absent:
    """Read one vault."""
    return _read(ports, target, parse.vault)


def _read[T](ports: Ports, target: ResourceId, parsed: Callable[[Mapping[str, Any]], T]) -> T | Unreadable | Absent:
    try:
        body = ports.arm.read(target)
        return Absent() if body is None else parsed(body)
    except (Denied, BadInput) as error:
        return Unreadable(target.kind, error.reason, error.message)


def _dependants(ports: Ports, vault: Vault) -> tuple[Workspace, ...] | Unreadable:
    """Return the workspaces with a layer in this vault. One that cannot be understood makes the whole set unknown."""
    try:
        found = [parse.workspace(body) for body in ports.inventory.workspaces_naming(vault.host)]
    except (Denied, BadInput) as error:
        return Unreadable("the workspaces that use the vault", error.reason, error.message)
    return tuple(workspace for workspace in found if workspace.layers_in(vault.host))
