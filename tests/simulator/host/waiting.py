"""Waiting for a condition, in place of sleeping and hoping."""

import time
from collections.abc import Callable


def until[T](check: Callable[[], T], what: str, limit: float = 20) -> T:
    """Wait until a check gives something true, and give it."""
    end = time.monotonic() + limit
    while not (found := check()):
        assert time.monotonic() < end, f"waited {limit} s for {what}"
        time.sleep(0.01)
    return found
