"""The reading half of the ports, for verbs that must not be able to write: what is not here cannot be called, mypy sees to that."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from shared.core.chain import Entry
from shared.core.choices import Choices
from shared.core.control import Remediator
from shared.core.plan import Write
from shared.core.ports.estate import JudgementPage
from shared.core.ports.values import Page, StoredPage
from shared.core.record import State
from shared.core.survey import Survey


class Shelves(Protocol):
    """Rows and the ledger, to be read."""

    def walk(self, *, states: Sequence[State], cursor: str, limit: int) -> Page:
        """Return rows in these states in the order of their ids."""
        ...

    def heads(self, cursor: str, limit: int) -> StoredPage:
        """Return rows in the order of their ids, with where their histories end."""
        ...

    def histories(self, first: str, last: str) -> Iterable[tuple[str, Entry]]:
        """Return the entries of all rows from one id to another, each with its row's id, row by row, oldest first."""
        ...

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Return the ledger of a subscription."""
        ...


class Judgements(Protocol):
    """The last judgements, to be read."""

    def page(self, kind: str, *, text: str, worst: str, cursor: str, limit: int) -> JudgementPage:
        """Return judgements of one kind of target by name."""
        ...


class Counts(Protocol):
    """The one question to Azure: how many vaults a subscription holds."""

    def vaults_in(self, subscription: str) -> int:
        """Return how many vaults a subscription holds."""
        ...


class Rounds(Protocol):
    """Surveys, to be read."""

    def latest(self, limit: int) -> Sequence[Survey]:
        """Return the surveys that began last, the newest first."""
        ...


class Now(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        ...


class Standing(Protocol):
    """How everything stands on record, and no way to change it."""

    @property
    def choices(self) -> Choices:
        """The settings that decisions may see."""
        ...

    @property
    def remediators(self) -> tuple[Remediator, ...]:
        """What must hold, in order."""
        ...

    @property
    def records(self) -> Shelves:
        """Rows and the ledger."""
        ...

    @property
    def estate(self) -> Judgements:
        """The last judgement on every target."""
        ...

    @property
    def inventory(self) -> Counts:
        """How many vaults there are."""
        ...

    @property
    def surveys(self) -> Rounds:
        """Looks over the whole estate."""
        ...

    @property
    def clock(self) -> Now:
        """Time."""
        ...
