"""The keys that the layers of a workspace use, as its last look has found them: which version, of what type, made when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.core.facts import Absent, Key, KeyRef, Layer, Snapshot, Unreadable, Workspace

_LONGEST = 200  # characters of a reason


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """One key at one version. `problem` says why nothing more is known of it; `version` is '' where nobody can say which.

    `kind`, `size` and `made` are what Azure says of that version: see `facts.Key`.
    """

    host: str
    name: str
    version: str = ""
    kind: str = ""
    size: int = 0
    made: datetime | None = None
    problem: str = ""


def version_in_use(at: Snapshot, layer: Layer, key: KeyRef) -> Key | Absent | Unreadable | None:
    """Return the key of a layer, in its vault, at the version that the layer is on; None where nobody has asked.

    Where the layer follows its key by itself that is the newest, whatever version the workspace shows (AZURE 1.4).
    """
    if layer.follows:
        return at.newest.get(key.name)
    return at.keys.get(f"{key.name}/{key.version}" if key.version else key.name)


def keys_in_use(snapshot: Snapshot) -> tuple[KeyInUse, ...]:
    """Return the keys of a workspace, each version once; none of a vault."""
    if not isinstance(snapshot.workspace, Workspace):
        return ()
    return tuple(dict.fromkeys(_keys(snapshot, snapshot.workspace)))


def _keys(snapshot: Snapshot, workspace: Workspace) -> Iterator[KeyInUse]:
    for layer in workspace.layers:
        if layer.key is None:
            continue
        at = snapshot.vaults.get(layer.key.host)
        found = version_in_use(at, layer, layer.key) if isinstance(at, Snapshot) else at
        if isinstance(found, Key):
            yield KeyInUse(layer.key.host, layer.key.name, found.version, found.kind, found.size, found.created)
        else:
            yield KeyInUse(layer.key.host, layer.key.name, problem=_why(found)[:_LONGEST])


def _why(found: Absent | Unreadable | None) -> str:
    if isinstance(found, Unreadable):
        return found.message
    return "nobody has looked at it" if found is None else "its vault or the key cannot be seen"
