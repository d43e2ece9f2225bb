"""The one file through which every write to Azure passes, under the writer identity.

It sends a step once. Whether the step may be sent was decided before; whether it took effect is read afterwards.
"""

import logging

from shared.core import moves
from shared.core.ports import Ports
from shared.core.steps import Step
from shared.flow.say import say
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.execute")


def execute(ports: Ports, step: Step, correlation: str) -> None:
    """Carry out one step. Raises Temporary (also when nobody knows whether it took effect), Conflict or Denied.

    `correlation` is a GUID: Azure's Activity Log shows it beside the write, our history beside the step.
    """
    with span("execute", step=step.id, kind=step.kind, target=step.resource, correlation=correlation):
        ports.hand.write(moves.request(step), correlation)
        say(_log, "wrote", step=step.id, kind=step.kind, target=step.resource, correlation=correlation)
