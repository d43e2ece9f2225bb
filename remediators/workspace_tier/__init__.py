"""DBX-TIER: a workspace that holds sensitive data is on the Premium plan.

Without it there are no customer-managed keys (AZURE 1.5), and no control over who may use which cluster, table or notebook.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.workspace_tier import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class WorkspaceTier:
    """The remediator: one verdict for the workspace. It plans nothing: a plan costs money, so its owner decides."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id=rules.ID,
        title="A workspace with sensitive data is on the Premium plan",
        severity="medium",
        targets=frozenset({ids.WORKSPACE}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdict."""
        del now
        return rules.assess(snapshot, memory, choices)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return nothing: the command is in the evidence."""
        del verdict, snapshot, memory, choices
        return ()


WORKSPACE_TIER = WorkspaceTier()
