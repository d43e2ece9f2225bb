"""Carry out the steps of a row in hand: what stands against it, what must wait, what was sent. Never replayed blindly."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from shared.core import ids, moves, parse, refs
from shared.core.decide import Decision, Kind
from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary
from shared.core.facts import Workspace
from shared.core.ids import ResourceId
from shared.core.moves import grant, vault, workspace
from shared.core.plan import Plan, may_write, standing_rail
from shared.core.ports import Ports
from shared.core.record import OPENED_BY, PlannedStep, RecordedPlan, State, recorded_step
from shared.core.steps import Step
from shared.flow.execute import execute
from shared.flow.work import Work, come_back, wait

NOTHING: Mapping[str, str] = MappingProxyType({})
_OURS = uuid.UUID("6f0e2c9a-6d0b-5f0e-9d0c-3b5b0c1e7a55")  # the namespace of our correlation ids


def standing(work: Work, targets: Iterable[ResourceId]) -> Decision | None:
    """Return what stands against a write to these resources that somebody has approved."""
    ports, row, now = work.ports, work.row, work.ports.clock.now()
    if any(it.expires <= now for it in row.approvals):
        return Decision(Kind.APPROVAL, "ApprovalExpired", "the approval is past its date: it takes a new one")
    if not may_write(row.control, ports.choices):
        return Decision(Kind.APPROVAL, "ModeIsObserve", f"the mode of {row.control} is observe: nothing is written")
    rail = next(filter(None, (standing_rail(it, ports.choices, now) for it in targets)), None)
    return Decision(Kind.APPROVAL, rail.reason, rail.message) if rail else None


def hold(work: Work, decision: Decision) -> None:
    """Since the row was queued something has come between: it waits for a person."""
    detail = {"message": decision.message}
    work.move(
        OPENED_BY[decision.kind],
        "held",
        decision.reason,
        detail,
        decision=replace(decision, owner=work.row.decision.owner),
        approved=(),
        approvals=(),
        noticed=work.row.noticed or (work.ports.clock.now() if decision.reason == "NoticeGiven" else None),
    )
    work.tell()
    come_back(work.ports, work.row, decision)


def write(work: Work, plan: Plan) -> bool:
    """Carry out the steps; False where the rest must wait. The before-image is saved first: a kill must not lose it.

    What takes effect later is relied on later, and by a plan that is made then. A role that cannot be given keeps only
    what takes something away from going on: whoever else waits for one gets it.
    """
    settling, refused = False, None
    for step in plan.steps:
        now = work.ports.clock.now()
        ready = now + work.ports.choices.settle if settling and not step.settles else step.not_before
        if ready and ready > now:
            wait(work, ready, "MustSettle")
            return False
        try:
            send(work, step)
        except (Denied, Temporary) as error:
            if not _is_for_one_alone(step, plan, error):
                raise
            refused = refused or error
        settling = settling or step.settles
    if refused:
        raise refused
    if settling:
        wait(work, work.ports.clock.now() + work.ports.choices.settle, "MustSettle")
    return not settling


def _is_for_one_alone(step: Step, plan: Plan, error: RemediationError) -> bool:
    """Whether a failure concerns one principal: Azure does not know it, or we may not give it this role."""
    is_known = isinstance(error, Denied) or error.reason == "PrincipalNotFound"
    return is_known and step.kind == grant.ROLE_ASSIGN and not any(it.takes for it in plan.steps)


def send(work: Work, step: Step, values: Mapping[str, str] = NOTHING) -> bool:
    """Send one step; return whether Azure says that it has taken effect. `values` are what its references stand for.

    What settles and is asked for again after it was sent has not come to be seen: that counts as a failure, or it would
    be sent and waited for without an end. Anything else may be sent again: somebody may have changed it back.
    """
    if step.settles and any(old.id == step.id and old.done for old in work.row.plan.steps):
        raise Temporary("NotVisibleYet", f"{step.kind} was accepted, but a read does not show it")
    meant = refs.resolve(step, values)
    fresh = recorded_step(step, sent=work.ports.clock.now())
    correlation = str(uuid.uuid5(_OURS, f"{work.row.id} {work.row.occurrence} {work.stored.head} {step.id}"))
    detail = {
        "step": step.id, "correlation": correlation, "resource": step.resource, "before": dict(step.before),
        "after": dict(step.after),  # with its references: the name of a key that is yet to be made is nobody's business
    }  # fmt: skip
    who = dict(work.ports.hand.identity)
    work.move(State.APPLYING, "writing", step.kind, detail, claim=work.row.claim, executor=who, plan=_with(work, fresh))
    try:
        current = _current(work.ports, meant)
        is_done = execute(work.ports, step, moves.request(meant, current), correlation)
    except (Conflict, Denied, BadInput):  # not written: whoever does it later did it, not we
        _note(work, replace(fresh, sent=None))
        raise
    if is_done:
        _note(work, replace(fresh, done=work.ports.clock.now()))
    return is_done


def _note(work: Work, step: PlannedStep) -> None:
    """Keep in hand what became of a step: the next save of the row carries it; a kill before that only asks Azure again."""
    work.stored = replace(work.stored, row=replace(work.row, plan=_with(work, step)))


def _with(work: Work, step: PlannedStep) -> RecordedPlan:
    plan = work.row.plan
    return replace(plan, steps=tuple(step if old.id == step.id else old for old in plan.steps))


def _current(ports: Ports, step: Step) -> Mapping[str, Any]:
    """Read what a write would replace once more, right before it: neither vaults nor workspaces have an ETag (AZURE 0.2, 0.5).

    Raises Conflict where somebody has changed it, Temporary while Azure is still changing it.
    """
    if step.kind == vault.RECOVER and ports.arm.read(ids.parse(step.resource)) is not None:
        raise Conflict("ChangedMeanwhile", "the vault is there again: a PUT would replace what it is now")
    if step.kind not in grant.ON_POLICIES | workspace.ON_WORKSPACE:
        return {}
    body = ports.arm.read(ids.parse(step.resource))
    if body is None:
        raise Conflict("TargetIsGone", f"{step.resource} is not there any more")
    if step.kind in grant.ON_POLICIES and not grant.is_current(step, parse.vault(body)):
        raise Conflict("ChangedMeanwhile", "somebody has changed what this would replace: it is looked at anew")
    if step.kind in workspace.ON_WORKSPACE:
        _check_workspace(step, parse.workspace(body))
    return body


def _check_workspace(step: Step, now: Workspace) -> None:
    if not now.is_settled:
        raise Temporary("StillProvisioning", f"Azure is not done with it yet ({now.provisioning})")
    if "layer" not in step.after:
        return
    key = now.layer(step.after["layer"]).key
    # After a failure Azure may show what it has not done: the same key may be asked for again, another one not.
    is_same = key is not None and (key.name, key.version) == (step.after["key"], step.after["version"])
    if now.has_failed and is_same:
        return
    if step.kind == workspace.REPOINT:
        seen = tuple(step.before[name] for name in ("vault", "key", "version"))
        if key is None or (f"https://{key.host}/", key.name, key.version) != seen:
            raise Conflict("ChangedMeanwhile", "somebody has put this layer on another key: it is looked at anew")
    elif key is not None:
        raise Conflict("ChangedMeanwhile", "somebody has put this layer on a key: it is looked at anew")
