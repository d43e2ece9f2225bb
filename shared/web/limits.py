"""How much of the door one caller may have: token buckets in the memory of this instance, and nowhere else.

They keep a loop gone wild, or somebody who tries tokens, from costing the others theirs. With n instances a caller has
up to n times as much; whoever needs a hard limit puts one in front.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.web.refusals import TooManyRequests

_MOST_BUCKETS = 10_000  # the one used longest ago goes first: addresses cost nothing, memory does
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How many a minute; as many may come at once. 0 is no limit."""

    requests: int = 0
    writes: int = 0
    failed_sign_ins: int = 0


class Buckets:
    """One bucket for each key, full at first."""

    def __init__(self, per_minute: int, now: Callable[[], datetime]) -> None:
        self._per_minute, self._now = per_minute, now
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> int:
        """Take one; return 0, or the seconds until there is one again."""
        if not self._per_minute:
            return 0
        with self._lock:
            now = self._now()
            left, since = self._left.pop(key, (float(self._per_minute), now))
            passed = max(0.0, (now - since).total_seconds())
            left = min(float(self._per_minute), left + passed * self._per_minute / _MINUTE)
            self._left[key] = (left - 1 if left >= 1 else left, now)
            if len(self._left) > _MOST_BUCKETS:
                self._left.popitem(last=False)
        return 0 if left >= 1 else math.ceil((1 - left) * _MINUTE / self._per_minute)


class Limits:
    """The buckets of the door."""

    def __init__(self, rates: Rates, now: Callable[[], datetime]) -> None:
        self._requests = Buckets(rates.requests, now)
        self._writes = Buckets(rates.writes, now)
        self._failures = Buckets(rates.failed_sign_ins, now)

    def request(self, caller: str, *, writes: bool) -> None:
        """Count a request of a caller. Raises TooManyRequests."""
        wait = self._requests.take(caller) or (self._writes.take(caller) if writes else 0)
        if wait:
            raise TooManyRequests(f"your requests come too fast: wait {wait} seconds", wait)

    def failed_sign_in(self, address: str) -> None:
        """Count a failed sign-in from an address. Raises TooManyRequests.

        Only failures are turned away: whoever shares an address with a stranger still enters with a good token.
        """
        wait = self._failures.take(address)
        if wait:
            raise TooManyRequests(f"too many failed sign-ins from your address: wait {wait} seconds", wait)
