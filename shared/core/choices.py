"""The settings that rules and decisions may see, frozen. `shared/settings.py` makes one; the core never reads an environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.core.ids import ResourceId

if TYPE_CHECKING:  # the event path has no use for prices, nor for the decimals that they are made of
    from shared.core.prices import Prices


class Mode(StrEnum):
    """How far cmkwarden may go by itself."""

    OFF = "off"  # do not even judge; only for one control at a time
    OBSERVE = "observe"  # judge and record, never write
    APPROVE = "approve"  # every write waits for a person
    AUTO = "auto"  # safe writes inside the auto scope happen by themselves


class VaultScope(StrEnum):
    """Which vaults are looked at."""

    LINKED = "linked"  # a workspace layer names it, or it carries the CMK tag
    TAGGED = "tagged"  # it carries the CMK tag
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing happens by itself."""

    begins: datetime
    ends: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.begins <= moment < self.ends


LAYERS = ("managedServices", "dbfsRoot", "managedDisk")  # of a workspace, in the order in which they are migrated
TITLES = {"managedServices": "managed services", "dbfsRoot": "DBFS root", "managedDisk": "managed disks"}  # for people


@dataclass(frozen=True, slots=True)
class KeyVault:
    """A vault where keys of workspaces may live, and for which subscription and region it is the one; '' for none, only to be picked."""

    vault: ResourceId
    subscription: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the deployment has chosen. Scopes, subscriptions and sandbox names are in lower case."""

    mode: Mode = Mode.AUTO
    modes: dict[str, Mode] = field(default_factory=dict)  # by control id, over `mode`
    auto_scope: tuple[str, ...] = ()  # ids below which anything may happen by itself; empty: nowhere
    subscriptions: tuple[str, ...] = ()  # the estate; empty: every subscription that the reader may read
    vault_scope: VaultScope = VaultScope.LINKED
    vault_tag: tuple[str, str] = ("cmk-vault", "true")
    environment_tag: str = "environment"
    owner_tag: str = "owner"
    tenant_tag: str = "tenant"
    production: frozenset[str] = frozenset({"production", "prod", "prd"})  # environments that count as production
    goals: dict[str, int] = field(default_factory=dict)  # what figures should be, by their ids
    sandboxes: frozenset[str] = frozenset({"sandbox", "sbx", "playground"})
    kill_switch: bool = False
    freezes: tuple[Freeze, ...] = ()
    paused: frozenset[str] = frozenset()  # subscription ids
    writes_per_hour: int = 60  # per subscription
    share: int = 20  # percent of a subscription's vaults that may change by themselves within a day
    retry_delay: timedelta = timedelta(seconds=30)  # before the second try, then doubled
    gap: timedelta = timedelta(minutes=1)  # between two looks at one target that events ask for
    claim: timedelta = timedelta(minutes=15)  # how long a claim on a row holds without a sign of life
    identities: tuple[ResourceId, ...] = ()  # user-assigned identities that use keys, as the deployment says
    databricks: str = ""  # object id of AzureDatabricks in this tenant; '': unknown
    strict_role: bool = False  # the narrow role is our custom one, without Azure's Event Grid actions
    grant_at_key: bool = False  # roles are given for each key in use instead of for the vault
    settle: timedelta = timedelta(minutes=30)  # from giving a role to counting on it
    grace: timedelta = timedelta(0)  # how old a grant must be before it is narrowed
    notice: timedelta = timedelta(0)  # how long before an automatic narrowing its owner is told
    tenant: str = ""  # ours; '': unknown
    all_workspaces: bool = False  # every workspace must have customer-managed keys
    sensitivity_tag: str = "data-sensitivity"
    sensitive: frozenset[str] = frozenset({"sensitive", "confidential", "restricted", "regulated"})
    cost_center_tag: str = "cost-center"
    owners: tuple[str, ...] = ()  # legal values of the four tags: words or patterns in lower case; none: any
    cost_centers: tuple[str, ...] = ()
    sensitivities: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    key_environments: frozenset[str] = frozenset()  # environments whose workspaces must have them
    layers: frozenset[str] = frozenset(LAYERS)  # which layers must
    key_vaults: tuple[KeyVault, ...] = ()
    vault_proposal_tag: str = "cmk-vault-id"
    key_per_layer: bool = False  # else one key for each workspace
    key_requests: int = 5  # how many keys one person may ask for within a day; 0: nobody may
    key_size: int = 3072  # bits of a new key
    expiring: timedelta = timedelta(days=30)  # how long before its end a key is a finding
    key_age: timedelta = timedelta(days=365)  # how old the version of a key in use may become
    key_grace: timedelta = timedelta(days=1)  # how long after a newer version was made the older may stay in use
    poll: timedelta = timedelta(seconds=10)  # between two questions about something that takes long
    two_approvers: bool = False  # what cannot be undone takes the yes of two people
    ask: timedelta = timedelta(days=14)  # how long people may take to answer a question
    look_again: timedelta = timedelta(days=7)  # after which what lists do not show whole is looked at anyway; 0: never
    log_workspace: ResourceId | None = None  # where audit logs are sent; None: cmkwarden sends none
    prices: Prices | None = None  # what keys cost; None: nobody has said, so no cost is known
    remind: timedelta = timedelta(days=3)  # how long before its end they are reminded; 0: never

    def mode_of(self, control: str) -> Mode:
        """Return the mode for one control."""
        return self.modes.get(control, self.mode)

    def is_on(self, control: str) -> bool:
        """Whether a control is judged at all."""
        return self.mode_of(control) is not Mode.OFF
