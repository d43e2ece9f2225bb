"""Heal rows that got stuck: saved, but their message was lost or its worker died. It sends, it does nothing itself.

A second message for a row that is being worked on is harmless: it finds a fresh claim and leaves it alone.
"""

import logging

from shared.core.ports import Ports
from shared.core.record import State
from shared.flow.messages import APPLY, Apply

_log = logging.getLogger("cmkwarden.sweep")

_PAGE = 200


def sweep(ports: Ports) -> int:
    """Send `apply` again for every queued or applying row without a sign of life. Returns how many."""
    healed, cursor = 0, ""
    before = ports.clock.now() - ports.choices.claim
    while True:
        page = ports.records.page(
            states=(State.QUEUED, State.APPLYING), control="", target="", cursor=cursor, limit=_PAGE
        )
        for row in page.items:
            if row.updated < before:
                ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body())
                _log.warning("healed remediation=%s state=%s since=%s", row.id, row.state, row.updated.isoformat())
                healed += 1
        cursor = page.cursor
        if not cursor:
            return healed
