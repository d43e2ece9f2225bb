"""From when on a principal really has what its grants say: Azure lists a role at once, and nobody sees when it works."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.facts import Snapshot
from shared.core.graph import NEEDED, Graph, Plane


@dataclass(frozen=True, slots=True)
class Effect:
    """Whether a principal holds the three permissions, and from when on that may be relied on; None for at once."""

    holds: bool
    begins: datetime | None = None

    def by(self, now: datetime) -> bool:
        """Whether it may be relied on by now."""
        return self.holds and (self.begins is None or self.begins <= now)


def effect(whole: Graph, snapshot: Snapshot, principal: str, scope: str, settle: timedelta) -> Effect:
    """Return what the sure grants of a principal come to at a scope of a vault."""
    graph, needed = whole.sure(), NEEDED[whole.plane]
    if not principal or not graph.held(principal, scope) >= needed:
        return Effect(holds=False)
    if whole.plane is Plane.POLICIES:
        return Effect(holds=True)
    made = [it for it in snapshot.assignments if it.created]
    for time in sorted({it.created for it in made if it.created and it.principal == principal}):
        younger = [it.id for it in made if it.created and it.created > time]
        if graph.without(younger).held(principal, scope) >= needed:
            return Effect(holds=True, begins=time + settle)
    return Effect(holds=False)
