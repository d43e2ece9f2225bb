"""Whether each layer uses the newest version of its key, and the steps that put it there. Pure.

the newest version                                   the layer
is in use, or the layer follows by itself            is fine
is younger than CMK_KEY_GRACE                        is fine for now: it is looked at anew when the grace is over
is older, and can protect a layer                    is put on it, once a person has agreed
is older, and cannot: disabled, expired, unfit       a person must put the key right first
"""

from dataclasses import dataclass
from datetime import datetime

from remediators.key_rotation.use import FAILED, Blank, Case, Use
from shared.core.control import Compliant, Finding, NonCompliant, Unknown, Verdict
from shared.core.fitness import unfit
from shared.core.moves.workspace import repoint
from shared.core.steps import Step

ASKS = (
    "putting a workspace on another version of its key is never done by itself: whoever relies on it should know when"
)
_NOTES = (
    "the version before must stay enabled for 24 hours at least after the last step; disabling it earlier can stop the workspace",
    "downtime: none; for each layer the workspace is updating for one to three minutes and cannot be changed otherwise",
    "disks that are in use move on when their machines start anew; nothing that is stored is encrypted again",
)


@dataclass(frozen=True, slots=True)
class _Stale:
    """A layer on an older version. `why_not` says why the newest cannot take its place."""

    use: Use
    step: Step | None
    why_not: str = ""


def whole(case: Case, found: tuple[Use | Blank, ...]) -> Verdict:
    """Return the verdict on the versions that the layers use."""
    blanks = [it for it in found if isinstance(it, Blank)]
    known = [it for it in found if isinstance(it, Use)]
    evidence = {"versions": [it.shown() for it in known], "untold": [it.layer.name for it in blanks]}
    stale = [it for it in (_stale(case, use) for use in known) if it]
    if stale:
        return _found(stale, {**evidence, "notes": list(_NOTES)})
    if case.workspace.has_failed:  # of what is not stale nobody can say that it is not
        return Unknown(Finding("WorkspaceHasFailed", FAILED, evidence))
    if blanks:
        return Unknown(Finding(blanks[0].finding.reason, blanks[0].finding.message, evidence))
    young = [ends for ends in (_grace(case, use) for use in known if not use.is_newest) if ends]
    if young:
        said = f"a newer version of a key was made a short while ago: it is to be in use from {min(young):%Y-%m-%d %H:%M} UTC on"
        return Compliant(Finding("NewerVersionIsYoung", said, evidence), until=min(young))
    return Compliant(Finding("NewestVersion", "every layer uses the newest version of its key", evidence))


def _stale(case: Case, use: Use) -> _Stale | None:
    is_ours = case.workspace.has_failed and use.layer.name in case.memory.moving
    if case.workspace.has_failed and not is_ours:
        return None
    # A change of ours that has failed is made anew: after it, what Azure shows of the layer is no proof.
    if not is_ours and (use.is_newest or _grace(case, use)):
        return None
    why = next(unfit(use.newest, case.now), None)
    if why:
        return _Stale(use, None, f"{why[0]}: {why[1]}")
    return _Stale(use, repoint(case.workspace, use.layer, use.newest.version))


def _grace(case: Case, use: Use) -> datetime | None:
    """Return when the grace of the version in use ends; None where it is over, or helps nobody: it would not last so long."""
    begins = use.newest.created
    ends = begins + case.choices.key_grace if begins else case.now
    is_useless = not use.used.enabled or (use.used.expires is not None and use.used.expires <= ends)
    return ends if ends > case.now and not is_useless else None


def _found(stale: list[_Stale], evidence: dict[str, object]) -> NonCompliant:
    named = ", ".join(it.use.title for it in stale)
    stuck = next((it for it in stale if it.why_not), None)
    steps = tuple(it.step for it in stale if it.step)
    said = f"on an older version of their key: {named}"
    if stuck:
        said += f"; the newest version for {stuck.use.title} cannot take its place: {stuck.why_not}"
    stops = None
    if stuck and not steps:
        todo = "enable it, or make a new version that is fit, then retry"
        stops = Finding("NewestVersionUnfit", f"the newest version of the key cannot be used ({stuck.why_not}): {todo}")
    return NonCompliant(Finding("OlderVersion", said, evidence), asks=ASKS, steps=steps, stops=stops)
