"""The order in which a broad role goes: first the narrow one, then time to take effect, then the broad one.

A role is listed at once and takes effect up to ten minutes later, which nobody can see from ARM (AZURE 3.2). So the
narrow one must be CMK_RBAC_SETTLE old before anything relies on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remediators.key_access.case import Case
from shared.core.graph import NEEDED, Grant, Graph, Plane
from shared.core.moves import grant as moves
from shared.core.steps import Step

_NEEDED = NEEDED[Plane.ROLES]


@dataclass(frozen=True, slots=True)
class NarrowFirst:
    """Take `broad` away from the identity of a case.

    `first` are steps that must come before; `kept` is what the identity must go on holding at the vault besides.
    """

    case: Case
    broad: Sequence[Grant]
    first: tuple[Step, ...] = ()
    kept: frozenset[str] = frozenset()

    def steps(self) -> tuple[Step, ...]:
        """Return narrow assignments where they are missing, then the deletions.

        Nothing where Azure would refuse the narrow role because it is there already, and cannot be relied on (timed,
        conditional): one principal has one role at one place once. That is for a person.
        """
        relied_on, broad = self._relied_on(), [self.case.assignment(it) for it in self.broad]
        gone = tuple(moves.delete_role(self.case.vault, it, relied_on) for it in broad if it)
        narrow = tuple(self._narrow())
        if any(self._is_there(step) for step in (*self.first, *narrow)):
            return ()
        return (*self.first, *narrow, *gone)

    def _is_there(self, step: Step) -> bool:
        role = str(step.after["roleDefinitionId"]).rsplit("/", 1)[-1]
        there = ((it.principal, it.role, it.scope) for it in self.case.snapshot.assignments)
        return (self.case.principal, role, step.resource.lower()) in there

    def _rest(self) -> Graph:
        """Return what may be relied on afterwards. Never another broad role: that one may go at the same time as these."""
        graph, principal = self.case.graph.sure(), self.case.principal
        broad = [it.id for it in graph.grants if it.principal == principal and it.allows - _NEEDED - self.kept]
        return graph.without([*broad, *(it.id for it in self.broad)])

    def _narrow(self) -> Iterator[Step]:
        """Yield a narrow role for each place where the three are held now and would not be without the broad ones."""
        rest, principal = self._rest(), self.case.principal
        role = moves.STRICT if self.case.choices.strict_role else moves.NARROW
        for scope in self._scopes():
            if self.case.graph.held(principal, scope) >= _NEEDED and not rest.held(principal, scope) >= _NEEDED:
                planned = Grant("planned", Plane.ROLES, principal, scope, "own", _NEEDED)
                rest = replace(rest, grants=(*rest.grants, planned))
                yield moves.assign_role(self.case.vault, scope, role, principal, grants=False)

    def _scopes(self) -> list[str]:
        """Return where the broad roles were given, and the keys in use. By setting each key in use stands for the vault.

        A key that was in use once counts as one: it must stay usable for a day at least (AZURE 1.8).
        """
        keys = [self.case.graph.key_scope(key) for key in (*(use.key for use in self.case.needs), *self._once())]
        given = sorted({it.scope for it in self.broad}, key=len)
        if self.case.choices.grant_at_key and keys:
            given = [scope for scope in given if scope != self.case.graph.vault]
        return list(dict.fromkeys([*given, *keys]))

    def _once(self) -> Iterator[str]:
        """Yield the keys that the identity was seen to use, or that a workspace named for it."""
        memory, principal = self.case.memory, self.case.principal
        yield from (it.key for it in memory.identities if it.principal == principal and it.key)
        for nomination in memory.nominations:
            for it in nomination.layers:
                named = self.case.choices.databricks if it.layer == "managedServices" else it.principal
                if named == principal:
                    yield it.key

    def _relied_on(self) -> datetime | None:
        """Return from when on all that works now works without the broad roles; None where nothing relies on a young one."""
        rest, principal = self._rest(), self.case.principal
        helpful = [
            (made.created, it)
            for it in rest.grants
            if it.plane is Plane.ROLES
            and it.principal == principal
            and it.allows & (_NEEDED | self.kept)
            and (made := self.case.assignment(it))
            and made.created
        ]
        bare = rest.without(it.id for _, it in helpful)
        for created, grant in sorted(helpful, key=lambda it: it[0]):
            if self._works(bare):
                break
            bare = replace(bare, grants=(*bare.grants, grant))
            if self._works(bare):
                return created + self.case.choices.settle
        return None

    def _works(self, graph: Graph) -> bool:
        """Whether the identity still holds the three wherever it does now, and what else it must keep."""
        now, principal = self.case.graph, self.case.principal
        scopes = [scope for scope in self._scopes() if now.held(principal, scope) >= _NEEDED]
        keeps = self.kept <= graph.held(principal)
        return keeps and all(graph.held(principal, scope) >= _NEEDED for scope in scopes)
