"""What follows what a person says: a message, sent before the record is saved, for a moment later.

A click has no message of its own that would be delivered again: were the record saved first, a kill right after it
would leave a decision that nothing follows. Whoever receives the message of a record that was not saved after all finds
it as it was, and changes nothing.
"""

from datetime import timedelta

from shared.core import ids
from shared.core.ports import Ports
from shared.core.record import Remediation
from shared.core.wake import Cause
from shared.flow.messages import APPLY, EVALUATE, Apply, Evaluate

_SAVED_BY_THEN = timedelta(seconds=3)


def look_soon(ports: Ports, row: Remediation, cause: Cause) -> None:
    """Have the target of a row judged anew."""
    ports.queue.send(EVALUATE, Evaluate(ids.parse(row.target), cause).body(), _SAVED_BY_THEN)


def apply_soon(ports: Ports, row: Remediation) -> None:
    """Have the plan of a row carried out."""
    ports.queue.send(APPLY, Apply(row.id, row.plan.fingerprint).body(), _SAVED_BY_THEN)
