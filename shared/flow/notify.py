"""Say what was done, before and after. One log line a message: operators' alerts are set on it."""

import logging

from shared.core.errors import BadInput
from shared.core.ports import Delivery, Poisoned, Ports
from shared.flow import messages
from shared.flow.messages import NOTIFY

_log = logging.getLogger("cmkwarden.notify")


def notify(ports: Ports, delivery: Delivery) -> None:
    """Work on one message."""
    try:
        message = messages.notify(delivery.body)
    except BadInput as error:
        ports.records.poison(Poisoned(NOTIFY, delivery.id, error.reason, error.message), ports.clock.now())
        return
    stored = ports.records.get(message.remediation)
    if stored is None:
        return
    row = stored.row
    steps = "; ".join(f"{step.kind} {dict(step.before)} -> {dict(step.after)}" for step in row.plan.steps)
    _log.warning(
        "notice remediation=%s control=%s target=%s state=%s finding=%s decision=%s steps=%s",
        row.id, row.control, row.target, row.state, row.finding.reason, row.decision.reason, steps or "none",
    )  # fmt: skip
