"""Which plan a workspace is on, and whether its data asks for another. Pure.

plan                       verdict, where the data is sensitive
premium                    Compliant, serverless workspaces too: Azure names it for them as well
standard, trial            NonCompliant: a trial has Premium's features only until it ends
'', or any other word      Unknown: Azure does not say, or says what nobody knows (AZURE 1.2 names three)
"""

from shared.core import demand
from shared.core.choices import Choices
from shared.core.commands import az_premium
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Snapshot, Workspace
from shared.core.moves.workspace import PREMIUM
from shared.core.unjudged import judged, unjudged

ID = "DBX-TIER"
_LONGEST = 64  # characters of a plan's name that are shown
_OTHERS = frozenset({"standard", "trial"})


def assess(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Verdict, ...]:
    """Return the verdict on one workspace. What could not be read is Unknown."""
    said = unjudged(snapshot, memory, ID)
    return said or (_judged(judged(snapshot), memory, choices),)


def _judged(workspace: Workspace, memory: Memory, choices: Choices) -> Verdict:
    because = demand.why_sensitive(workspace, memory, choices)
    evidence = {"sku": workspace.sku[:_LONGEST], "because": because}
    if not because:
        return NotApplicable(Finding("NotSensitive", "its data is not, and was never, tagged as sensitive", evidence))
    if workspace.sku == PREMIUM:
        return Compliant(Finding("Premium", f"it is on the Premium plan; {because}", evidence))
    if not_a_plan(workspace):
        said = f"which plan it is on cannot be told: it may be from before there were plans; {because}"
        return Unknown(Finding("TierUnknown", said, evidence))
    finding = Finding("NotPremium", f"it is on the {workspace.sku} plan; {because}", evidence)
    if is_part_of_a_migration(workspace, memory, choices):
        said = f"the first step of its migration, asked for by {demand.CONTROL}, upgrades it: answer that. Nothing else to do"
        return NonCompliant(finding, stops=Finding("PartOfMigration", said))
    return NonCompliant(Finding(finding.reason, finding.message, {**evidence, "proposed": [az_premium(workspace)]}))


def not_a_plan(workspace: Workspace) -> bool:
    """Whether what Azure says of its plan says nothing to us."""
    return workspace.sku not in _OTHERS


def is_part_of_a_migration(workspace: Workspace, memory: Memory, choices: Choices) -> bool:
    """Whether the plan that moves it to keys of its own upgrades it anyway: then nobody is asked for it twice."""
    return choices.is_on(demand.CONTROL) and bool(demand.wanting(workspace, memory, choices))
