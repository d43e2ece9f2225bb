"""What the doctor measures of the outside: who we are to Azure, what we hold there, and whether what we lean on answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.core.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits on a queue now: about how many, and of the first ones that are visible the ids and when each was sent."""

    waiting: int
    first: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Seen:
    """A write that the Activity Log tells of: to which vault or workspace, and when."""

    target: ResourceId
    time: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """Where this app itself is, as far as it knows: '' and None where nothing tells.

    `site` is its name in App Service, `account` its storage account, `dead_letters` account/container of CMK_DEAD_LETTERS.
    `signs_in`: whether App Service's sign-in stands in front of it.
    """

    site: str = ""
    account: str = ""
    dead_letters: str = ""
    signs_in: bool | None = None


class Vitals(Protocol):
    """Single measurements, none of them kept. All but the writer's name are asked as the reader.

    Each raises Temporary, Denied or BadInput, and tries nothing twice: a doctor that retries hides what it looks for.
    """

    def identity(self, who: str) -> str:
        """Return the object id of the `reader` or the `writer`; '' where this app has no way to know."""
        ...

    def held(self, subscription: str, principal: str) -> Sequence[Mapping[str, Any]]:
        """Return the raw role assignments that reach a subscription or lie in it and that a principal holds."""
        ...

    def definition(self, subscription: str, role: str) -> Mapping[str, Any]:
        """Return the raw definition of a role (a GUID), as a subscription sees it."""
        ...

    def time(self, where: str) -> datetime:
        """Return what the clock of `Resource Manager` or of `storage` says."""
        ...

    def tables(self) -> None:
        """Read something from the tables; return where that goes well, whether or not there is anything yet."""
        ...

    def backlog(self, queue: str) -> Backlog | None:
        """Return what waits on a queue of ours, or None where there is no such queue."""
        ...

    def signing_keys(self) -> int:
        """Return how many keys Entra publishes for tokens of our tenant."""
        ...

    def written(self, subscription: str, since: datetime) -> Sequence[Seen]:
        """Return the writes to vaults and workspaces of a subscription that ended well since a time."""
        ...

    @property
    def home(self) -> Home:
        """Where this app is. Asks nobody."""
        ...

    def topics(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        """Return the raw system topics of Event Grid that lie in a subscription."""
        ...

    def subscribed(self, topic: str) -> Sequence[Mapping[str, Any]]:
        """Return the raw event subscriptions of a system topic (its id)."""
        ...
