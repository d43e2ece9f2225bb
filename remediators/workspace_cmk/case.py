"""What judging one workspace takes, and what is said of each of its layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Finding, Memory
from shared.core.demand import wanting, why_required
from shared.core.facts import Snapshot, Vault, Workspace
from shared.core.graph import Graph, graph
from shared.core.keyvaults import around, chosen


class Standing(StrEnum):
    """Where a layer stands."""

    SOUND = "compliant"  # on a customer-managed key that can be relied on
    PLATFORM = "non-compliant"  # on a key of Azure's
    DEFECT = "defect"  # on a customer-managed key with something wrong
    UNKNOWN = "unknown"
    EXCLUDED = "not applicable"


@dataclass(frozen=True, slots=True)
class State:
    """A layer, where it stands, and why."""

    layer: str
    standing: Standing
    finding: Finding

    def shown(self) -> Mapping[str, Any]:
        """Return it as evidence."""
        verdict = "non-compliant" if self.standing is Standing.DEFECT else str(self.standing)
        return {
            "layer": self.layer, "verdict": verdict, "reason": self.finding.reason, "message": self.finding.message,
            **self.finding.evidence,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One workspace."""

    workspace: Workspace
    snapshot: Snapshot
    memory: Memory
    choices: Choices
    now: datetime

    @property
    def because(self) -> str:
        """Why it must have customer-managed keys; '' where it need not."""
        return why_required(self.workspace, self.memory, self.choices)

    @property
    def targets(self) -> tuple[str, ...]:
        """The layers to be migrated, in order."""
        return wanting(self.workspace, self.memory, self.choices)

    @property
    def has_begun(self) -> bool:
        """Whether a migration of ours has begun: what is half done must not stand in its own way."""
        return bool(self.memory.drawn)

    @property
    def at(self) -> Snapshot | None:
        """What was read of the chosen vault; None where none is chosen."""
        vault = chosen(self.workspace, self.memory, self.choices)
        return around(self.snapshot, vault) if vault else None

    def principal(self, layer: str) -> str:
        """Return who asks for the key of a layer; '' where nobody knows yet."""
        return self.choices.databricks if layer == "managedServices" else self.workspace.layer(layer).principal

    def graph(self, at: Snapshot) -> Graph | None:
        """Return who may do what at a vault around the workspace."""
        return graph(at, Memory(), self.choices) if isinstance(at.vault, Vault) else None
