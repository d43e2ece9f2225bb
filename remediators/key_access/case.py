"""What judging one identity takes, and how a verdict on it is put."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, Verdict
from shared.core.facts import Assignment, Hindrances, Snapshot, Vault
from shared.core.graph import Grant, Graph, Identity, Use
from shared.core.steps import Step

_SHOWN = 20  # of each list in the evidence

MISSING = (
    "it gives a permission: somebody may have taken it away on purpose, and whoever points a workspace at a vault must "
    "not by that alone be let in"
)
SECRETS = (
    "a secret scope that is backed by this vault reads its secrets through this identity: if the workspace has one, "
    "taking this away can stop its jobs. Reading secrets is kept; look at what else is used before you say yes"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One identity at one vault."""

    identity: Identity
    vault: Vault
    graph: Graph
    snapshot: Snapshot
    memory: Memory
    choices: Choices
    now: datetime

    @property
    def principal(self) -> str:
        """The object id."""
        return self.identity.principal

    @property
    def uses(self) -> tuple[Use, ...]:
        """The layers that need this identity, by what was read just now."""
        return tuple(it for it in self.graph.uses if it.principal == self.principal and not it.is_remembered)

    @property
    def needs(self) -> tuple[Use, ...]:
        """The same and those that we only remember: nothing that is planned may break one of them."""
        return tuple(it for it in self.graph.uses if it.principal == self.principal)

    @property
    def timed(self) -> frozenset[str]:
        """The ids of assignments that come and go by themselves."""
        return self.snapshot.hindrances.timed if isinstance(self.snapshot.hindrances, Hindrances) else frozenset()

    def assignment(self, grant: Grant) -> Assignment | None:
        """Return the role assignment behind a grant."""
        return next((it for it in self.snapshot.assignments if it.id == grant.id), None)

    def found(
        self, names: Iterable[str], said: str, *, part: str = "", steps: tuple[Step, ...] = (), asks: str = "",
        since: datetime | None = None, **evidence: Any,
    ) -> Verdict:  # fmt: skip
        """Return a finding on this identity; the first of `names` is its reason."""
        listed = list(names)
        finding = Finding(
            listed[0],
            f"{self.identity.kind} {self.principal} {said}",
            {**self._evidence(), "violations": listed, **evidence},
        )
        return NonCompliant(finding, self._subject(part), asks, since, steps)

    def fine(self, part: str = "") -> Verdict:
        """Return that there is nothing to find."""
        return Compliant(
            Finding("Narrow", f"{self.identity.kind} {self.principal}: nothing to find", self._evidence()),
            self._subject(part),
        )

    def _subject(self, part: str) -> str:
        return f"{self.principal} {part}".strip()

    def _evidence(self) -> dict[str, Any]:
        return {
            "principal": self.principal,
            "identity": str(self.identity.kind),
            "model": str(self.graph.plane),
            "used_by": [{"workspace": it.workspace, "layer": it.layer, "key": it.key} for it in self.needs[:_SHOWN]],
            "uses": len(self.needs),
        }


def shown(words: Iterable[str]) -> list[str]:
    """Return words in order, not too many."""
    return sorted(words)[:_SHOWN]
