"""What the flow needs of the outside, as protocols. Adapters implement them; tests bring fakes of the same shape."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.core.choices import Choices
from shared.core.control import Remediator
from shared.core.part import Part
from shared.core.ports.answers import Answers, Claim, Kept
from shared.core.ports.azure import Arm, Diary, Grants, Hand, Inventory, Keys, Vaults
from shared.core.ports.estate import Estate, JudgementPage
from shared.core.ports.figures import FigureBook
from shared.core.ports.letters import Letters
from shared.core.ports.pulse import Pulse
from shared.core.ports.records import Records
from shared.core.ports.surveys import Surveys
from shared.core.ports.tickets import Filed, TicketBook, TicketPage, Tickets
from shared.core.ports.values import (
    Delivery,
    Event,
    Gather,
    Known,
    Page,
    Poisoned,
    PoisonPage,
    PoisonRecord,
    Stored,
    StoredPage,
    SummaryPage,
    Trail,
)
from shared.core.ports.vitals import Backlog, Home, Seen, Vitals

__all__ = [
    "Answers",
    "Arm",
    "Backlog",
    "Claim",
    "Clock",
    "Delivery",
    "Diary",
    "Estate",
    "Event",
    "FigureBook",
    "Filed",
    "Gather",
    "Grants",
    "Hand",
    "Home",
    "Inventory",
    "JudgementPage",
    "Kept",
    "Keys",
    "Known",
    "Letters",
    "Page",
    "PoisonPage",
    "PoisonRecord",
    "Poisoned",
    "Ports",
    "Pulse",
    "Queue",
    "Records",
    "Seen",
    "Stored",
    "StoredPage",
    "SummaryPage",
    "Surveys",
    "TicketBook",
    "TicketPage",
    "Tickets",
    "Trail",
    "Vaults",
    "Vitals",
]


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
    def keys(self) -> Keys:
        """Reads of keys."""
        ...

    @property
    def vaults(self) -> Vaults:
        """Reads of what vaults hold and where their logs go."""
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
    def surveys(self) -> Surveys:
        """Looks over the whole estate."""
        ...

    @property
    def letters(self) -> Letters:
        """Events that could not be delivered."""
        ...

    @property
    def estate(self) -> Estate:
        """The last judgement on every target."""
        ...

    @property
    def figures(self) -> FigureBook:
        """What is reckoned of all of it."""
        ...

    @property
    def answers(self) -> Answers:
        """What was answered to requests that may come twice."""
        ...

    @property
    def tickets(self) -> TicketBook:
        """What people have to see to."""
        ...

    @property
    def queue(self) -> Queue:
        """Messages."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def pulse(self) -> Pulse:
        """Signs of life."""
        ...

    @property
    def part(self) -> Part:
        """What runs here, as it describes itself."""
        ...

    @property
    def vitals(self) -> Vitals:
        """What the doctor measures."""
        ...
