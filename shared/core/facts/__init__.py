"""What is true of a resource at one time: frozen values, one module a resource. No parsing, no judging."""

from shared.core.facts.access import Actions, Assignment, Denial, Hindrances, Lock, Policy, Role, Roles
from shared.core.facts.contents import Contents, HeldKey
from shared.core.facts.deleted import Deleted
from shared.core.facts.key import Key
from shared.core.facts.logs import LogSetting
from shared.core.facts.snapshot import Absent, Snapshot, Unreadable
from shared.core.facts.vault import Vault
from shared.core.facts.workspace import KeyRef, Layer, Workspace

__all__ = [
    "Absent",
    "Actions",
    "Assignment",
    "Contents",
    "Deleted",
    "Denial",
    "HeldKey",
    "Hindrances",
    "Key",
    "KeyRef",
    "Layer",
    "Lock",
    "LogSetting",
    "Policy",
    "Role",
    "Roles",
    "Snapshot",
    "Unreadable",
    "Vault",
    "Workspace",
]
