"""What goes over the wire, as types: the JSON and the OpenAPI document are both made from these."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from shared.core import render
from shared.core.chain import Entry
from shared.core.control import Finding
from shared.core.decide import Decision
from shared.core.graph import Identity, Use
from shared.core.ports import PoisonRecord
from shared.core.record import Approval, Exemption, RecordedPlan, Remediation, State
from shared.core.wake import Cause

Moment = Annotated[datetime, msgspec.Meta(tz=True)]  # with a time zone: nobody knows what another time means


class ApprovalIn(msgspec.Struct, forbid_unknown_fields=True):
    """Yes to exactly the plan with this fingerprint, with a reason, until a time."""

    fingerprint: str
    comment: str
    expires: Moment


class RejectionIn(msgspec.Struct, forbid_unknown_fields=True):
    """No, with a reason."""

    comment: str


class UndoIn(msgspec.Struct, forbid_unknown_fields=True):
    """The way back, with a reason, and until when the finding is exempted: 90 days at most."""

    comment: str
    until: Moment


class PickIn(msgspec.Struct, forbid_unknown_fields=True):
    """The vault where the workspace's keys are to live, and why that one."""

    vault: str
    comment: str


class ConfirmationIn(msgspec.Struct, forbid_unknown_fields=True):
    """What only a person can do was done; says how."""

    comment: str


class CancellationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Take back what was approved and has not been carried out, with a reason."""

    comment: str


class ExemptionIn(msgspec.Struct, forbid_unknown_fields=True):
    """Not here, with a reason, until a time: 90 days at most. Somebody else must approve it."""

    remediation: str
    reason: str
    until: Moment


class KeyRequestIn(msgspec.Struct, forbid_unknown_fields=True):
    """A key of its own for a workspace, with a reason. Somebody else must approve it; vault, name and type are not asked for."""

    workspace: str
    reason: str


class LiftIn(msgspec.Struct, forbid_unknown_fields=True):
    """The end of an exemption before its time; why, if somebody wants to say."""

    comment: str = ""


class RemediationOut(msgspec.Struct):
    """The record of one control on one target: what was found, what was decided, what was done."""

    id: str
    control: str
    target: str
    subject: str
    state: State
    verdict: str
    decision: Decision
    finding: Finding
    plan: RecordedPlan
    cause: Cause
    executor: Mapping[str, str]
    approvals: tuple[Approval, ...]
    exemption: Exemption | None
    undoes: str
    exempts: str
    vault: str
    requester: str
    asked: datetime | None
    occurrence: int
    opened: datetime
    updated: datetime


class Hints(msgspec.Struct):
    """The steps as commands and template lines: `az` does them by hand, the others keep a template from undoing them."""

    az: list[str]
    terraform: list[str]
    bicep: list[str]


class RemediationWithHistory(RemediationOut):
    """The same with everything that happened to it, whether that history is whole, and its steps as commands."""

    hints: Hints
    history: tuple[Entry, ...]
    history_intact: bool
    history_problem: str


class RemediationPage(msgspec.Struct):
    """A part of a list. `next` is the cursor of the following part, or null at the end."""

    items: tuple[RemediationOut, ...]
    next: str | None


class FindingOut(msgspec.Struct):
    """A control that is not met, or could not be judged."""

    remediation: str
    control: str
    title: str
    severity: str
    target: str
    subject: str
    verdict: str
    reason: str
    message: str
    evidence: Mapping[str, Any]
    state: State
    decision: Decision
    opened: datetime
    updated: datetime


class FindingPage(msgspec.Struct):
    """A part of a list. `next` is the cursor of the following part, or null at the end."""

    items: tuple[FindingOut, ...]
    next: str | None


class PoisonOut(msgspec.Struct):
    """Something that could not be worked on. `redriven` and `person` say who has tried it again, and when."""

    id: str
    source: str
    reference: str
    reason: str
    message: str
    body: str
    time: datetime
    redriven: datetime | None
    person: str


class PoisonOutPage(msgspec.Struct):
    """A part of the list. `next` is the cursor of the following part, or null at the end."""

    items: tuple[PoisonOut, ...]
    next: str | None


class ExplainedVerdict(msgspec.Struct):
    """One rule's verdict on a resource, and what would be decided now."""

    control: str
    subject: str
    verdict: str
    finding: Finding
    mode: str
    decision: Decision
    plan: RecordedPlan
    remediation: str | None
    state: State | None


class KeyGrant(msgspec.Struct):
    """What lets a principal do something at a vault; `stops` is what would stop working without it."""

    id: str
    model: str
    principal: str
    scope: str
    via: str
    is_active: bool
    uses_keys: bool
    allows: list[str]
    stops: tuple[Use, ...]


class KeyGraph(msgspec.Struct):
    """Which layers use the keys of a vault, as whom, and by which grants; `broken` do not work as things stand."""

    vault: str
    model: str
    identities: tuple[Identity, ...]
    uses: tuple[Use, ...]
    broken: tuple[Use, ...]
    grants: list[KeyGrant]


class Explanation(msgspec.Struct):
    """Every verdict on one resource. Nothing was written."""

    resource: str
    kind: str
    read: str
    environments: tuple[str, ...]
    graph: KeyGraph | None
    verdicts: tuple[ExplainedVerdict, ...]


class Health(msgspec.Struct):
    """The app is up and its settings are sound."""

    status: str
    version: str


class Problem(msgspec.Struct):
    """RFC 9457: what went wrong and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    reason: str


def remediation(row: Remediation) -> RemediationOut:
    """Return a row as it goes over the wire: without what only the machinery needs."""
    return RemediationOut(**{name: getattr(row, name) for name in RemediationOut.__struct_fields__})


def poison(record: PoisonRecord) -> PoisonOut:
    """Return a record of poison as it goes over the wire."""
    what = record.what
    return PoisonOut(
        id=record.id, source=what.source, reference=what.reference, reason=what.reason, message=what.message,
        body=what.body, time=record.time, redriven=record.redriven, person=record.person,
    )  # fmt: skip


def with_history(row: Remediation, history: tuple[Entry, ...], problem: str) -> RemediationWithHistory:
    """Return a row with its history."""
    fields = {name: getattr(row, name) for name in RemediationOut.__struct_fields__}
    hints = Hints(**render.hints(row.plan.steps))
    return RemediationWithHistory(
        **fields, hints=hints, history=history, history_intact=not problem, history_problem=problem
    )
