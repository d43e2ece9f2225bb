"""Chance that can be had again: every draw follows from a seed, what is drawn for, and how often that was asked before.

Nothing else moves it: no common stream that one more request somewhere would shift for all others.
"""

from collections import Counter
from hashlib import blake2b

WHOLE = float(2**64)


class Chance:
    """Draws between 0 and 1."""

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._asked: Counter[str] = Counter()

    def next(self, *what: str) -> str:
        """The name of the next occasion of this: what it is, and its number."""
        name = "|".join(what)
        self._asked[name] += 1
        return f"{name}|{self._asked[name]}"

    def draw(self, kind: str, occasion: str) -> float:
        """The draw for one kind of luck on one occasion; the same whenever it is asked."""
        digest = blake2b(f"{self.seed}|{kind}|{occasion}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / WHOLE
