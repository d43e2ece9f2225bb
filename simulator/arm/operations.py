"""Long operations: what runs, how it ends, and the signed address under which a client asks for it.

One operation at a time owns a resource; whoever comes second gets an operation of its own that fails. The opaque name
and the query `t, c, s, h` are as long as the recorded ones, because clients have to store and hide them (AZURE 1.3).
"""

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.router import fold

EPOCH = 621_355_968_000_000_000  # .NET ticks at 1970: `t` in recorded addresses counts them


def opaque(count: int) -> str:
    """Random bytes as they stand in a query."""
    return base64.urlsafe_b64encode(os.urandom(count)).decode().rstrip("=")


CERTIFICATE = opaque(1944)  # `c` is the certificate that signed; it stays the same for months


@dataclass(slots=True)
class Operation:
    """One of them, as far as it has come."""

    status: str = "Accepted"
    error: Json | None = None


class Operations:
    """All operations since the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, Operation] = {}
        self._owners: dict[str, Json | None] = {}  # resource -> what it was before the operation that owns it

    def begin(self, resource: str, seconds: float, finish: Callable[[], Json | None], before: Json | None) -> str:
        """Start the operation that owns the resource; `finish` does the deed, or returns the error. Answers its name."""
        owned = fold(resource)
        self._owners[owned] = before

        def end() -> Json | None:
            del self._owners[owned]
            return finish()

        return self.beside(resource, seconds, end)

    def beside(self, resource: str, seconds: float, finish: Callable[[], Json | None]) -> str:
        """Start an operation that owns nothing, like one that is bound to fail."""
        operation = Operation()
        job = {
            "fullyQualifiedApplianceId": resource,
            "jobId": f"ApplianceProvisioningJob:{os.urandom(8).hex().upper()}",
        }
        name = base64.urlsafe_b64encode(json.dumps(job).encode()).decode().rstrip("=")
        self._all[name] = operation

        def complete() -> None:
            operation.error = finish()
            operation.status = "Failed" if operation.error else "Succeeded"

        self._clock.later(seconds, complete)
        return name

    def busy(self, resource: str) -> bool:
        """Whether an operation owns the resource now."""
        return fold(resource) in self._owners

    def before(self, resource: str) -> Json | None:
        """What the resource was before that operation."""
        return self._owners.get(fold(resource))

    def get(self, name: str) -> Operation | None:
        """One operation; its name is compared as it is."""
        return self._all.get(name)


def signed(base: str, path: str, version: str) -> str:
    """An address that ARM has signed; each answer carries a fresh signature, as recorded."""
    ticks = EPOCH + time.time_ns() // 100
    return f"{base}{path}?api-version={version}&t={ticks}&c={CERTIFICATE}&s={opaque(256)}&h={opaque(32)}"
