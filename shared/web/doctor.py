"""The doctor over the API: what the app finds when it looks at itself. A look costs Azure dozens of reads, so they are shared."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.core.checkup import Check
from shared.core.ports import Ports
from shared.flow.diagnose import diagnose
from shared.web.answers import answer
from shared.web.openapi import Operation

_SHARED = timedelta(seconds=1)  # whoever asks within it gets the same answer: nobody can turn us against Azure


class Checkup(msgspec.Struct):
    """What was looked at, in a fixed order, and when. `version` is that of the app."""

    version: str
    time: datetime
    checks: tuple[Check, ...]


@dataclass(slots=True)
class Doctor:
    """The endpoint. One look at a time for each instance of the app."""

    ports: Ports
    version: str
    _last: Checkup | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def doctor(self, _request: Request) -> Response:
        """Look at everything that the app leans on, changing nothing: each fault with what to do about it."""
        with self._lock:
            if self._last is None or self.ports.clock.now() - self._last.time >= _SHARED:
                checks = diagnose(self.ports)
                self._last = Checkup(self.version, self.ports.clock.now(), checks)
            return answer(self._last)


def operations(ports: Ports, version: str) -> Sequence[Operation]:
    """Return its row of the route table."""
    return (Operation("GET", "/api/doctor", Doctor(ports, version).doctor, Checkup),)
