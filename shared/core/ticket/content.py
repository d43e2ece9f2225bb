"""What a ticket says, taken from its row as it is now: values only, so that the API, a page and another system show the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Control
from shared.core.decide import AWAITS_CONFIRMATION, Decision, Kind
from shared.core.errors import BadInput
from shared.core.question import ends, stands, takes_two
from shared.core.record import Approval, PlannedStep, Remediation, State
from shared.core.render import hints
from shared.core.ticket.compliance import RULES, Rule
from shared.core.ticket.escape import line

_MOST = 50  # entries of a list from the evidence
_LONGEST = 2000  # characters of one text from the evidence
_ROOM = 20_000  # characters of all commands of a kind: a ticket must fit a table entity
_PORTAL = "https://portal.azure.com/#resource"
_APPROVERS = "somebody with the role Remediation.Approver or Remediation.Admin who has neither made the change nor asked for this; "
_ONE, _TWO = "two people where nobody knows who made the change", "two people, since a step cannot be undone"


@dataclass(frozen=True, slots=True)
class Layer:
    """The verdict on one layer of a workspace."""

    layer: str
    verdict: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """A fact that must hold before the first step: pass, fail or unknown, and what to do about it."""

    check: str
    result: str
    message: str
    todo: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where there is more."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a ticket shows but its own history.

    `owner` is what a tag says: shown, never believed. `until` is when a question ends that nobody answers. `vault` is where new keys are to live, `eligible` where they may.
    """

    title: str
    control: str
    severity: str
    target: str
    subject: str
    state: State
    verdict: str
    reason: str
    message: str
    stands_in_the_way: str
    layers: tuple[Layer, ...]
    rules: tuple[Rule, ...]
    owner: str
    preflight: tuple[Check, ...]
    fingerprint: str
    steps: tuple[PlannedStep, ...]
    permissions: tuple[str, ...]
    vault: str
    eligible: tuple[str, ...]
    notes: tuple[str, ...]
    hints: Mapping[str, tuple[str, ...]]
    proposed: tuple[str, ...]
    decision: Decision
    approvers: str
    until: datetime | None
    approvals: tuple[Approval, ...]
    links: tuple[Link, ...]


def content_of(row: Remediation, control: Control | None, choices: Choices) -> Content:
    """Return what the ticket of a row says. `control` is None for one that this version does not know."""
    evidence = row.finding.evidence
    named = control.title if control else "a control that this version does not know"
    way = evidence.get("stands_in_the_way")
    said = [str(way.get(word, "")) for word in ("reason", "message")] if isinstance(way, Mapping) else []
    return Content(
        title=line(f"{row.control}: {row.finding.reason} at {_name(row.target)} ({named})", 200),
        control=row.control, severity=control.severity if control else "", target=row.target, subject=row.subject,
        state=row.state, verdict=row.verdict, reason=row.finding.reason, message=row.finding.message[:_LONGEST],
        stands_in_the_way=": ".join(said)[:_LONGEST], layers=_listed(evidence.get("layers"), Layer),
        rules=RULES.get(row.control, ()), owner=row.decision.owner, preflight=_listed(evidence.get("preflight"), Check),
        fingerprint=row.plan.fingerprint, steps=row.plan.steps,
        permissions=tuple(sorted({step.permission for step in row.plan.steps if step.permission})),
        vault=str(evidence.get("vault") or "")[:_LONGEST], eligible=_texts(evidence.get("eligible")),
        notes=_texts(evidence.get("notes")),
        hints={name: _commands(lines) for name, lines in hints(row.plan.steps).items() if lines},
        proposed=_commands(evidence.get("proposed")), decision=row.decision,
        approvers=_approvers(row, choices), until=ends(row, choices) if stands(row) else None, approvals=row.approvals,
        links=_links(row),
    )  # fmt: skip


def _approvers(row: Remediation, choices: Choices) -> str:
    if row.decision.kind is not Kind.APPROVAL or row.decision.reason == AWAITS_CONFIRMATION:
        return ""
    return _APPROVERS + (_TWO if takes_two(row, choices) else _ONE)


def _listed[T: (Layer, Check)](found: Any, shape: type[T]) -> tuple[T, ...]:
    """Return a list of the evidence as values; what is no list of objects is left out."""
    if not _is_list(found):
        return ()
    names = shape.__dataclass_fields__
    return tuple(
        shape(**{name: str(it.get(name) or "")[:_LONGEST] for name in names})
        for it in found[:_MOST]
        if isinstance(it, Mapping)
    )


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(str(it)[:_LONGEST] for it in found[:_MOST]) if _is_list(found) else ()


def _commands(found: Any) -> tuple[str, ...]:
    """Return commands whole or not at all: a command that is cut is another command."""
    kept, room = list[str](), _ROOM
    for it in map(str, found) if _is_list(found) else ():
        room -= len(it)
        if room < 0:
            return (*kept, "# there is more: see the record")
        kept.append(it)
    return tuple(kept)


def _is_list(found: Any) -> bool:
    return isinstance(found, Sequence) and not isinstance(found, str | bytes)


def _name(target: str) -> str:
    return target.rsplit("/", 1)[-1]


def _links(row: Remediation) -> tuple[Link, ...]:
    own = f"/api/remediations/{quote(row.id, safe='')}"
    found = [Link("the record and its history", own)]
    try:
        target = str(ids.parse(row.target))
    except BadInput:  # no id: no link is made of it
        return tuple(found)
    found.append(Link("what every control says of the target", f"/api/explain?resource={quote(target, safe='')}"))
    found.append(Link("the target in the Azure portal", _PORTAL + quote(target, safe="/")))
    return tuple(found)
