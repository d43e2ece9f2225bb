"""KV-LOGS: a vault that holds customer-managed keys sends its audit log to a Log Analytics workspace.

Without it nobody can say afterwards who used a key, who read it and who took it away.
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.vault_logs import rules
from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot
from shared.core.steps import Step


@dataclass(frozen=True, slots=True)
class VaultLogs:
    """The remediator: joins the rules and the plan under one control."""

    control: Control = Control(  # noqa: RUF009 - frozen
        id="KV-LOGS",
        title="A vault that holds customer-managed keys sends its audit log to a Log Analytics workspace",
        severity="medium",
        targets=frozenset({ids.VAULT}),
        needs=frozenset({"logging"}),
    )

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        """Return the one verdict on the vault itself."""
        del now  # settings do not age
        return (rules.judge(snapshot, memory, choices),)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        """Return the one write that judging has worked out; nothing where something stands against it."""
        del snapshot, memory, choices
        return verdict.steps


VAULT_LOGS = VaultLogs()
