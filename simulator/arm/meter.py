"""How often each vault was called, by the minute: what Azure Monitor's metric ServiceApiHit goes by.

Every call at a vault's own address that found a vault counts, whatever came of it, and every try of a service to get, wrap
or unwrap with a key. Whether Azure counts calls through Resource Manager, too, is UNVERIFIED; here they are not counted.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime

from simulator.arm.router import fold


class Meter:
    """The counts of all vaults, as long as the process lives; Azure keeps them 93 days (Azure/azure-sdk-for-python#13547)."""

    def __init__(self) -> None:
        self._hits: defaultdict[str, Counter[datetime]] = defaultdict(Counter)

    def note(self, vault: str, moment: datetime | None = None, hits: int = 1) -> None:
        """Count calls to a vault (its id), now or at another time."""
        at = moment or datetime.now(UTC)
        self._hits[fold(vault)][at.replace(second=0, microsecond=0)] += hits

    def between(self, vault: str, begin: datetime, end: datetime) -> int | None:
        """How many there were from one time to before another; None where nothing was ever counted in it."""
        found = [hits for moment, hits in self._hits[fold(vault)].items() if begin <= moment < end]
        return sum(found) if found else None
