"""What a vault's own topic tells of its keys: a new version, one that expires within 30 days, one that has expired (AZURE 5.3).

It watches the world, so no way of making a key can forget it. Seeded keys have always been there: they are new to nobody,
but they expire. Expiry falls due on the simulator's clock.
"""

import time
from collections.abc import Callable
from typing import Any

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.eventgrid import EventGrid
from simulator.arm.keystore import VERSIONS
from simulator.arm.router import Target
from simulator.arm.world import World

NEAR = 30 * 86_400  # seconds


class KeyEvents:
    """Watches the world for versions of keys."""

    def __init__(self, world: World, clock: Clock, eventgrid: EventGrid, is_settled: Callable[[], bool]) -> None:
        self._world, self._clock, self._eventgrid, self._is_settled = world, clock, eventgrid, is_settled
        self._expiries: dict[str, Any] = {}  # every version ever seen, and when it expires

    def put(self, target: Target, body: Json) -> None:
        """A version appeared or changed."""
        uri = str((body.get("properties") or {}).get("keyUriWithVersion") or "")
        if target.kind != VERSIONS or not uri:
            return
        if target.id not in self._expiries and not self._is_settled():
            self._tell(target, body, "KeyNewVersionCreated")
        expiry = _attribute(body, "exp")
        if expiry is not None and self._expiries.get(target.id) != expiry:
            for kind, at in (("KeyNearExpiry", expiry - NEAR), ("KeyExpired", expiry)):
                self._schedule(target, kind, expiry, at - time.time())
        self._expiries[target.id] = expiry

    def drop(self, target: Target) -> None:
        """Nothing: what is gone is noticed when its time comes."""

    def _schedule(self, target: Target, kind: str, expiry: float, seconds: float) -> None:
        """Tell it then, if the version is still there and still expires at that time."""

        def due() -> None:
            body = self._world.get(target.id)
            if body is not None and _attribute(body, "exp") == expiry:
                self._tell(target, body, kind)

        if seconds > -NEAR:  # what lies further back was told long ago
            self._clock.later(max(seconds, 0.001), due)

    def _tell(self, target: Target, body: Json, kind: str) -> None:
        vault, _, rest = str(body["id"]).partition("/keys/")
        data = {
            "Id": str(body["properties"]["keyUriWithVersion"]).replace(":443", ""),
            "ObjectType": "Key",
            "ObjectName": rest.partition("/")[0],
            "Version": target.name,
            "NBF": _attribute(body, "nbf"),
            "EXP": _attribute(body, "exp"),
        }
        self._eventgrid.vault_event(vault, kind, data)


def _attribute(body: Json, name: str) -> Any:
    return ((body.get("properties") or {}).get("attributes") or {}).get(name)
