"""A vault that was deleted and is kept for a while: what Azure still says of it (AZURE 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """A soft-deleted vault. Times are UTC, None where Azure does not say.

    From `purged` on it is gone for good, and its keys with it. `purge_protection`: nobody can end it sooner.
    """

    location: str
    tags: Mapping[str, str]
    deleted: datetime | None
    purged: datetime | None
    purge_protection: bool
