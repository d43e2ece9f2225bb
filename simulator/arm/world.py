"""The store: every resource by its lower-cased id, with an index by type and subscription.

A stored body is never changed in place: whoever changes one puts a new one, so that Resource Graph can lag behind
and readers can be handed the stored object itself. It knows no rules of any provider and checks nothing.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Protocol

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.knobs import Knobs
from simulator.arm.router import Target, fold, route

SUBSCRIPTION = "microsoft.resources/subscriptions"
GROUP = "microsoft.resources/subscriptions/resourcegroups"


class Watcher(Protocol):
    """Told of every change; the access rules and the locks live off this."""

    def put(self, target: Target, body: Json) -> None:
        """Something is there now."""

    def drop(self, target: Target) -> None:
        """Something is gone."""


class Shelf:
    """The ids of one type in one subscription, sorted when somebody asks."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._sorted: list[str] | None = None

    def add(self, identity: str) -> None:
        """Put an id on the shelf."""
        self.ids.add(identity)
        self._sorted = None

    def remove(self, identity: str) -> None:
        """Take it off."""
        self.ids.discard(identity)
        self._sorted = None

    def under(self, prefix: str) -> list[str]:
        """The ids that start so, in order."""
        if self._sorted is None:
            self._sorted = sorted(self.ids)
        first = bisect_left(self._sorted, prefix)
        return self._sorted[first : bisect_left(self._sorted, prefix + "\x7f", first)]


class World:
    """Everything that exists."""

    def __init__(self, clock: Clock, knobs: Knobs) -> None:
        self._clock, self._knobs = clock, knobs
        self._bodies: dict[str, Json] = {}
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._watchers: list[Watcher] = []
        self.graph: dict[str, Json] = {}  # what Resource Graph knows: the same, later
        self.deleted: dict[str, Json] = {}  # soft-deleted vaults by lower-cased name
        self.operations: dict[str, Json] = {}  # long operations by id: {"status": ..., "error"?: ...}
        self.version = 0  # grows with every change that Resource Graph sees

    def watch(self, watcher: Watcher) -> None:
        """Tell somebody of every change from now on."""
        self._watchers.append(watcher)

    def get(self, identity: str) -> Json | None:
        """The body under an id, in any case."""
        return self._bodies.get(fold(identity))

    def put(self, body: Json) -> None:
        """Store a body under its `id`, in place of what was there."""
        target = route(body["id"])
        self._bodies[target.id] = body
        self._shelf(target.kind, target.subscription).add(target.id)
        for watcher in self._watchers:
            watcher.put(target, body)
        self._clock.later(self._knobs.graph_lag, lambda: self._index(target.id, body))

    def drop(self, identity: str) -> list[str]:
        """Remove a resource and all that hangs under it; returns the ids, as they were written, the first last."""
        start = fold(identity)
        gone = [each for each in self._bodies if each.startswith(start + "/")]
        gone += [start] if start in self._bodies else []
        written = [str(self._bodies[each]["id"]) for each in gone]
        for each in gone:
            self._remove(each)
        return written

    def ids(self, kind: str, subscription: str, prefix: str = "") -> list[str]:
        """Ids of one type in one subscription, sorted, below a prefix."""
        shelf = self._shelves.get((kind, fold(subscription)))
        return shelf.under(fold(prefix)) if shelf else []

    def of_kind(self, kind: str) -> Iterator[Json]:
        """All bodies of one type in the whole tenant."""
        for each, subscription in list(self._shelves):
            if each == kind:
                for identity in self.ids(kind, subscription):
                    yield self._bodies[identity]

    def below(self, prefix: str) -> Iterator[Json]:
        """Everything under a scope, in no order."""
        start = fold(prefix)
        return (body for each, body in self._bodies.items() if each.startswith(start))

    def __len__(self) -> int:
        return len(self._bodies)

    def _shelf(self, kind: str, subscription: str) -> Shelf:
        return self._shelves.setdefault((kind, fold(subscription)), Shelf())

    def _remove(self, identity: str) -> None:
        target = route(identity)
        del self._bodies[identity]
        self._shelf(target.kind, target.subscription).remove(identity)
        for watcher in self._watchers:
            watcher.drop(target)
        self._clock.later(self._knobs.graph_lag, lambda: self._index(identity, None))

    def _index(self, identity: str, body: Json | None) -> None:
        self.version += 1
        if body is None:
            self.graph.pop(identity, None)
        else:
            self.graph[identity] = body


def subscription_body(identity: str, name: str, tenant: str) -> Json:
    """A subscription as GET /subscriptions shows it."""
    return {
        "id": f"/subscriptions/{identity}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": identity,
        "tenantId": tenant,
        "displayName": name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def group_body(subscription: str, name: str, location: str, tags: Any = None) -> Json:
    """A resource group as ARM shows it."""
    body: Json = {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
    }
    if tags is not None:
        body["tags"] = tags
    return {**body, "properties": {"provisioningState": "Succeeded"}}


def ensure(world: World, target: Target, tenant: str) -> None:
    """Make the subscription and the group of a seeded resource, if they are missing."""
    if not target.subscription:
        return
    if world.get(f"/subscriptions/{target.subscription}") is None:
        name = f"subscription {target.subscription[:8]}"
        world.put(subscription_body(target.subscription, name, tenant))
    where = f"/subscriptions/{target.subscription}/resourceGroups/{target.group}"
    if target.group and target.kind != GROUP and world.get(where) is None:
        world.put(group_body(target.subscription, target.group, "westeurope"))
