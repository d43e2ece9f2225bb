"""DBX-TAGS: a workspace says who answers for it, who pays for it, how sensitive its data is and which environment it is.

Who must be asked, and which rules hold for a workspace, is read off these four tags: what is missing there is asked of nobody.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.workspace_tags import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class WorkspaceTags:
    """The remediator: one verdict for the workspace. It plans nothing: only its owner knows what is true."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id=rules.ID,
        title="A workspace carries its owner, cost centre, data sensitivity and environment as tags",
        severity="low",
        targets=frozenset({ids.WORKSPACE}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdict."""
        del now
        return rules.assess(snapshot, memory, choices)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return nothing: the command, with blanks for the values, is in the evidence."""
        del verdict, snapshot, memory, choices
        return ()


WORKSPACE_TAGS = WorkspaceTags()
