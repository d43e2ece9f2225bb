"""KV-ACCESS: each identity that uses a customer-managed key holds Get, Wrap Key, Unwrap Key, and nothing else.

Whoever may do more with a key can destroy it or let it out of the vault; whoever may do less stops a workspace.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.key_access import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """The remediator: one verdict for the vault, and for each identity one for each thing that is decided by itself."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KV-ACCESS",
        title="Each identity that uses a customer-managed key holds Get, Wrap Key, Unwrap Key, and nothing else",
        severity="high",
        targets=frozenset({ids.VAULT}),
        takes_away=True,
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdicts: '' for the vault, then `principal`, `principal secrets`, `principal elsewhere`, `dormant`."""
        return rules.assess(snapshot, memory, choices, now)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the steps that judging has worked out: what is too much and what to do about it is one calculation."""
        del snapshot, memory, choices
        return verdict.steps


KEY_ACCESS = KeyAccess()
