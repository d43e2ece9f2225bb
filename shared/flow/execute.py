"""The one file through which every write to Azure passes, under the writer identity.

It sends a step once. Whether the step may be sent was decided before; whether it took effect is read afterwards.
"""

import logging

from shared.core.ports import Ports
from shared.core.steps import Request, Step
from shared.flow.say import say
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.execute")


def execute(ports: Ports, step: Step, request: Request, correlation: str) -> bool:
    """Carry out one step; return whether Azure says that it has taken effect. Raises Temporary, Conflict or Denied.

    `correlation` is a GUID: Azure's Activity Log shows it beside the write, our history beside the step.
    """
    with span("execute", step=step.id, kind=step.kind, target=step.resource, correlation=correlation):
        is_done = ports.hand.write(request, correlation)
        say(_log, "wrote", step=step.id, kind=step.kind, target=step.resource, correlation=correlation)
        return is_done
