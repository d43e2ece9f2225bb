"""Azure as the flow sees it: reads, writes, questions over the estate, who changed what."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from shared.core.ids import ResourceId
from shared.core.steps import Request


class Arm(Protocol):
    """Reads of single resources, under the reader identity. Truth comes from here."""

    def read(self, target: ResourceId) -> Mapping[str, Any] | None:
        """Return the raw body, or None where Azure says there is none. Raises Temporary, Denied or BadInput."""
        ...


class Keys(Protocol):
    """Keys of vaults as Resource Manager shows them, under the reader identity. Each raises Temporary, Denied or BadInput."""

    def key(self, vault: ResourceId, name: str, version: str = "") -> Mapping[str, Any] | None:
        """Return the raw body of a key at a version, the newest where none is named; None where there is none."""
        ...

    def versions(self, vault: ResourceId, name: str) -> int:
        """Return how many versions a key has."""
        ...


class Vaults(Protocol):
    """What a vault holds and where its logs go, under the reader identity. Each raises Temporary, Denied or BadInput."""

    def keys(self, vault: ResourceId, *, gives_way: bool = False) -> Sequence[Mapping[str, Any]]:
        """Return the raw bodies of all keys, short as lists have them. `gives_way`: to others, while Azure is busy."""
        ...

    def secrets(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the raw bodies of the first secrets, without their values."""
        ...

    def settings(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the raw bodies of its diagnostic settings."""
        ...

    def deleted(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        """Return the raw bodies of the vaults of a subscription that are deleted and not purged yet."""
        ...

    def metrics(self, vault: ResourceId, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the raw metric of calls to a vault, a point a day between two midnights. Gives way to others."""
        ...


class Grants(Protocol):
    """Who may do what at a vault, under the reader identity: raw bodies, all pages. Each raises Temporary, Denied or BadInput."""

    def assignments(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the role assignments at the vault, above it and below it."""
        ...

    def assigned_to(self, vault: ResourceId, principal: str) -> Sequence[Mapping[str, Any]]:
        """Return those that a principal holds there, by itself and by groups."""
        ...

    def definitions(self, vault: ResourceId, roles: frozenset[str]) -> Sequence[Mapping[str, Any]]:
        """Return the definitions of these roles, by GUID; built-in ones may be a day old."""
        ...

    def denials(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the deny assignments that reach the vault."""
        ...

    def schedules(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the assignments as Privileged Identity Management sees them: from when, until when, by whom."""
        ...

    def listed(self, kind: str, subscription: str, wanted: str = "") -> Iterable[Mapping[str, Any]]:
        """Return all roleAssignments, denyAssignments or roleDefinitions of a subscription, those from above included.

        `wanted` is a filter of theirs. Gives way to others while Azure is busy.
        """
        ...

    def locks(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        """Return the locks on the vault and above it."""
        ...


class Diary(Protocol):
    """The Activity Log, under the reader identity."""

    def author(self, target: ResourceId) -> str:
        """Return the object id of whoever last changed a target, ourselves left out; '' where nobody can say."""
        ...


class Hand(Protocol):
    """Writes to Azure, under the writer identity. Only `flow/execute.py` calls it."""

    @property
    def identity(self) -> Mapping[str, str]:
        """Who writes: client_id and principal_id."""
        ...

    def write(self, request: Request, correlation: str) -> bool:
        """Send one write, once, marked with a GUID of ours; return whether Azure says that it has taken effect.

        A long one is watched for a while; False: it still goes on, or its end was not to be had. Raises Temporary,
        Conflict, Denied or BadInput; an ambiguous failure is Temporary.
        """
        ...


class Inventory(Protocol):
    """Questions over the whole estate. May lag behind the truth by a minute or more (AZURE 6)."""

    def workspaces_naming(self, host: str) -> Sequence[Mapping[str, Any]]:
        """Return the raw bodies of all workspaces that mention a vault's host anywhere."""
        ...

    def vaults_named(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the resource ids of the vaults with these names, by name in lower case. Missing ones are not there."""
        ...

    def subscriptions(self) -> frozenset[str]:
        """Return the ids, in lower case, of the subscriptions that can be seen now."""
        ...

    def listed(self, subscription: str) -> Iterable[Mapping[str, Any]]:
        """Return the raw bodies of all vaults and workspaces of a subscription, each with its `type`, page by page."""
        ...

    def vaults_in(self, subscription: str) -> int:
        """Return how many vaults a subscription holds; may be some minutes old."""
        ...
