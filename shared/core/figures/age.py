"""How old the versions of keys in use are, beside what CMK_KEY_AGE allows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.figures.spread import spread
from shared.core.judgement import Judgement

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Age:
    """Keys in use, each version once. `unknown`: nobody can say how old. `median` and `oldest` in seconds, of those known.

    `limit` is what was allowed when these were counted, in seconds.
    """

    limit: int
    young: int = 0
    old: int = 0
    unknown: int = 0
    median: int | None = None
    oldest: int | None = None

    @property
    def permille(self) -> int | None:
        """How many of a thousand are young enough, rounded down; None where there is none. Unknown is never young."""
        total = self.young + self.old + self.unknown
        return 1000 * self.young // total if total else None


@dataclass
class Ages:
    """Gathers versions while judgements are gone through, one at a time."""

    _made: dict[tuple[str, str, str], datetime | None] = field(default_factory=dict)

    def add(self, it: Judgement) -> None:
        """Note the keys of one target. Of a workspace last looked at before keys were recorded, one is unknown."""
        if it.vaults and not it.keys:
            self._made[it.target.lower(), "", ""] = None
        for key in it.keys:
            name = (key.host, key.name.lower(), key.version.lower())
            self._made[name] = key.made or self._made.get(name)

    def age(self, now: datetime, limit: timedelta) -> Age:
        """Return how old they are now. One is too old once it is as old as `limit`, as KEY-ROTATION has it."""
        known = [(now - made) // _SECOND for made in self._made.values() if made]
        most = limit // _SECOND
        young = sum(it < most for it in known)
        found = spread(known)
        return Age(
            most, young, len(known) - young, len(self._made) - len(known),
            found.median if found else None, found.longest if found else None,
        )  # fmt: skip
