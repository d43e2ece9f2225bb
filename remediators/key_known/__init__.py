"""KEY-KNOWN: each key in a CMK vault was asked for and approved.

A key that nobody has asked for is one that nobody looks after, and nobody dares to delete.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.key_known import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class KeyKnown:
    """The remediator: judges alone. Whose a key is, and whether it may go, a person must find out."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KEY-KNOWN",
        title="Each key in a vault of customer-managed keys was asked for and approved",
        severity="medium",
        targets=frozenset({ids.VAULT}),
        needs=frozenset({"contents"}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the one verdict on the vault itself: an exemption names the keys that it speaks of, and no later one."""
        return (rules.judge(snapshot, memory, choices, now),)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return nothing: deleting what data may lie under is not ours to do."""
        del verdict, snapshot, memory, choices
        return ()


KEY_KNOWN = KeyKnown()
