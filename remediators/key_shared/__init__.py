"""KEY-SHARED: no key serves two workspaces of different tenants or environments.

Whoever lets one of them out lets out both, and taking the key away from one takes it from the other.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.key_shared import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class KeyShared:
    """The remediator: judges alone. A workspace is put on another key by its owner."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KEY-SHARED",
        title="No key serves two workspaces of different tenants or environments",
        severity="high",
        targets=frozenset({ids.VAULT}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdicts: '' for the vault, then one for each key that more than one workspace uses, by its name."""
        del now  # who shares a key does not hang on the time
        return rules.assess(snapshot, memory, choices)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return nothing: which workspace gets another key, and when, is for its owner to say."""
        del verdict, snapshot, memory, choices
        return ()


KEY_SHARED = KeyShared()
