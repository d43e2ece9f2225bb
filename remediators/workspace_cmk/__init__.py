"""DBX-CMK: every layer of a workspace that must be is encrypted under a customer-managed key that can be relied on.

On a platform key its owner can neither watch nor end the use of the data; HIPAA and PCI audits ask for both.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.workspace_cmk import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class WorkspaceCmk:
    """The remediator: one verdict for the workspace, with the plan of its migration, and one for the key of each layer."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id=rules.ID,
        title="Every layer that needs one is encrypted under a customer-managed key",
        severity="high",
        targets=frozenset({ids.WORKSPACE}),
        is_staged=True,
        looks_around=True,
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdicts: '' for the workspace, then one for each layer."""
        return rules.assess(snapshot, memory, choices, now)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the steps that judging has worked out."""
        del snapshot, memory, choices
        return verdict.steps


WORKSPACE_CMK = WorkspaceCmk()
