"""Every ARM request and what came of it, newest last.

Tests and benchmarks count calls here. It keeps no bodies and no tokens.
"""

import time
from collections import deque
from itertools import count

from simulator.arm.answer import Json
from simulator.arm.clock import stamp

KEPT = 200_000


class Journal:
    """The list of requests."""

    def __init__(self) -> None:
        self._items: deque[Json] = deque(maxlen=KEPT)
        self._number = count(1)

    def note(self, *, caller: str, oid: str, method: str, path: str, query: str, status: int, seconds: float) -> None:
        """Write one request down; status 0 says that the connection was cut."""
        self._items.append(
            {
                "n": next(self._number),
                "time": time.time(),
                "caller": caller or oid,
                "oid": oid,
                "method": method,
                "path": path,
                "query": query,
                "status": status,
                "ms": round(seconds * 1000, 2),
            }
        )

    def items(self) -> list[Json]:
        """All that is kept."""
        return [{**item, "time": stamp(at=item["time"])} for item in self._items]

    def clear(self) -> None:
        """Forget them; numbering goes on."""
        self._items.clear()
