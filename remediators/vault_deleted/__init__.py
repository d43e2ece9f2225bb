"""KV-DELETED: no vault that holds customer-managed keys, and no key in use, is deleted.

Whatever lies under those keys cannot be read from then on, and once the vault is purged never again.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.vault_deleted import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class VaultDeleted:
    """The remediator: one verdict for the vault, and one for each key in use that is not there."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KV-DELETED",
        title="No vault that holds customer-managed keys, and no key in use, is deleted",
        severity="critical",
        targets=frozenset({ids.VAULT}),
        needs=frozenset({"deleted", "keys", "roles"}),
        pages=True,
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the verdicts: '' for the vault, then the name of each key that is missed or was."""
        return rules.judge(snapshot, memory, choices, now)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return what judging has worked out: the recovery, then the roles that went with the vault."""
        del snapshot, memory, choices
        return verdict.steps


VAULT_DELETED = VaultDeleted()
