"""Play a plan on the graph before any of it runs: what would stop working? The second line behind every planner."""

from collections.abc import Sequence
from dataclasses import replace

from shared.core.graph import NEEDED, Grant, Graph, Plane, Use
from shared.core.moves import grant as moves
from shared.core.steps import Step


def broken_by(graph: Graph | None, steps: Sequence[Step]) -> tuple[Use, ...]:
    """Return the uses that a plan breaks at any of its steps, or that it touches and leaves broken.

    What is given counts at once here: that its effect comes later is what `settles` and `not_before` are for.
    """
    if graph is None:
        return ()
    graph = graph.sure()
    was = set(graph.broken())
    seen: list[Use] = []
    for step in steps:
        graph = _after(graph, step)
        seen += [use for use in graph.broken() if use not in was]
    touched = {
        str(step.after["objectId"]) for step in steps if "keys" in step.after or step.kind == moves.POLICY_REMOVE
    }
    seen += [use for use in graph.broken() if use.principal in touched]
    return tuple(dict.fromkeys(seen))


def _after(graph: Graph, step: Step) -> Graph:
    principal = str(step.after.get("objectId") or step.after.get("principalId") or "")
    if step.kind == moves.POLICY_SET and "keys" in step.after:
        allows = frozenset(f"keys/{name.lower()}" for name in step.after["keys"])
        return _with(
            _without_policies(graph, principal), Grant("planned", Plane.POLICIES, principal, graph.vault, "own", allows)
        )
    if step.kind == moves.POLICY_REMOVE:
        return _without_policies(graph, principal)
    if step.kind == moves.ROLE_ASSIGN:
        scope = step.resource.lower()
        needed = NEEDED[Plane.ROLES] if _is_narrow(step) else frozenset[str]()
        return _with(graph, Grant("planned", Plane.ROLES, principal, scope, "own", needed))
    if step.kind == moves.ROLE_DELETE:
        return graph.without([step.resource.lower()])
    return graph


def _is_narrow(step: Step) -> bool:
    return str(step.after["roleDefinitionId"]).rsplit("/", 1)[-1] in {moves.NARROW, moves.STRICT}


def _with(graph: Graph, grant: Grant) -> Graph:
    return replace(graph, grants=(*graph.grants, grant))


def _without_policies(graph: Graph, principal: str) -> Graph:
    return graph.without(it.id for it in graph.grants if it.plane is Plane.POLICIES and it.principal == principal)
