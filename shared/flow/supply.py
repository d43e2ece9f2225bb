"""Carry out a request for a key: judged by no control, only by whether the key is there.

What is made is what a migration would make, by the same step: the name is drawn and put on record, the key is asked for,
and a fresh read says whether what lies under the name is ours. From then on the vault is known to hold it.
"""

from dataclasses import replace

from shared.core import ids, keyrequest
from shared.core.control import Finding
from shared.core.errors import Denied, Refused
from shared.core.plan import Plan
from shared.core.record import resolved
from shared.flow.carry import hold, standing
from shared.flow.request import around_workspace, is_migrating
from shared.flow.stage import adopt, advance, note_done
from shared.flow.work import LONGEST_DELAY, Work, wait


def supply(work: Work) -> None:
    """Work on the row of a request: one step a message, as a migration does."""
    ports, row = work.ports, work.row
    target = ids.parse(row.target)
    memory = ports.records.known(target).memory
    snapshot = around_workspace(ports, target, memory)
    memory = adopt(ports, snapshot, memory)
    try:
        found = keyrequest.supply_of(snapshot, memory, ports.choices, row)
    except Refused as error:
        raise Denied(error.reason, error.message) from error
    plan = Plan(found.steps)
    if not plan.steps:
        note_done(work, plan)
        _resolve(work, found.ready)
        return
    held = standing(work, [target, ids.parse(row.vault)])
    if held:
        hold(work, held)
    elif is_migrating(ports, target, memory):  # what it has drawn stays its own
        wait(work, ports.clock.now() + LONGEST_DELAY, "MigrationIsUnderWay")
    elif not {step.id for step in plan.steps} <= set(row.approved):
        raise Denied("PlanHasChanged", "the key would not be made as it was approved: ask for it again")
    else:
        advance(work, plan, snapshot, memory)


def _resolve(work: Work, names: tuple[str, ...]) -> None:
    row, vault = work.row, ids.parse(work.row.vault)
    said = f"the workspace has a key of its own in vault {vault.name}: {', '.join(names)}. Its next migration takes it"
    finding = Finding("KeyMade", said, {**row.finding.evidence, "keys": list(names)})
    done = resolved(replace(row, finding=finding), work.ports.clock.now())
    work.save(replace(done, remedied=()), "resolved", "Verified", {"evidence": dict(finding.evidence)})
    work.tell()
