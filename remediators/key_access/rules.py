"""What must hold of who may use the keys of a vault. Pure; the two models of access have a module each.

subject              speaks of                                              what follows
''                   the vault: could everybody be judged, who else is there  nothing, or a ticket
principal            keys, on the model the vault goes by                     by itself, where it only takes away
principal secrets    more than keys, where somebody's secrets may hang on it  asked for
principal elsewhere  grants that we never take away                           ticket
dormant              grants of the model that the vault does not go by        ticket
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from remediators.key_access import dormant, orphans, policies, roles
from remediators.key_access.case import Case, shown
from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NotApplicable, Unknown, Verdict
from shared.core.facts import Snapshot, Unreadable
from shared.core.graph import Graph, Plane, graph
from shared.core.scope import InScope, cmk_vault

ID = "KV-ACCESS"


def assess(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
    """Return every verdict on one vault, findings with their steps. What could not be read is Unknown."""
    scope = cmk_vault(snapshot, memory, choices)
    if isinstance(scope, NotApplicable):
        return scope, *(replace(scope, subject=it) for it in memory.subjects_of(ID))
    if not isinstance(scope, InScope):
        return (scope,)
    whole = graph(snapshot, memory, choices)
    unread = _unread(snapshot)
    if unread or whole is None:
        failed = unread or Unreadable("the vault", "NotAVault", "it is none")
        return (Unknown(Finding(failed.reason, f"{failed.what} could not be read: {failed.message}")),)
    cases = [Case(it, scope.vault, whole, snapshot, memory, choices, now) for it in whole.identities]
    plane = roles if whole.plane is Plane.ROLES else policies
    judged = [it for case in cases for it in plane.assess(case)]
    judged += dormant.assess(cases)
    judged += orphans.assess(scope.vault, whole, snapshot, memory)
    said = _vault(whole, snapshot, choices)
    # Where somebody could not be judged, what is not spoken of may be theirs: Unknown closes nothing (DESIGN 4).
    gone = () if isinstance(said, Unknown) else tuple(_gone(judged, snapshot, memory))
    return (said, *judged, *gone)


def _unread(snapshot: Snapshot) -> Unreadable | None:
    """Return what nobody may judge without: who uses the vault, who was declared to, and in RBAC the roles."""
    needed = (snapshot.dependants, snapshot.declared, snapshot.roles, snapshot.hindrances)
    return next((it for it in needed if isinstance(it, Unreadable)), None)


def _vault(whole: Graph, snapshot: Snapshot, choices: Choices) -> Verdict:
    evidence = {"model": str(whole.plane), "others": _others(whole, snapshot)}
    nameless = [it for it in whole.uses if not it.principal and not it.is_remembered]
    if any(it.layer == "managedServices" for it in nameless) and not choices.databricks:
        finding = Finding(
            "DatabricksPrincipalUnknown",
            "a workspace uses a key here through AzureDatabricks, whose object id in this tenant is not set "
            "(CMK_DATABRICKS_PRINCIPAL_ID): az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --query id",
            evidence,
        )
        return Unknown(finding)
    if nameless:
        layers = ", ".join(sorted({f"{it.layer} of {it.workspace}" for it in nameless})[:20])
        return Unknown(Finding("IdentityUnknown", f"Azure names no identity for {layers}", evidence))
    return Compliant(Finding("Judged", "every identity that uses a key here could be judged", evidence))


def _others(whole: Graph, snapshot: Snapshot) -> dict[str, Any]:
    """Return who else may do something here: people, groups, pipelines, backup. Evidence; they are left alone."""
    used = {it.principal for it in whole.identities}
    found = {it.principal for it in whole.grants if it.plane is whole.plane} - used
    people = sorted({it.principal_type for it in snapshot.assignments if it.principal in found})
    return {"count": len(found), "principals": shown(found), "types": people}


def _gone(judged: Sequence[Verdict], snapshot: Snapshot, memory: Memory) -> Iterator[Verdict]:
    """Yield an end for findings whose subject is not there any more. An orphan's can only be ended by the sweep."""
    said = {it.subject for it in judged} | {""}
    once = {it.principal for it in memory.identities if it.layer != "managedServices"}
    for subject in memory.subjects_of(ID):
        is_unread = subject == dormant.SUBJECT and not dormant.is_known(snapshot)
        if subject in said or is_unread or (subject.split(" ")[0] in once and not snapshot.is_complete):
            continue
        yield Compliant(Finding("SubjectIsGone", "nothing is left of what this was about"), subject)
