"""Somebody asks for a key: they name a workspace and say why. Vault, name and type are not theirs to choose.

It is a remediation of its own, which somebody else must approve; carried out it is by flow/supply.py. The same request
twice is one, and nobody asks for more than CMK_KEY_REQUESTS a day.
"""

from dataclasses import dataclass

from shared.core import ids, keyrequest, parse
from shared.core.control import Finding, Memory
from shared.core.decide import Decision, Kind
from shared.core.demand import CONTROL as MIGRATION
from shared.core.errors import BadInput, Refused, RowChanged
from shared.core.facts import Snapshot
from shared.core.ids import ResourceId
from shared.core.keyrequest import CONTROL, SUBJECT
from shared.core.plan import Plan, may_write
from shared.core.ports import Ports, Stored
from shared.core.record import BUSY, OPENED_BY, Remediation, State, recorded, remediation_id
from shared.core.wake import Cause
from shared.flow.approve import check_comment
from shared.flow.gather import check_settled
from shared.flow.reads import read
from shared.flow.receive import in_estate
from shared.flow.surround import surround
from shared.flow.undo import ask

_OPEN = BUSY | {State.AWAITING_APPROVAL}


@dataclass(frozen=True, slots=True)
class Plea:
    """Who asks for a key, for which workspace, why, and from which address."""

    person: str
    workspace: str
    reason: str
    origin: str = ""


def request(ports: Ports, plea: Plea) -> Stored:
    """Ask for a key. Raises Refused where there is none to be had, BadInput, Denied or Temporary.

    While the workspace has an open request that one is returned, whoever asks.
    """
    target = _target(ports, plea.workspace)
    check_comment(plea.reason)
    row_id = remediation_id(CONTROL, target.key, SUBJECT)
    before = ports.records.get(row_id)
    if before and before.row.state in _OPEN:
        return before
    if not may_write(CONTROL, ports.choices):
        raise Refused("ModeIsObserve", f"the mode of {CONTROL} is observe or off: no key is made")
    fresh = _planned(ports, target, row_id, plea)
    most, reference = ports.choices.key_requests, f"{row_id}-{before.head if before else 0}"
    if not ports.records.let_ask(plea.person, reference, most, ports.clock.now()):
        raise Refused(
            "TooManyKeyRequests",
            f"you may ask for {most} key(s) within a day (CMK_KEY_REQUESTS): wait, or ask somebody else",
        )
    try:
        return ask(ports, fresh, plea.origin, before)
    except RowChanged:  # somebody has asked for the same just now
        again = ports.records.get(row_id)
        if again and again.row.state in _OPEN:
            return again
        raise


def around_workspace(ports: Ports, target: ResourceId, memory: Memory) -> Snapshot:
    """Return what a request for a key is judged by. Raises Temporary."""
    snapshot = Snapshot(target, workspace=read(ports, target, parse.workspace))
    check_settled(snapshot)
    return surround(ports, snapshot, memory, for_a_key=True)


def is_migrating(ports: Ports, target: ResourceId, memory: Memory) -> bool:
    """Whether a migration of the workspace is under way or rests half way: the key that it has drawn must stay its own."""
    if memory.pending or memory.moving or memory.restart:
        return True
    stored = ports.records.get(remediation_id(MIGRATION, target.key, ""))
    if stored is None:
        return False
    has_failed = stored.row.state is State.FAILED and bool(stored.row.approvals)
    return stored.row.state in BUSY or has_failed


def _target(ports: Ports, workspace: str) -> ResourceId:
    target = ids.parse(workspace)
    if target.kind != ids.WORKSPACE:
        raise BadInput("NotAWorkspace", "`workspace` must be the id of a Databricks workspace: a key is asked for one")
    if not in_estate(ports, target.subscription):
        raise BadInput("OutsideEstate", f"subscription {target.subscription} is not in CMK_SUBSCRIPTIONS")
    return target


def _planned(ports: Ports, target: ResourceId, row_id: str, plea: Plea) -> Remediation:
    memory, now = ports.records.known(target).memory, ports.clock.now()
    snapshot = around_workspace(ports, target, memory)
    if is_migrating(ports, target, memory):
        raise Refused(
            "MigrationIsUnderWay", "the workspace is being migrated and gets its key by that: wait for its end"
        )
    supply = keyrequest.supply_of(snapshot, memory, ports.choices)
    vault = supply.vault.id
    if not supply.steps:
        raise Refused(
            "KeyIsUnused",
            f"the workspace has a key of its own that no layer is on, {', '.join(supply.ready)} in vault {vault.name}: put a "
            "layer on it, or delete it there, before you ask for another",
        )
    evidence = {"comment": plea.reason.strip(), "vault": str(vault)}
    said = f"a key for workspace {target.name} was asked for, in vault {vault.name}"
    asked = "a new key takes the yes of somebody who has not asked for it; its name is drawn right before it is made"
    return Remediation(
        id=row_id, control=CONTROL, target=str(target), subject=SUBJECT, state=OPENED_BY[Kind.APPROVAL],
        verdict="NonCompliant", decision=Decision(Kind.APPROVAL, "KeyIsAsked", asked),
        finding=Finding("KeyRequested", said, evidence), plan=recorded(Plan(supply.steps)), cause=Cause("person", row_id, plea.person),
        opened=now, updated=now, requester=plea.person, vault=str(vault),
    )  # fmt: skip
