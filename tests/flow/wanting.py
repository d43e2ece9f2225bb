"""A control whose plan a test can change while people look at it: KV-RECOVERY, and one more property to set."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from remediators.vault_recovery import VAULT_RECOVERY
from shared.core.choices import Choices, Mode
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.ports import Stored
from shared.core.steps import Step
from shared.flow.evaluate import evaluate
from tests.fakes import World, vault_body
from tests.flow.conftest import evaluation, run


@dataclass
class Wanting:
    """Judges as KV-RECOVERY does; `wants` is set along with the protection."""

    wants: dict[str, Any] = field(default_factory=dict)

    @property
    def control(self) -> Control:
        return VAULT_RECOVERY.control

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        return VAULT_RECOVERY.judge(snapshot, memory, choices, now)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        (step,) = VAULT_RECOVERY.plan(verdict, snapshot, memory, choices)
        return (replace(step, after={**step.after, **self.wants}),)


def asked(**choices: Any) -> tuple[World, Wanting]:
    """Return a world in which people are asked about one vault, and what changes the plan."""
    world, wanting = World(mode=Mode.APPROVE, **choices), Wanting()
    world.remediators = (wanting,)
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    run(world)
    return world, wanting


def the(world: World) -> Stored:
    """Return the row of the control, whatever people have asked for beside it."""
    (stored,) = [it for it in world.records.rows.values() if not it.row.is_wished]
    return stored
