"""One target, judged by the same rules as in the app, as lines of a report. There are no records: nothing is remembered."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.control import Memory
from shared.core.facts import Snapshot, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.plan import Rail, Write
from shared.core.ports import Known, Ports, Stored
from shared.core.report import Gap, Line, line_of
from shared.core.wake import Cause
from shared.flow.look import look


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan has seen: of what, when, a line for each verdict, a gap for whatever could not be read at all."""

    scope: str
    made: datetime
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]


class Blank:
    """Records that know nothing. A scan never writes, so that there is no way to write to them."""

    def get(self, row_id: str) -> Stored | None:
        """There is no such row."""
        del row_id
        return None

    def known(self, target: ResourceId) -> Known:
        """Nothing is known."""
        del target
        return Known(None, Memory())

    def writes(self, subscription: str, since: datetime) -> tuple[Write, ...]:
        """Nothing was written."""
        del subscription, since
        return ()


def judged(ports: Ports, snapshot: Snapshot, memory: Memory, at: int = 0) -> Iterator[Line]:
    """Yield a line for each verdict on a target. `at` is its line in the file that was read, 0 for none."""
    controls, it = {it.control.id: it.control for it in ports.remediators}, snapshot.vault or snapshot.workspace
    region = it.location if isinstance(it, Vault | Workspace) else ""
    for seen in look(ports, snapshot, replace(memory, is_kept=False), Cause("person"), _no_ledger):
        yield line_of(seen.look, controls[seen.look.control], at=at, region=region)


def _no_ledger(target: ResourceId, reference: str) -> Rail | None:
    """No limit stands against what would happen by itself: how much has happened only the app knows."""
    del target, reference
    return None
