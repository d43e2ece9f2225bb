"""The one file through which every write to Azure passes, under the writer identity.

It sends a step once. Whether the step may be sent was decided before; whether it took effect is read afterwards.
"""

import logging

from shared.core import moves
from shared.core.ports import Ports
from shared.core.steps import Step

_log = logging.getLogger("cmkwarden.execute")


def execute(ports: Ports, step: Step) -> None:
    """Carry out one step. Raises Temporary (also when nobody knows whether it took effect), Conflict or Denied."""
    _log.info("writing step=%s kind=%s resource=%s", step.id, step.kind, step.resource)
    ports.hand.write(moves.request(step))
