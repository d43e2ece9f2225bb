"""What goes through the ports: messages, rows as they were read, pages of lists, poison."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.chain import Entry
from shared.core.control import Memory
from shared.core.record import Remediation
from shared.core.shelf import Summary


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
class StoredPage:
    """A part of the rows with where their histories end; `cursor` continues it and is '' at its end."""

    items: tuple[Stored, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Trail:
    """A row with its whole history, oldest first. What was added while the two were read is left out."""

    stored: Stored
    history: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """A part of a list of what is shown of rows; `cursor` continues it and is '' at its end.

    `unseen`: the search stopped before the end of the list, for there was enough looked through for one answer.
    """

    items: tuple[Summary, ...]
    cursor: str
    unseen: bool = False


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
