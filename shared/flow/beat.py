"""A part says that it runs, and as what. The doctor of the front asks nobody else: the hand has no inbound HTTP."""

from dataclasses import replace

from shared.core.ports import Ports


def beat(ports: Ports) -> None:
    """Note which part this is; where one app serves every part, it answers for itself. Raises Temporary or Denied where our own storage is not to be had: the host logs it."""
    if ports.part.name == "hand":
        ports.pulse.beat(replace(ports.part, time=ports.clock.now()))
