"""What a look leaves for the page of the estate: the last judgement on its target."""

from collections.abc import Sequence

from shared.core.control import Memory
from shared.core.facts import Absent, Snapshot
from shared.core.judgement import judgement
from shared.core.ports import Ports
from shared.core.settle import Look
from shared.flow.acquaint import acquaint


def note(ports: Ports, snapshot: Snapshot, memory: Memory, looks: Sequence[Look]) -> None:
    """Keep the judgement on a target. One that is gone is forgotten, unless a control still has something to say of it."""
    made = judgement(snapshot, memory, looks, ports.choices, ports.clock.now())
    if made:
        ports.estate.note(made)
        acquaint(made)
    elif isinstance(snapshot.vault or snapshot.workspace, Absent):
        ports.estate.drop(snapshot.target)
