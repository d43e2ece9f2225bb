"""What must hold of the keys of a workspace. Pure.

subject    speaks of                                                   what follows
''         layers without a customer-managed key; a migration          asked for, or a ticket while something stops it
a layer    what is wrong with the customer-managed key that it has     ticket
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from remediators.workspace_cmk import layers, plan, preflight
from remediators.workspace_cmk.case import Case, Standing, State
from shared.core import demand
from shared.core.choices import TITLES, Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Snapshot
from shared.core.keyvaults import eligible, proposed
from shared.core.unjudged import judged, unjudged

ID = demand.CONTROL
ASKS = "moving a workspace to another key is never done by itself: two of its layers can never go back"
_NOTES = (
    (
        "downtime: none for what runs; the workspace is updating for one to three minutes for each of its steps, and "
        "cannot be changed otherwise meanwhile. From the disks' step until their grant takes effect no new cluster starts"
    ),
    "restart: disks of running clusters, pools and SQL warehouses stay under the platform key until these are restarted",
    "cost: each use of the key is billed by Key Vault; Premium costs more for each DBU than Standard",
    "from then on the data is readable only while the key is: whoever deletes or disables it stops the workspace",
)


def assess(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
    """Return every verdict on one workspace. What could not be read is Unknown."""
    said = unjudged(snapshot, memory, ID)
    if said:
        return said
    case = Case(judged(snapshot), snapshot, memory, choices, now)
    states = layers.assess(case)
    return _whole(case, states), *_each(states)


def _whole(case: Case, states: tuple[State, ...]) -> Verdict:
    evidence: dict[str, Any] = {"layers": [it.shown() for it in states], "in_scope_because": case.because}
    if case.targets or plan.unfinished(case):
        return _migration(case, states, evidence)
    left = plan.steps(case)
    if left:
        said = "its disks are on a new key; whatever runs was started before that: restart it, then confirm"
        finding = Finding("ComputeNotRestarted", said, evidence)
        return NonCompliant(finding, asks=ASKS, since=case.memory.restart, steps=left)
    asked_for = [it for it in states if it.layer in case.choices.layers and case.because]
    unknown = next((it for it in asked_for if it.standing is Standing.UNKNOWN), None)
    if unknown:
        said = f"{TITLES[unknown.layer]}: {unknown.finding.message}"
        return Unknown(Finding(unknown.finding.reason, said, evidence))
    if not case.because:
        return NotApplicable(Finding("NotRequired", "no rule asks for customer-managed keys here", evidence))
    if any(it.standing is Standing.DEFECT for it in states):
        said = "no layer is under a platform key; what is wrong with a key is a finding of its layer"
        return NotApplicable(Finding("NothingToMigrate", said, evidence))
    return Compliant(
        Finding("OnCustomerKeys", "every layer that must be is under a sound customer-managed key", evidence)
    )


def _migration(case: Case, states: tuple[State, ...], evidence: dict[str, Any]) -> Verdict:
    checks = preflight.checks(case) if case.targets else ()
    reasons = {it.finding.reason for it in states if it.layer in case.targets}
    named = ", ".join(TITLES[it] for it in case.targets)
    said = (
        f"{len(case.targets)} of {sum(it.standing is not Standing.EXCLUDED for it in states)} layers are under a platform "
        f"key: {named}; {case.because}"
        if case.targets
        else "its disks are on a new key that their identity may not use yet: no new cluster starts"
    )
    reason = "NeedsPremium" if "NeedsPremium" in reasons else "PlatformKey" if case.targets else "DisksWithoutGrant"
    evidence |= {
        "beyond": list(case.targets),  # what an exemption of this finding covers
        "preflight": [it.shown() for it in checks],
        "vault": str(case.at.target) if case.at else "",
        "proposed_vault": proposed(case.workspace, case.choices),
        "eligible": eligible(case.snapshot, case.workspace, case.choices),
        "notes": list(_NOTES),
    }
    finding = Finding(reason, said, evidence)
    return NonCompliant(finding, asks=ASKS, steps=plan.steps(case), stops=preflight.stops(checks))


def _each(states: tuple[State, ...]) -> Iterator[Verdict]:
    """Yield a verdict for each layer on the key that it has. What is unknown is said of the whole, and closes nothing."""
    for it in states:
        if it.standing is Standing.DEFECT:
            yield NonCompliant(
                Finding(it.finding.reason, f"{TITLES[it.layer]}: {it.finding.message}", it.finding.evidence), it.layer
            )
        elif it.standing is Standing.SOUND:
            yield Compliant(it.finding, it.layer)
        elif it.standing is not Standing.UNKNOWN:
            yield NotApplicable(it.finding, it.layer)
