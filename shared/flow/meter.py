"""How often vaults were called: asked of Azure Monitor by the sweep, once a day for each vault, where prices are set.

A failure costs the one figure, never the sweep: it is kept as what it is, and the next sweep asks again. Where Azure says
again and again that it is busy, or says nothing, the others of this part wait for the next sweep: it must not stand still.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from shared.core import ids
from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.figures import WINDOW
from shared.core.figures.reading import DAYS, Reading, midnight
from shared.core.ids import ResourceId
from shared.core.parse.hits import hits
from shared.core.ports import Ports
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.meter")

_ENOUGH = 3  # answers that mean: later


def meter(ports: Ports, subscription: str, vaults: Iterable[str]) -> None:
    """Read the vaults (by id) of one subscription of which there is no reading of today. Each is kept at once."""
    until, busy = midnight(ports.clock.now()), 0
    known = ports.figures.readings(subscription)
    for vault in map(ids.parse, vaults):
        found = known.get(vault.key)
        if found and found.until == until and found.hits is not None:
            continue
        reading, is_busy = _read(ports, vault, until)
        ports.figures.note(reading)
        busy += is_busy
        if busy == _ENOUGH:
            return


def _read(ports: Ports, vault: ResourceId, until: datetime) -> tuple[Reading, bool]:
    """Return the reading, and whether Azure has said: later."""
    try:
        metrics = ports.vaults.metrics(vault, until - WINDOW, until)
        return Reading(vault.key, until, hits(metrics, until - WINDOW, DAYS)), False
    except (Temporary, Denied, BadInput, Conflict) as error:
        say(_log, "unmetered", logging.WARNING, target=vault, reason=error.reason)
        return Reading(vault.key, until, None, _problem(error)), isinstance(error, Temporary)


def _problem(error: RemediationError) -> str:
    return f"Azure Monitor does not say how often it was called: {error.reason}: {error.message}"[:300]
