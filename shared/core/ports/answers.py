"""What was answered to requests that carry an `Idempotency-Key`: claimed before, kept after, forgotten in a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it went out."""

    status: int
    media_type: str
    etag: str
    body: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What a key stands for. `asked` is the hash of what it was first sent with.

    `kept`: it is answered. `token`: it is ours, and gives the right to answer. Neither: another request has it.
    """

    asked: str
    kept: Kept | None = None
    token: str = ""


class Answers(Protocol):
    """One claim for each key (a hash), with its answer."""

    def claim(self, reference: str, asked: str, now: datetime, lease: timedelta) -> Claim:
        """Take a key, or say who has it. One without an answer whose claim is older than `lease` may be taken again."""
        ...

    def keep(self, reference: str, token: str, kept: Kept) -> None:
        """Answer a claim, unless it has been taken by somebody else since. What is too long to keep is given back."""
        ...

    def release(self, reference: str, token: str) -> None:
        """Give a claim back, unless somebody else has it now."""
        ...

    def forget(self, before: datetime) -> int:
        """Remove what was claimed before a time; return how much."""
        ...
