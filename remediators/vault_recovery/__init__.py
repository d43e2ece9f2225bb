"""KV-RECOVERY: a vault that holds customer-managed keys has soft delete and purge protection.

Without them one deletion, meant or not, destroys the key and with it all data that is encrypted under it.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.vault_recovery import plan, rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class VaultRecovery:
    """The remediator: joins the rules and the plan under one control."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KV-RECOVERY",
        title="A vault that holds customer-managed keys has soft delete and purge protection",
        severity="critical",
        targets=frozenset({ids.VAULT}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the one verdict on the vault itself."""
        del now  # recovery settings do not age
        return (rules.judge(snapshot, memory, choices),)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the one write that turns both protections on."""
        del verdict, memory, choices  # both flags are always sent together
        return plan.steps(snapshot)


VAULT_RECOVERY = VaultRecovery()
