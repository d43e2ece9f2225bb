"""The parts of one simulator, joined: what every provider can reach.

It holds no behaviour of its own besides laying down the first things that exist.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator.arm.access import Access
from simulator.arm.activity import Activity
from simulator.arm.clock import Clock
from simulator.arm.config import Config, Holding
from simulator.arm.delivery import Delivery
from simulator.arm.eventgrid import EventGrid
from simulator.arm.faults import Faults
from simulator.arm.journal import Journal
from simulator.arm.keyevents import KeyEvents
from simulator.arm.keystore import KeyStore
from simulator.arm.knobs import Knobs
from simulator.arm.letterbox import Letterbox
from simulator.arm.locks import Locks
from simulator.arm.meter import Meter
from simulator.arm.nasty import Nasty
from simulator.arm.operations import Operations
from simulator.arm.roles import OWNER
from simulator.arm.samples import Samples
from simulator.arm.subscribers import SUBSCRIPTIONS
from simulator.arm.throttle import Throttle
from simulator.arm.tokens import OWNER_ID, Tokens
from simulator.arm.vaultnames import VaultNames
from simulator.arm.world import World, group_body, subscription_body

GROUP = "rg-cmkwarden"  # in each subscription of the configuration: what a deployment leaves there


class Sim:
    """One simulated tenant."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.knobs = Knobs()
        self.knobs.set(config.knobs)
        self.clock = Clock()
        self.tokens = Tokens(config)
        self.world = World(self.clock, self.knobs)
        self.access = Access(config, self.clock, self.knobs)
        self.directory = self.access.directory
        self.operations = Operations(self.clock)
        self.locks = Locks()
        self.vaults = VaultNames()
        self.keys = KeyStore(self.world, self.clock)
        self.meter = Meter()
        self.journal = Journal()
        self.samples = Samples(config.answers)
        self.faults = Faults()
        self.nasty = Nasty(self.knobs)
        if config.nasty:
            self.nasty.set(config.nasty)
        self.throttle = Throttle(self.clock, self.knobs)
        letterbox = Letterbox(config.dead_letters_url, config.dead_letters_ca, self.tokens.for_event_grid)
        self.delivery = Delivery(self.clock, self.knobs, self.nasty, config.functions_url, config.system_key, letterbox)
        self.eventgrid = EventGrid(config, self.delivery)
        self.activity = Activity(self.clock, self.knobs, config.tenant)
        self.answers: dict[Any, list[dict[str, Any]]] = {}  # Resource Graph's memory between two pages
        for watcher in (self.access.tree, self.access.denials, self.directory, self.access):
            self.world.watch(watcher)
        self.world.watch(self.locks)
        self.world.watch(self.vaults)
        self.world.watch(self.keys)
        self.world.watch(KeyEvents(self.world, self.clock, self.eventgrid, lambda: self.access.settled))

    @contextmanager
    def settled(self) -> Iterator[None]:
        """What is stored meanwhile has always been there: no role waits, no identity is new."""
        before = self.access.settled
        self.access.settled = self.directory.settled = True
        try:
            yield
        finally:
            self.access.settled = self.directory.settled = before

    def settle(self) -> None:
        """Lay down what the configuration names. Needs a running loop: a delay may be set."""
        with self.settled():
            self._settle()

    def _settle(self) -> None:
        for identity, name in self.config.subscriptions:
            self.world.put(subscription_body(identity, name, self.config.tenant))
            if any(each.topic == SUBSCRIPTIONS for each in self.eventgrid.subscribers):
                self.world.put(group_body(identity, GROUP, "westeurope"))
        principals = {each.name: each.principal_id for each in self.config.identities}
        for role in self.config.definitions:
            self.world.put(custom_role(role, self.config.root))
        plain = (Holding(holder, role) for holder, role in self.config.roles.items())
        for held in (*plain, *self.config.grants):
            definition = custom_role(held.role, self.config.root)
            self.world.put(definition)
            self._assign(principals[held.holder], definition["id"], "ServicePrincipal", held.condition)
        self._assign(OWNER_ID, f"/providers/Microsoft.Authorization/roleDefinitions/{OWNER}", "User")

    def _assign(self, principal: str, role: str, kind: str, condition: str = "") -> None:
        """A role at the root management group, so that it reaches subscriptions that are seeded later."""
        name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{principal}|{role}"))
        self.world.put(
            {
                "id": f"{self.config.root}/providers/Microsoft.Authorization/roleAssignments/{name}",
                "name": name,
                "type": "Microsoft.Authorization/roleAssignments",
                "properties": {
                    "roleDefinitionId": role,
                    "principalId": principal,
                    "principalType": kind,
                    "scope": self.config.root,
                    "condition": condition or None,
                    "conditionVersion": "2.0" if condition else None,
                    "createdOn": "2026-01-01T00:00:00.0000000Z",
                    "updatedOn": "2026-01-01T00:00:00.0000000Z",
                },
            }
        )


def custom_role(role: dict[str, Any], root: str) -> dict[str, Any]:
    """A role file, as `az role definition create` takes it, in the form of ARM; without an `Id` its GUID follows from its name."""
    name = role.get("Id") or str(uuid.uuid5(uuid.NAMESPACE_URL, role["Name"]))
    fields = ("Actions", "NotActions", "DataActions", "NotDataActions")
    return {
        "id": f"{root}/providers/Microsoft.Authorization/roleDefinitions/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": role["Name"],
            "type": "CustomRole",
            "description": role.get("Description", ""),
            "assignableScopes": role.get("AssignableScopes") or [root],
            "permissions": [{field[0].lower() + field[1:]: role.get(field, []) for field in fields}],
        },
    }
