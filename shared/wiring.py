"""build(settings, remediators) -> App: the only place that joins the parts.

Every part is imported and built on first use: an event that only becomes a message must not pay for management
SDKs that it never calls. That is why the imports stand inside the functions here, and nowhere else.
"""

# ruff: noqa: PLC0415
from __future__ import annotations

import logging
import sys
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from shared.core.choices import Choices
from shared.core.control import Remediator
from shared.core.part import Part
from shared.core.version import VERSION
from shared.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.adapters.clients import Clients
    from shared.adapters.pipeline import Pipeline
    from shared.core.ports import (
        Answers,
        Arm,
        Clock,
        Diary,
        Estate,
        FigureBook,
        Grants,
        Hand,
        Inventory,
        Keys,
        Letters,
        Pulse,
        Queue,
        Records,
        Surveys,
        TicketBook,
        Vaults,
        Vitals,
    )


class App:
    """The running product: the ports that the flow speaks to, and the web in front. `overrides` replace ports by name."""

    def __init__(self, settings: Settings, remediators: tuple[Remediator, ...], **overrides: Any) -> None:
        self.settings = settings
        self.remediators = remediators
        self.choices: Choices = settings.choices
        self.__dict__.update(overrides)  # a cached property that is already there is never built

    @cached_property
    def arm(self) -> Arm:
        """Reads, as the reader."""
        from shared.adapters.arm import ArmReader

        return ArmReader(self._clients)

    @cached_property
    def keys(self) -> Keys:
        """Reads of keys, as the reader."""
        from shared.adapters.keys import ArmKeys

        return ArmKeys(self._clients)

    @cached_property
    def vaults(self) -> Vaults:
        """Reads of what vaults hold and where their logs go, as the reader."""
        from shared.adapters.rest import Rest
        from shared.adapters.vaults import ArmVaults

        return ArmVaults(Rest(self._reader), self._reader.pace)

    @cached_property
    def grants(self) -> Grants:
        """Who may do what, as the reader."""
        from shared.adapters.grants import ArmGrants
        from shared.adapters.rest import Rest

        return ArmGrants(Rest(self._reader), self._reader.pace)

    @cached_property
    def diary(self) -> Diary:
        """Who changed what, as the reader."""
        from shared.adapters.diary import ActivityLog
        from shared.adapters.rest import Rest

        return ActivityLog(Rest(self._reader), self.clock, self.settings.writer_client_id)

    @cached_property
    def hand(self) -> Hand:
        """Writes, as the writer."""
        from shared.adapters.arm import ArmHand
        from shared.adapters.clients import Clients
        from shared.adapters.credentials import managed_identity
        from shared.adapters.longrun import Watch
        from shared.adapters.pipeline import Pipeline
        from shared.adapters.rest import Rest

        settings = self.settings
        pipeline = Pipeline(managed_identity(settings.writer_client_id), settings.arm_url)
        watch = Watch(Rest(self._reader), self.choices.poll.total_seconds(), settings.patience)
        return ArmHand(pipeline, Clients(pipeline, settings.workspace_api), settings.writer_client_id, watch)

    @cached_property
    def inventory(self) -> Inventory:
        """Questions over the estate, as the reader."""
        from shared.adapters.inventory import ResourceGraph

        return ResourceGraph(self._reader, self.choices.subscriptions)

    @cached_property
    def records(self) -> Records:
        """State."""
        from shared.adapters.records import TableRecords

        return TableRecords(self.settings.table_url, self._storage)

    @cached_property
    def surveys(self) -> Surveys:
        """Looks over the whole estate."""
        from shared.adapters.surveys import TableSurveys

        return TableSurveys(self.settings.table_url, self._storage)

    @cached_property
    def letters(self) -> Letters:
        """Events that Event Grid could not deliver."""
        from shared.adapters.letters import BlobLetters

        return BlobLetters(self.settings.dead_letters, self._storage)

    @cached_property
    def estate(self) -> Estate:
        """The last judgement on every target."""
        from shared.adapters.estate import TableEstate

        return TableEstate(self.settings.table_url, self._storage)

    @cached_property
    def figures(self) -> FigureBook:
        """What is reckoned of all of it."""
        from shared.adapters.figures import TableFigures

        return TableFigures(self.settings.table_url, self._storage)

    @cached_property
    def answers(self) -> Answers:
        """What was answered to requests that may come twice."""
        from shared.adapters.answers import TableAnswers

        return TableAnswers(self.settings.table_url, self._storage)

    @cached_property
    def tickets(self) -> TicketBook:
        """What people have to see to."""
        from shared.adapters.tickets.table import TableTickets

        return TableTickets(self.settings.table_url, self._storage)

    @cached_property
    def queue(self) -> Queue:
        """Messages to our own functions."""
        from shared.adapters.queues import StorageQueues

        return StorageQueues(self.settings.queue_url, self._storage)

    @cached_property
    def vitals(self) -> Vitals:
        """What the doctor measures, as the reader. An app that is `front` does not hold the writer."""
        from shared.adapters.credentials import managed_identity
        from shared.adapters.rest import Rest
        from shared.adapters.signers import EntraSigners
        from shared.adapters.vitals import AzureVitals, Reach, account, letterbox
        from shared.core.ports import Home

        it = self.settings
        clients = {"reader": it.reader_client_id, "writer": it.writer_client_id}
        asks = {"reader"} if it.part == "front" or not it.writer_client_id else {"reader", "writer"}
        home = Home(it.site, account(it.queue_url), letterbox(it.dead_letters), it.signs_in)
        reach = Reach(clients, frozenset(asks), it.arm_url, it.table_url, it.queue_url, home)
        signers = EntraSigners(it.authority_url, it.tenant_id)
        fresh = partial(managed_identity, retry_total=0)
        return AzureVitals(Rest(self._reader), reach, self._storage, fresh, signers.published)

    @cached_property
    def pulse(self) -> Pulse:
        """Signs of life."""
        from shared.adapters.pulse import TablePulse

        return TablePulse(self.settings.table_url, self._storage)

    @cached_property
    def part(self) -> Part:
        """What runs here, as it describes itself."""
        python = ".".join(str(number) for number in sys.version_info[:3])
        return Part(self.settings.part, VERSION, python, self.settings.shared)

    @cached_property
    def clock(self) -> Clock:
        """Time."""
        from shared.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def web(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The HTTP side: an ASGI app."""
        from shared.adapters.signers import EntraSigners
        from shared.web.auth import Door
        from shared.web.limits import Limits
        from shared.web.site import site

        settings = self.settings
        signers = EntraSigners(settings.authority_url, settings.tenant_id)
        door = Door(signers, settings.tenant_id, settings.api_audiences)
        return site(self, door, Limits(settings.api_rates, self.clock.now))

    @cached_property
    def _reader(self) -> Pipeline:
        from shared.adapters.credentials import managed_identity
        from shared.adapters.pipeline import Pipeline

        return Pipeline(managed_identity(self.settings.reader_client_id), self.settings.arm_url)

    @cached_property
    def _clients(self) -> Clients:
        from shared.adapters.clients import Clients

        return Clients(self._reader, self.settings.workspace_api)

    @cached_property
    def _storage(self) -> Any:
        from shared.adapters.credentials import managed_identity

        return managed_identity(self.settings.storage_client_id)


def build(settings: Settings, remediators: tuple[Remediator, ...], **overrides: Any) -> App:
    """Join the parts. `overrides` are ports by name, for whoever brings their own."""
    for name in ("azure", "urllib3", "msal"):  # the SDKs write several lines a call at INFO (LOCAL 5)
        logging.getLogger(name).setLevel(logging.WARNING)
    if settings.telemetry != "off":
        try:
            from shared.adapters.telemetry import start
        except ImportError as error:
            raise SettingsError(
                f"CMK_TELEMETRY={settings.telemetry} needs the packages of requirements-telemetry.txt: {error}"
            ) from error
        start()
    return App(settings, remediators, **overrides)
