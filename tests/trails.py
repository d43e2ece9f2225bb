"""Rows with their histories, for records in memory: of the same shape as in storage."""

from shared.core.chain import Entry
from shared.core.errors import BadInput
from shared.core.ports import Stored, Trail, TrailPage


class MemoryTrails:
    """What records in memory add to be read whole."""

    rows: dict[str, Stored]
    past: dict[str, list[Entry]]

    def trails(self, cursor: str, limit: int) -> TrailPage:
        if cursor and not cursor.isalnum():
            raise BadInput("BadCursor", "not a cursor")
        found = [it for name, it in sorted(self.rows.items()) if name > cursor]
        trails = [Trail(it, tuple(self.past[it.row.id][: it.head])) for it in found[:limit]]
        return TrailPage(tuple(trails), found[limit - 1].row.id if len(found) > limit else "")
