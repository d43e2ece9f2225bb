"""What surrounds a workspace: the vaults that its layers name, the keys there, and the vault where new keys could live.

the workspace                               reads
names vaults                                one inventory query for all; for each GET vault, with RBAC its roles
names keys                                  GET of each key at the version in use; where a control wants to know the newest
                                            version that comes first, and the one in use only where it is another
has layers that are to be moved              the locks on it; the vault chosen for its keys, its roles, locks and
                                            denials, and the keys drawn for it; or, where none is chosen, each vault
                                            that a person could pick
is to have a key that was asked for         the same of the chosen vault
"""

from collections.abc import Mapping
from dataclasses import replace

from shared.core import ids, parse
from shared.core.control import Memory
from shared.core.demand import wanting
from shared.core.facts import Absent, Hindrances, Key, Snapshot, Unreadable, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.keyvaults import MOST, chosen
from shared.core.ports import Ports
from shared.flow.reads import hindrances_of, read, roles_of, tried


def surround(ports: Ports, snapshot: Snapshot, memory: Memory, *, for_a_key: bool = False) -> Snapshot:
    """Return the snapshot of a workspace with what surrounds it. Raises Temporary.

    `for_a_key`: somebody asks for a key of its own, so that its vault is read even where no layer is to be moved.
    """
    workspace = snapshot.workspace
    if not isinstance(workspace, Workspace) or not workspace.is_settled:
        return snapshot
    named = _named(ports, workspace)
    wants = bool(wanting(workspace, memory, ports.choices))
    home = chosen(workspace, memory, ports.choices) if wants or for_a_key else None
    # Where a vault is chosen nobody needs the others; where none is, a person must see which there are.
    places = [home] if home else [it.vault for it in ports.choices.key_vaults[:MOST]] if wants else []
    found: dict[str, Snapshot | Absent | Unreadable] = {
        host: it for host, it in named.items() if not isinstance(it, ResourceId)
    }
    wanted = dict.fromkeys([*(it for it in named.values() if isinstance(it, ResourceId)), *places])
    for vault in wanted:
        at = _vault(ports, vault, workspace, memory, is_home=vault == home)
        host = at.vault.host if isinstance(at.vault, Vault) else _host(named, vault)
        found[host] = at
    hindrances = _locks(ports, snapshot.target) if wants else None
    return replace(snapshot, vaults=found, hindrances=hindrances)


def _named(ports: Ports, workspace: Workspace) -> Mapping[str, ResourceId | Absent | Unreadable]:
    """Find the vaults that the layers name, by host."""
    hosts = workspace.hosts()
    names = {host: host.split(".", 1)[0] for host in hosts}
    paths = (
        tried("the vaults that it names", lambda: ports.inventory.vaults_named(list(names.values()))) if hosts else {}
    )
    if isinstance(paths, Unreadable):
        return dict.fromkeys(hosts, paths)
    return {host: ids.parse(paths[name]) if name in paths else Absent() for host, name in names.items()}


def _host(named: Mapping[str, object], vault: ResourceId) -> str:
    """Return the host under which a vault that could not be read was named, or else its usual one."""
    return next((host for host, it in named.items() if it == vault), f"{vault.name.lower()}.vault.azure.net")


def _vault(ports: Ports, vault: ResourceId, workspace: Workspace, memory: Memory, *, is_home: bool) -> Snapshot:
    """Read a vault as the workspace sees it. `is_home`: its keys are to live there, so what stands in the way is read too."""
    found = read(ports, vault, parse.vault)
    at = Snapshot(vault, vault=found, dependants=(workspace,))
    if not isinstance(found, Vault):
        return at
    is_used = found.rbac and bool(workspace.layers_in(found.host))
    if is_used or (is_home and found.rbac):
        at = replace(at, roles=roles_of(ports, at, Memory()))
    if is_used or is_home:  # a denial, or a grant that ends, is no grant to rely on
        at = replace(at, hindrances=hindrances_of(ports, at))
    newest = _newest(ports, found, workspace)
    return replace(at, keys=_keys(ports, found, workspace, memory, newest), newest=newest)


type _Found = dict[str, Key | Absent | Unreadable]


def _used(workspace: Workspace, vault: Vault) -> dict[tuple[str, str], None]:
    """Return the keys of a vault that the layers are on, each as name and version, each once."""
    return {(it.key.name, it.key.version): None for it in workspace.layers if it.key and it.key.host == vault.host}


def _newest(ports: Ports, vault: Vault, workspace: Workspace) -> _Found:
    """Read the keys in use at their newest version, if any control wants to know it."""
    if not any(it.control.wants_newest and ports.choices.is_on(it.control.id) for it in ports.remediators):
        return {}
    return {
        name: _key(ports, vault.id, name, "") for name in dict.fromkeys(name for name, _ in _used(workspace, vault))
    }


def _keys(ports: Ports, vault: Vault, workspace: Workspace, memory: Memory, newest: _Found) -> _Found:
    found: _Found = {}
    for name, version in _used(workspace, vault):
        last = newest.get(name)
        # A key that is not there has no version either. That its newest version may not be read says nothing of another.
        is_said = isinstance(last, Absent) or (isinstance(last, Key) and version.lower() in {"", last.version.lower()})
        found[f"{name}/{version}" if version else name] = (
            last if last is not None and is_said else _key(ports, vault.id, name, version)
        )
    for it in memory.drawn:
        if it.vault == vault.id.key:
            known = found.get(f"{it.name}/{it.version}") or (
                _key(ports, vault.id, it.name, it.version) if it.version else None
            )
            found[it.name] = known or _counted(ports, vault.id, it.name)
    return found


def _key(ports: Ports, vault: ResourceId, name: str, version: str) -> Key | Absent | Unreadable:
    def ask() -> Key | Absent:
        body = ports.keys.key(vault, name, version)
        return Absent() if body is None else parse.key(body)

    return tried(f"key {name}", ask)


def _counted(ports: Ports, vault: ResourceId, name: str) -> Key | Absent | Unreadable:
    """Read a key with the number of its versions: a key that we have made has one."""
    key = _key(ports, vault, name, "")
    versions = (
        tried(f"the versions of key {name}", lambda: ports.keys.versions(vault, name)) if isinstance(key, Key) else 0
    )
    if isinstance(versions, Unreadable):
        return versions
    return replace(key, versions=versions) if isinstance(key, Key) else key


def _locks(ports: Ports, workspace: ResourceId) -> Hindrances | Unreadable:
    return tried("the locks", lambda: Hindrances(parse.locks(ports.grants.locks(workspace))))


def found_around(snapshot: Snapshot) -> dict[str, str]:
    """Return the ids of the vaults that were found around a workspace, by the first word of their host."""
    return {host.split(".", 1)[0]: str(at.target) for host, at in snapshot.vaults.items() if isinstance(at, Snapshot)}
