"""KEY-ROTATION: the key of each layer rotates, is young enough and not near its end, and its newest version is in use.

Rotating a key only makes a new version: what is encrypted stays on the old one until the workspace is put on the new (AZURE 1.8).
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.key_rotation import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """The remediator: one verdict for the versions in use, with the plan, and one for the key of each layer."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id=rules.ID,
        title="Keys of workspaces rotate, and workspaces use their newest version",
        severity="medium",
        targets=frozenset({ids.WORKSPACE}),
        is_staged=True,
        looks_around=True,
        wants_newest=True,
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdicts: '' for the versions in use, then one for the key of each layer."""
        return rules.assess(snapshot, memory, choices, now)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the steps that judging has worked out."""
        del snapshot, memory, choices
        return verdict.steps


KEY_ROTATION = KeyRotation()
