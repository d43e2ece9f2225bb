"""The last judgement on a target: what the page of the estate shows of it, without asking Azure again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Memory, NonCompliant, NotApplicable
from shared.core.facts import Absent, Deleted, Snapshot, Vault, Workspace
from shared.core.grounds import Grounds, grounds_of
from shared.core.inuse import KeyInUse, keys_in_use
from shared.core.principals import Principals, principals
from shared.core.sandbox import LONGEST_NAME, environments
from shared.core.settle import Look
from shared.core.survey import GONE, digest

# The worst first: a target is as bad as the worst that is said of it.
ORDER = ("NonCompliant", "Unknown", "Compliant", "NotApplicable")
_MOST = 200  # rulings on one target


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one control said of a target, or of a part of it."""

    control: str
    subject: str
    verdict: str
    reason: str
    remediation: str  # the id that its row has, where there is one
    grounds: Grounds | None = None  # of a finding: what its decision rests on


@dataclass(frozen=True, slots=True)
class LayerRuling:
    """What was said of one layer of a workspace."""

    layer: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was said of one target at one time. `owner` is what a tag says: shown, never believed."""

    target: str
    kind: str
    name: str
    location: str
    environments: tuple[str, ...]
    owner: str
    time: datetime
    worst: str
    rulings: tuple[Ruling, ...]
    layers: tuple[LayerRuling, ...] = ()
    vaults: tuple[str, ...] = ()  # hosts that its layers name
    until: datetime | None = None  # when what is compliant now ends to be so by itself; None where nothing ends
    digest: str = ""  # of its facts: a survey tells by it what has changed since
    cost_center: str = ""  # what a tag says, as `owner`
    keys: tuple[KeyInUse, ...] = ()  # of a workspace: those that its layers use
    principals: Principals | None = None  # of a vault that holds customer-managed keys


def judgement(
    snapshot: Snapshot, memory: Memory, looks: Sequence[Look], choices: Choices, now: datetime
) -> Judgement | None:
    """Return the judgement on a target; None for a workspace that is not there, and for a vault of which no control speaks.

    A vault that is gone and missed is spoken of: it stays in sight until it is back, or nobody misses it any more.
    """
    it = _shown(snapshot)
    if it is None:
        return None
    rulings = tuple(_ruling(look) for look in looks)[:_MOST]
    worst = min((ruling.verdict for ruling in rulings), key=ORDER.index, default="NotApplicable")
    if not isinstance(it, Workspace) and worst == NotApplicable.__name__:
        return None
    evidence = [look.verdict.finding.evidence for look in looks if not look.verdict.subject]
    return Judgement(
        target=str(snapshot.target), kind=snapshot.target.kind, name=snapshot.target.name[:LONGEST_NAME],
        location=it.location, environments=environments(snapshot, memory, choices),
        owner=_tag(it, choices.owner_tag), time=now, worst=worst, rulings=rulings,
        layers=tuple(_layers(evidence)), vaults=it.hosts() if isinstance(it, Workspace) else (),
        digest=GONE if isinstance(it, Deleted) else digest(it),
        until=min((end for look in looks if (end := _end(look))), default=None),
        cost_center=_tag(it, choices.cost_center_tag), keys=keys_in_use(snapshot),
        principals=principals(snapshot, memory, choices),
    )  # fmt: skip


def _tag(it: Vault | Workspace | Deleted, name: str) -> str:
    return it.tags.get(name.lower(), "").strip()[:LONGEST_NAME]


def _shown(snapshot: Snapshot) -> Vault | Workspace | Deleted | None:
    """Return what there is to show of a target. Of a vault that is not even among the deleted ones that is next to nothing."""
    it = snapshot.vault or snapshot.workspace
    if isinstance(it, Vault | Workspace):
        return it
    if not isinstance(it, Absent) or snapshot.deleted is None:
        return None
    return (
        snapshot.deleted
        if isinstance(snapshot.deleted, Deleted)
        else Deleted("", {}, None, None, purge_protection=False)
    )


def _end(look: Look) -> datetime | None:
    return look.verdict.until if isinstance(look.verdict, Compliant) else None


def _ruling(look: Look) -> Ruling:
    verdict = look.verdict
    grounds = grounds_of(look.case) if look.case and isinstance(verdict, NonCompliant) else None
    return Ruling(look.control, verdict.subject, type(verdict).__name__, verdict.finding.reason, look.id, grounds)


def _layers(evidence: Iterable[Mapping[str, Any]]) -> Iterable[LayerRuling]:
    for found in evidence:
        for it in found.get("layers", ()):
            if isinstance(it, Mapping):
                yield LayerRuling(*(str(it.get(word, "")) for word in ("layer", "verdict", "reason")))
