"""The real clock. Nothing else in the product reads one for a decision."""

import time
from datetime import UTC, datetime


class SystemClock:
    """UTC now, and real waiting."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
