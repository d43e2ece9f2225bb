"""Who may use a vault's keys, and for what: access policies, role assignments, denials and locks, as facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Policy:
    """One access policy of a vault. It counts only while the vault does not use RBAC (AZURE 2.2).

    `raw` is the entry as it came, so that whoever sends it back changes the order and casing of nothing else.
    `application` is set for a compound identity: this principal by way of that application. Ids are in lower case.
    """

    tenant: str
    principal: str
    application: str
    permissions: Mapping[str, frozenset[str]]  # keys, secrets, certificates, storage; names in lower case
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Actions:
    """What one block of a role, or a denial, speaks of: data actions with wildcards, less the exceptions."""

    data: tuple[str, ...]
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition. `guid` is the last word of its id in lower case: all that Azure keeps stable (AZURE 3.2)."""

    guid: str
    name: str
    is_custom: bool
    blocks: tuple[Actions, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role, given to a principal at a scope. Ids and scope are in lower case; `path` is the id as Azure spelt it.

    `created` is None where Azure did not say. `is_conditional`: it has a condition or is delegated.
    """

    path: str
    scope: str
    role: str
    principal: str
    principal_type: str
    created: datetime | None
    is_conditional: bool
    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id in lower case: what is compared."""
        return self.path.lower()


@dataclass(frozen=True, slots=True)
class Denial:
    """A deny assignment: nobody of `principals` but `excepted` may do it, whatever their roles say."""

    name: str
    scope: str
    principals: frozenset[str]  # object ids; the empty GUID stands for everybody
    excepted: frozenset[str]
    blocks: tuple[Actions, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock on the vault or above it. `level` is ReadOnly or CanNotDelete."""

    name: str
    level: str
    scope: str


@dataclass(frozen=True, slots=True)
class Roles:
    """The assignments that reach a vault, and the roles they give. `by_group`: principal -> ids that it holds by groups."""

    assignments: tuple[Assignment, ...] = ()
    definitions: Mapping[str, Role] | None = None
    by_group: Mapping[str, frozenset[str]] | None = None

    def role(self, assignment: Assignment) -> Role | None:
        """Return the role that an assignment gives, or None where its definition was not found."""
        return (self.definitions or {}).get(assignment.role)


@dataclass(frozen=True, slots=True)
class Hindrances:
    """What stands between a plan and its writes: read only once there is a plan, or by the sweep.

    `timed` are the ids, in lower case, of assignments that Privileged Identity Management gives and takes away.
    """

    locks: tuple[Lock, ...] = ()
    denials: tuple[Denial, ...] = ()
    timed: frozenset[str] = frozenset()
