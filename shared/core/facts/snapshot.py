"""Everything one decision needs, gathered once: judging and planning are pure functions of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.facts.access import Assignment, Hindrances, Roles
from shared.core.facts.contents import Contents, HeldKey
from shared.core.facts.deleted import Deleted
from shared.core.facts.key import Key
from shared.core.facts.logs import LogSetting
from shared.core.facts.vault import Vault
from shared.core.facts.workspace import Workspace
from shared.core.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something we may not, or could not, read. Never to be taken for 'there is none'."""

    what: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Azure says that it does not exist: deleted, or not yet visible everywhere."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The target and what surrounds it. Of `vault` and `workspace` exactly one is set, by the target's kind.

    `vaults` are those around a workspace, by host in lower case: the ones that its layers name and the ones where its keys
    could live, each as a snapshot of its own, with `keys` by name or `name/version`, and in `newest` the newest version of each
    key in use, by name, where a control wants it. A host that nobody could find is Absent.

    None means that nobody has asked: `roles` of a vault with access policies, `hindrances`, `contents`, `held_keys` and `logging` are
    read only where they decide something. `deleted` is read of a CMK vault that is Absent: Absent there, too, where it is not
    among the deleted ones. `is_complete`: every subscription that could hold a dependant was searched (the sweep asks).
    """

    target: ResourceId
    vault: Vault | Unreadable | Absent | None = None
    workspace: Workspace | Unreadable | Absent | None = None
    dependants: tuple[Workspace, ...] | Unreadable = ()  # the workspaces that name the vault
    roles: Roles | Unreadable | None = None
    hindrances: Hindrances | Unreadable | None = None
    declared: frozenset[str] | Unreadable = frozenset()  # object ids of the identities that the deployment declares
    is_complete: bool = False
    vaults: Mapping[str, Snapshot | Absent | Unreadable] = field(default_factory=dict)
    keys: Mapping[str, Key | Absent | Unreadable] = field(default_factory=dict)
    newest: Mapping[str, Key | Absent | Unreadable] = field(default_factory=dict)
    contents: Contents | Unreadable | None = None
    held_keys: tuple[HeldKey, ...] | Unreadable | None = None  # the keys alone, where nobody asks for more
    logging: tuple[LogSetting, ...] | Unreadable | None = None
    deleted: Deleted | Unreadable | Absent | None = None

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """The role assignments that reach the vault; none where nobody has read them."""
        return self.roles.assignments if isinstance(self.roles, Roles) else ()
