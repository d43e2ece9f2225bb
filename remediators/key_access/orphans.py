"""Identities that a workspace had once and none has now, and that may still use the keys.

Judged only where the whole estate was searched: an identity of a workspace that nobody could see is no orphan.
AzureDatabricks serves the whole tenant and never is one.
"""

from collections.abc import Iterator

from remediators.key_access.case import shown
from shared.core.control import Finding, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot, Vault
from shared.core.graph import Graph, Plane
from shared.core.moves import grant as moves
from shared.core.steps import Step

ASKS = "a workspace that cmkwarden cannot see may still use it: make sure that the workspace is gone for good"


def assess(vault: Vault, graph: Graph, snapshot: Snapshot, memory: Memory) -> Iterator[Verdict]:
    """Yield a finding for each orphan that holds anything here."""
    if not snapshot.is_complete:
        return
    used = {it.principal for it in graph.identities}
    nameless = {it.workspace.lower() for it in graph.uses if not it.principal}  # whose identity Azure does not tell now
    for once in (it for it in memory.identities if it.layer != "managedServices"):
        held = [
            it for it in graph.grants if it.principal == once.principal and it.plane is graph.plane and it.via == "own"
        ]
        if once.principal in used or once.workspace in nameless or not any(it.allows for it in held):
            continue
        used.add(once.principal)
        finding = Finding(
            "Orphan",
            f"{once.principal} was the identity of {once.layer} of {once.workspace}; no workspace names it any more, and "
            "it may still use the keys",
            {
                "principal": once.principal, "workspace": once.workspace, "layer": once.layer, "model": str(graph.plane),
                "holds": shown({word for it in held for word in it.allows}), "violations": ["Orphan"],
            },
        )  # fmt: skip
        yield NonCompliant(finding, once.principal, ASKS, steps=tuple(_steps(vault, graph, snapshot, once.principal)))


def _steps(vault: Vault, graph: Graph, snapshot: Snapshot, principal: str) -> Iterator[Step]:
    if graph.plane is Plane.POLICIES:
        yield moves.remove_policy(vault, vault.policies_of(principal), principal)
        return
    held = {it.id for it in graph.grants if it.principal == principal and it.via == "own"}
    for assignment in snapshot.assignments:
        is_ours = assignment.role in moves.REMOVABLE and moves.is_ours(vault.id, assignment.scope)
        if assignment.id in held and is_ours and not assignment.is_conditional:
            yield moves.delete_role(vault, assignment, None)
