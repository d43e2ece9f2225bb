"""What the flow needs of the outside, as protocols. Adapters implement them; tests bring fakes of the same shape."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.core.chain import Entry
from shared.core.choices import Choices
from shared.core.control import Memory, Remediator
from shared.core.ids import ResourceId
from shared.core.plan import Write
from shared.core.record import Remediation, State
from shared.core.steps import Request


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the queue handed it over. `sent` was stamped by storage and knows whole seconds only.

    `is_again`: it was handed over before, and whoever had it then may have died over it.
    """

    id: str
    sent: datetime
    body: str
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it was read: `etag` guards the next save, `head` and `newest` continue its history."""

    row: Remediation
    etag: str
    head: int
    newest: str


@dataclass(frozen=True, slots=True)
class Event:
    """What the history shall say about a change."""

    name: str
    actor: str
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gather:
    """When the last gather of a target began, in storage's time, and for which message."""

    began: datetime
    message: str
    etag: str


@dataclass(frozen=True, slots=True)
class Known:
    """What storage knows of a target before a look at it.

    `due`: since this gather began another look has been scheduled, and may begin then, in storage's time. `failures`
    counts the looks in a row that ended in something temporary, whatever set them off.
    """

    gather: Gather | None
    memory: Memory
    due: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; `cursor` continues it and is '' at its end."""

    items: tuple[Remediation, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Poisoned:
    """Something that could not be worked on: where it came from, a reference to find it again, and why.

    `body` is the message of a queue of ours, so that it can be sent again; events carry claims and are never kept.
    """

    source: str
    reference: str
    reason: str
    message: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class PoisonRecord:
    """Poison on record. `redriven` says when a person sent it again, `person` is their object id."""

    id: str
    what: Poisoned
    time: datetime
    redriven: datetime | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class PoisonPage:
    """A part of the list of poison."""

    items: tuple[PoisonRecord, ...]
    cursor: str


class Arm(Protocol):
    """Reads of single resources, under the reader identity. Truth comes from here."""

    def read(self, target: ResourceId) -> Mapping[str, Any] | None:
        """Return the raw body, or None where Azure says there is none. Raises Temporary, Denied or BadInput."""
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

    def write(self, request: Request, correlation: str) -> None:
        """Send one write, once, marked with a GUID of ours. Raises Temporary, Conflict, Denied or BadInput; an ambiguous failure is Temporary."""
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

    def vaults_in(self, subscription: str) -> int:
        """Return how many vaults a subscription holds; may be some minutes old."""
        ...


class Records(Protocol):
    """Rows with their histories, what is known of targets, and the ledger of what happened by itself."""

    def get(self, row_id: str) -> Stored | None:
        """Return the row, or None."""
        ...

    def save(self, row: Remediation, event: Event, over: Stored | None) -> Stored:
        """Write the row and its history entry together. Raises Conflict where the row has changed since `over`."""
        ...

    def page(self, *, states: Sequence[State], control: str, target: str, cursor: str, limit: int) -> Page:
        """Return rows; empty filters match all. Raises BadInput for a cursor that is not ours."""
        ...

    def history(self, row_id: str) -> tuple[Entry, ...]:
        """Return the whole history of a row, oldest first."""
        ...

    def known(self, target: ResourceId) -> Known:
        """Return what is known of a target."""
        ...

    def begin(self, target: ResourceId, message: str, over: Gather | None) -> bool:
        """Stamp, in storage's own time, that a gather begins. False where another has begun since `over` was read."""
        ...

    def schedule(self, target: ResourceId, due: datetime, after: Gather) -> None:
        """Note that since a gather another look was scheduled, which may begin at `due`. A new gather ends the note."""
        ...

    def failed(self, target: ResourceId, failures: int) -> None:
        """Note how many looks in a row have ended in something temporary; 0 after one that has not."""
        ...

    def remember(self, target: ResourceId, lesson: Callable[[Memory], Memory]) -> None:
        """Keep what a look has taught: apply the pure `lesson` to what is known now, again if somebody was faster."""
        ...

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Return the ledger of a subscription."""
        ...

    def let_through(self, target: ResourceId, reference: str, now: datetime) -> tuple[Write, ...]:
        """Enter a write into the ledger and return the entries that came before it within a day."""
        ...

    def withdraw(self, target: ResourceId, reference: str) -> None:
        """Take an entry back: the write will not happen by itself after all."""
        ...

    def poison(self, what: Poisoned, now: datetime) -> None:
        """Keep a record of something that could not be worked on. The same thing twice is one record."""
        ...

    def poisoned(self, poison_id: str) -> PoisonRecord | None:
        """Return one record of poison, or None."""
        ...

    def poison_page(self, *, cursor: str, limit: int) -> PoisonPage:
        """Return records of poison. Raises BadInput for a cursor that is not ours."""
        ...

    def redriven(self, record: PoisonRecord, person: str, now: datetime) -> PoisonRecord:
        """Note on a record of poison that a person has sent it again."""
        ...


class Queue(Protocol):
    """Messages to our own functions. At least once, in any order."""

    def send(self, queue: str, body: Mapping[str, Any], delay: timedelta = timedelta(0)) -> datetime:
        """Put one message on a queue, visible after `delay`; return from when on, in storage's time."""
        ...


class Clock(Protocol):
    """The time, as an argument: nothing in core or flow reads a clock of its own."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ports(Protocol):
    """Everything a verb of the flow may use."""

    @property
    def choices(self) -> Choices:
        """The settings that decisions may see."""
        ...

    @property
    def remediators(self) -> tuple[Remediator, ...]:
        """What must hold, in order."""
        ...

    @property
    def arm(self) -> Arm:
        """Reads."""
        ...

    @property
    def grants(self) -> Grants:
        """Reads of who may do what."""
        ...

    @property
    def diary(self) -> Diary:
        """Who changed what."""
        ...

    @property
    def hand(self) -> Hand:
        """Writes."""
        ...

    @property
    def inventory(self) -> Inventory:
        """Questions over the estate."""
        ...

    @property
    def records(self) -> Records:
        """State."""
        ...

    @property
    def queue(self) -> Queue:
        """Messages."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...
