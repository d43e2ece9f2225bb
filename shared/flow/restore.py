"""Carry out an undo: judged by no control, only by whether everything is as it was before, or as it was left.

The finding that was undone is exempted first: at no moment may an event narrow again what comes back. Roles come back
by their owner's own command, and so goes a diagnostic setting; until then the row stands as a ticket, and each sweep looks.
"""

from dataclasses import replace

from shared.core import ids, undo
from shared.core.control import Compliant, Finding
from shared.core.decide import Decision, Kind
from shared.core.errors import Denied, Refused, RowChanged, Temporary
from shared.core.facts import Snapshot
from shared.core.plan import Plan
from shared.core.record import Remediation, State, resolved
from shared.flow.carry import hold, standing, write
from shared.flow.gather import check_settled, deepen, gather, read_again
from shared.flow.look import obstacles
from shared.flow.undo import exempt
from shared.flow.work import Work

BY_HAND = Decision(
    Kind.TICKET, "UndoByHand", "the writer may not take this back: an owner runs the commands in `proposed`"
)


def restore(work: Work) -> None:
    """Work on the row of an undo."""
    ports, row = work.ports, work.row
    target = ids.parse(row.target)
    stored, memory = ports.records.get(row.undoes), ports.records.known(target).memory
    if stored is None or not undo.carried(stored.row):
        raise Denied("NothingToUndo", "what this would undo is not on record")
    snapshot = deepen(ports, gather(ports, target, memory), memory)
    check_settled(snapshot)
    if undo.is_by_hand(stored.row):
        _by_hand(work, stored.row, snapshot)
        return
    plan = _planned(stored.row, snapshot)
    held = standing(work, [snapshot.target]) or obstacles(ports, snapshot, memory, plan.steps)
    if held:
        hold(work, held)
        return
    if not {step.id for step in plan.steps} <= set(row.approved):
        raise Denied("PlanHasChanged", "what would be restored now is not what was approved: ask for the undo again")
    _exempt(work)
    write(work, plan)
    if undo.steps(stored.row, read_again(ports, snapshot, memory)):
        raise Temporary("NotVisibleYet", "the write was accepted, but a read does not show it yet")
    _resolve(work)


def _planned(original: Remediation, snapshot: Snapshot) -> Plan:
    try:
        return Plan(undo.steps(original, snapshot))
    except Refused as error:
        raise Denied(error.reason, error.message) from error


def _exempt(work: Work) -> None:
    wanted = work.row.exemption
    if wanted is None or wanted.expires <= work.ports.clock.now():
        raise Denied(
            "ExemptionIsPast", "the time until which the finding was to be exempted is over: ask for the undo again"
        )
    try:
        exempt(work.ports, work.row)
    except RowChanged as error:  # the other row's, not ours: somebody looks at it just now
        raise Temporary("OriginalIsBusy", error.message) from error


def _by_hand(work: Work, original: Remediation, snapshot: Snapshot) -> None:
    """Exempt, then wait for the owner. Asked again by the sweep, until the roles are back or the exemption has ended."""
    if undo.is_back(original, snapshot):
        _resolve(work)
        return
    if work.row.decision.reason != BY_HAND.reason:
        held = standing(work, [snapshot.target])
        if held:
            hold(work, held)
            return
    _exempt(work)
    is_news = work.row.decision.reason != BY_HAND.reason
    work.move(State.OBSERVED, "exempted", BY_HAND.reason, {}, decision=BY_HAND)
    if is_news:
        work.tell()


def _resolve(work: Work) -> None:
    row = resolved(work.row, work.ports.clock.now())
    found = Compliant(Finding("Restored", "everything is as it was before"))
    work.save(replace(row, remedied=()), "resolved", "Verified", {"evidence": dict(found.finding.evidence)})
    work.tell()
