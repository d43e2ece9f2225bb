"""Death at the n-th write: before the request leaves, or after its effect and before anybody hears of it.

Every write of the product (tables, queues, Resource Manager) goes through one method of azure-core's transport.
Reads do not count: dying there is the same as dying before the next write.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

_READS = ("/providers/microsoft.resourcegraph/", "/msi/token")


class Killed(BaseException):
    """The process is gone: nothing but the harness may catch this."""


@dataclass
class Death:
    """When one story dies, and what it has written so far."""

    at: tuple[int, ...] = ()  # the numbers of the writes over which it dies
    after: bool = False
    writes: list[str] = field(default_factory=list)
    came: bool = False

    def __str__(self) -> str:
        named = [f"{at} ({self.writes[at - 1]})" for at in self.at if at <= len(self.writes)]
        return f"dies {'after' if self.after else 'before'} write {' and '.join(named)}" if named else "alive"

    def meet(self, method: str, url: str, send: Callable[[], Any]) -> Any:
        """Send one request, or die over it."""
        if method in {"GET", "HEAD"} or any(part in url.lower() for part in _READS):
            return send()
        self.writes.append(f"{method} {url.partition('?')[0].rsplit('/', 1)[-1]}")
        now = len(self.writes) in self.at
        self.came = self.came or now
        if now and not self.after:
            raise Killed
        try:
            return send()
        finally:
            if now:
                raise Killed


def each_write(writes: int, *, both: bool) -> list[Death]:
    """Return deaths over each of so many writes: on both sides of it, or before one and after the next, turn about."""
    sides = [(at, after) for at in range(1, writes + 1) for after in (False, True)]
    return [Death((at,), after) for at, after in sides if both or after == (at % 2 == 0)]


class Fate:
    """Whose writes are being made: the harness says so before it runs a verb."""

    def __init__(self) -> None:
        self.of: Death | None = None

    @contextmanager
    def upon(self, death: Death) -> Iterator[None]:
        """Let what is written inside count towards one death."""
        self.of = death
        try:
            yield
        finally:
            self.of = None


@contextmanager
def fate(patch: pytest.MonkeyPatch) -> Iterator[Fate]:
    """Watch every write of this process."""
    own, send = Fate(), RequestsTransport.send

    def sending(self: Any, request: Any, **options: Any) -> Any:
        if own.of is None:  # the harness itself
            return send(self, request, **options)
        return own.of.meet(request.method, request.url, lambda: send(self, request, **options))

    with patch.context() as inner:
        inner.setattr(RequestsTransport, "send", sending)
        yield own
