"""KV-DEDICATED: a vault that holds customer-managed keys holds nothing else.

Whoever needs a secret beside a key is let into the vault of the key, and what is not a key of a workspace is nobody's.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.vault_dedicated import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class VaultDedicated:
    """The remediator: judges alone. What lies in a vault belongs to somebody, and only they can move it."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KV-DEDICATED",
        title="A vault that holds customer-managed keys holds nothing else",
        severity="medium",
        targets=frozenset({ids.VAULT}),
        needs=frozenset({"contents"}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the one verdict on the vault itself."""
        return (rules.judge(snapshot, memory, choices, now),)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return nothing: deleting what somebody may need is not ours to do."""
        del verdict, snapshot, memory, choices
        return ()


VAULT_DEDICATED = VaultDedicated()
