"""How often vaults were called: asked of Azure Monitor by the sweep, once a day for each vault, where prices are set.

A failure costs the one figure, never the sweep: it is kept as what it is, and the next sweep asks again.
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


def meter(ports: Ports, subscription: str, vaults: Iterable[str]) -> None:
    """Read the vaults (by id) of one subscription of which there is no reading of today. Each is kept at once."""
    until = midnight(ports.clock.now())
    known = ports.figures.readings(subscription)
    for vault in map(ids.parse, vaults):
        found = known.get(vault.key)
        if found is None or found.until < until or found.hits is None:
            ports.figures.note(_reading(ports, vault, until))


def _reading(ports: Ports, vault: ResourceId, until: datetime) -> Reading:
    try:
        metrics = ports.vaults.metrics(vault, until - WINDOW, until)
        return Reading(vault.key, until, hits(metrics, until - WINDOW, DAYS))
    except (Temporary, Denied, BadInput, Conflict) as error:
        say(_log, "unmetered", logging.WARNING, target=vault, reason=error.reason)
        return Reading(vault.key, until, None, _problem(error))


def _problem(error: RemediationError) -> str:
    return f"Azure Monitor does not say how often it was called: {error.reason}: {error.message}"[:300]
