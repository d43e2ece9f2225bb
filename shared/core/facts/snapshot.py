"""Everything one decision needs, gathered once: judging and planning are pure functions of it."""

from dataclasses import dataclass

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
    """The target and what surrounds it. Of `vault` and `workspace` exactly one is set, by the target's kind."""

    target: ResourceId
    vault: Vault | Unreadable | Absent | None = None
    workspace: Workspace | Unreadable | Absent | None = None
    dependants: tuple[Workspace, ...] | Unreadable = ()  # the workspaces that name the vault
