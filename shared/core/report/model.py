"""What a report shows: a line for each verdict, a gap for whatever could not be read, and the counts of both."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.core.control import Control, NonCompliant
from shared.core.settle import Look

SEVERITIES = ("low", "medium", "high", "critical")  # from the least
VERDICTS = ("NonCompliant", "Unknown", "Compliant", "NotApplicable")  # in the order in which they are shown


def rank(severity: str) -> int:
    """Return how severe a severity is: 0 is the least. Raises ValueError for a word that is none."""
    return SEVERITIES.index(severity)


@dataclass(frozen=True, slots=True)
class Line:
    """One verdict on one subject of one target. `id` is that of its record, whether there is one or not.

    `decision` and `decided_because` say what would be done about a finding, '' for any other verdict; `state` is where
    its record stands, '' where nobody knows. `at` is the line of the target in the file that was read, 0 for none; `region`
    is where the target lies, '' where that is not known.
    """

    id: str
    control: str
    title: str
    severity: str  # one of SEVERITIES
    target: str
    subject: str
    verdict: str  # one of VERDICTS
    reason: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decision: str = ""
    decided_because: str = ""
    state: str = ""
    at: int = 0
    region: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether its control is not met."""
        return self.verdict == "NonCompliant"

    @property
    def is_unknown(self) -> bool:
        """Whether nobody could judge it."""
        return self.verdict == "Unknown"

    @property
    def name(self) -> str:
        """The target's own name: the last word of its id."""
        return self.target.rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that should have been looked at and could not be read."""

    what: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, by which tool and when, and what came of it.

    `scope` says in words what was looked at. `source` is the name of the file that was read, '' for Azure itself.
    `least` is the severity below which lines were left out.
    """

    tool: str
    version: str
    made: datetime  # UTC
    scope: str
    controls: tuple[Control, ...]
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...] = ()
    source: str = ""
    least: str = SEVERITIES[0]

    @property
    def findings(self) -> tuple[Line, ...]:
        """The controls that are not met, the most severe first."""
        return _ordered(it for it in self.lines if it.is_finding)

    @property
    def unknowns(self) -> tuple[Line, ...]:
        """What could not be judged, the most severe control first."""
        return _ordered(it for it in self.lines if it.is_unknown)

    @property
    def is_whole(self) -> bool:
        """Whether everything could be read and judged."""
        return not self.gaps and not self.unknowns

    @property
    def targets(self) -> int:
        """How many vaults and workspaces the lines speak of."""
        return len({it.target.lower() for it in self.lines})

    def counted(self) -> Mapping[str, int]:
        """Return how many lines have each verdict, all of them named."""
        found = Counter(it.verdict for it in self.lines)
        return {verdict: found[verdict] for verdict in VERDICTS}

    def severities(self) -> Mapping[str, int]:
        """Return how many findings there are of each severity, the most severe first, all of them named."""
        found = Counter(it.severity for it in self.lines if it.is_finding)
        return {severity: found[severity] for severity in reversed(SEVERITIES)}

    def from_severity(self, least: str) -> "Report":
        """Return the report without the controls below a severity. What could not be read stays."""
        kept = tuple(it for it in self.lines if rank(it.severity) >= rank(least))
        return replace(self, lines=kept, controls=_from(self.controls, least), least=least)

    def has_finding_of(self, least: str) -> bool:
        """Whether there is a finding of this severity or a higher one."""
        return any(it.is_finding and rank(it.severity) >= rank(least) for it in self.lines)


def line_of(look: Look, control: Control, *, state: str = "", at: int = 0, region: str = "") -> Line:
    """Return what a judged look says, as a line."""
    verdict = look.verdict
    is_finding = isinstance(verdict, NonCompliant)
    return Line(
        id=look.id,
        control=control.id,
        title=control.title,
        severity=control.severity,
        target=look.target,
        subject=verdict.subject,
        verdict=type(verdict).__name__,
        reason=verdict.finding.reason,
        message=verdict.finding.message,
        evidence=verdict.finding.evidence,
        decision=str(look.decision.kind) if is_finding else "",
        decided_because=look.decision.message if is_finding else "",
        state=state,
        at=at,
        region=region,
    )


def _from(controls: tuple[Control, ...], least: str) -> tuple[Control, ...]:
    return tuple(it for it in controls if rank(it.severity) >= rank(least))


def _ordered(lines: Any) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda it: (-rank(it.severity), it.control, it.target.lower(), it.subject)))
