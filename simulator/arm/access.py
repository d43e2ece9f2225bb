"""Role-based access control: who may do what, and where.

Assignments are inherited downward, from the root management group to a single key, and reach the members of groups.
A deny assignment wins over all of them. Answers are remembered until something changes, because every request asks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from simulator.arm.abac import Facts, Test
from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.config import Config
from simulator.arm.denials import Denial, Denials
from simulator.arm.directory import Directory
from simulator.arm.knobs import Knobs
from simulator.arm.rights import Role, condition
from simulator.arm.roles import BUILTIN
from simulator.arm.router import ROOT, Target, covers, fold, route
from simulator.arm.tree import Tree

ASSIGNMENTS = "microsoft.authorization/roleassignments"
DEFINITIONS = "microsoft.authorization/roledefinitions"
# The actions whose conditions depend on the request; for all others the answer of a condition never changes.
WRITE, DELETE = f"{ASSIGNMENTS}/write", f"{ASSIGNMENTS}/delete"
MOST_ANSWERS = 100_000


@dataclass(frozen=True, slots=True)
class Grant:
    """One assignment: the reason why somebody may."""

    id: str
    principal: str
    principal_type: str
    scope: str  # lower case
    role: Role
    condition: Test | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a question. Without a grant it is a no; `unmet` says that only a condition stood in the way."""

    grant: Grant | None
    denial: Denial | None = None
    unmet: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is remembered of a question: a verdict, and the grants that depend on the request."""

    verdict: Verdict
    open: tuple[tuple[Grant, tuple[Test, ...]], ...] = ()


class Access:
    """Watches the world for definitions and assignments and answers from memory."""

    def __init__(self, config: Config, clock: Clock, knobs: Knobs) -> None:
        self._clock, self._knobs, self._root = clock, knobs, fold(config.root)
        self._answers: dict[tuple[str, str, str, bool], _Answer] = {}
        self.directory = Directory(config, clock, knobs, self.forget)
        self.denials = Denials(self.forget)
        self.tree = Tree(config.root, self.forget)
        self.roles: dict[str, Role] = {each.guid: Role(each.body("")) for each in BUILTIN}
        self.settled = False  # what is seeded has always been there: no delay
        self._stored: dict[str, Json] = {}  # assignments as the world has them, by id
        self._grants: dict[str, Grant] = {}  # those that have taken effect, by id
        self._held: dict[str, dict[str, dict[str, Grant]]] = {}  # principal -> scope -> id -> grant

    def forget(self) -> None:
        """Something changed: ask anew."""
        self._answers.clear()

    def put(self, target: Target, body: Json) -> None:
        """A definition or an assignment appeared or changed."""
        if target.kind == DEFINITIONS:
            role = Role(body)
            is_new = role.guid not in self.roles
            self.roles[role.guid] = role
            self._renew(role.guid, is_new=is_new)
        elif target.kind == ASSIGNMENTS:
            self._stored[target.id] = body
            self._later(lambda: self._grant(target, body))

    def drop(self, target: Target) -> None:
        """One of them is gone. A definition in use is never dropped: Azure refuses that, and so do we."""
        if target.kind == ASSIGNMENTS:
            self._stored.pop(target.id, None)
            self._later(lambda: self._revoke(target))
        elif target.kind == DEFINITIONS:
            self.roles.pop(fold(target.name), None)
            self.forget()

    def decide(self, oid: str, action: str, scope: str, facts: Callable[[], Facts] | None = None) -> Verdict:
        """Whether a principal may do this there; `facts` is asked only when a condition depends on the request."""
        answer = self._answer(oid, action, scope, data=False)
        if not answer.open or answer.verdict.grant:
            return answer.verdict
        known = facts() if facts else Facts(fold(action))
        for grant, tests in answer.open:
            if _holds(grant, tests, known) is True:
                return Verdict(grant, answer.verdict.denial)
        return Verdict(None, unmet=True)

    def find(self, oid: str, action: str, scope: str) -> Grant | None:
        """The grant that lets a principal do this there; None is a no."""
        verdict = self.decide(oid, action, scope)
        return None if verdict.denial else verdict.grant

    def find_data(self, oid: str, action: str, scope: str) -> Grant | None:
        """The grant that lets a principal do this to data there; None is a no."""
        verdict = self._answer(oid, action, scope, data=True).verdict
        return None if verdict.denial else verdict.grant

    def reaches(self, oid: str, subscription: str) -> bool:
        """Whether any role at, above or below the subscription is the principal's: then it sees it."""
        where = fold(subscription)
        above = set(self.tree.above(where))
        scopes = (scope for each in self.directory.circle(oid) for scope in self._held.get(each, ()))
        return any(scope in above or covers(where, scope) for scope in scopes)

    def everywhere(self, oid: str, action: str) -> bool:
        """Whether the principal may do this in the whole tenant: spares asking row by row."""
        circle = self.directory.circle(oid)
        return self.find(oid, action, ROOT) is not None and not self.denials.anywhere(circle, fold(action))

    def stored(self) -> list[Json]:
        """Every assignment, whether it has taken effect or not."""
        return list(self._stored.values())

    def _answer(self, oid: str, action: str, scope: str, *, data: bool) -> _Answer:
        key = (oid, action, scope, data)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            answer = self._answers[key] = self._ask(oid, fold(action), scope, data=data)
        return answer

    def _ask(self, oid: str, action: str, scope: str, *, data: bool) -> _Answer:
        above, circle = self.tree.above(scope), self.directory.circle(oid)
        denial = self.denials.find(above, circle, action, data=data)
        still_open, unmet = [], False
        for grant in self._reaching(above, circle):
            tests = grant.role.tests(action, data=data)
            if tests is None:
                continue
            held = _holds(grant, tests, Facts(action))
            if held is True:
                return _Answer(Verdict(grant, denial))
            unmet = True
            if held is None and action in {WRITE, DELETE}:
                still_open.append((grant, tests))
        return _Answer(Verdict(None, denial, unmet), tuple(still_open))

    def _reaching(self, above: Sequence[str], circle: Sequence[str]) -> Iterator[Grant]:
        """The grants of somebody that reach a scope, the widest first."""
        for where in above:
            for each in circle:
                yield from self._held.get(each, {}).get(where, {}).values()

    def _later(self, act: Callable[[], None]) -> None:
        self._clock.later(0 if self.settled else self._knobs.propagation_seconds, act)

    def _grant(self, target: Target, body: Json) -> None:
        """An assignment takes effect, unless it was changed or taken away meanwhile."""
        if self._stored.get(target.id) is not body:
            return
        self._release(target.id)
        properties = body.get("properties") or {}
        role = self.roles.get(role_of(body))
        principal = fold(str(properties.get("principalId", "")))
        if role is None or not principal:
            return
        scope = fold(str(properties.get("scope") or target.scope)).rstrip("/") or ROOT
        grant = Grant(
            id=target.id,
            principal=principal,
            principal_type=str(properties.get("principalType") or "ServicePrincipal"),
            scope=ROOT if scope == self._root else scope,
            role=role,
            condition=condition(properties.get("condition")),
        )
        self._grants[grant.id] = grant
        self._held.setdefault(principal, {}).setdefault(grant.scope, {})[grant.id] = grant
        self.forget()

    def _revoke(self, target: Target) -> None:
        """An assignment ends, unless it was made again meanwhile."""
        if target.id not in self._stored:
            self._release(target.id)

    def _release(self, identity: str) -> None:
        grant = self._grants.pop(identity, None)
        if grant is None:
            return
        scopes = self._held[grant.principal]
        scopes[grant.scope].pop(identity)
        if not scopes[grant.scope]:
            del scopes[grant.scope]
        self.forget()

    def _renew(self, guid: str, *, is_new: bool) -> None:
        """A definition changed: so do the grants of it; assignments that were seeded before it take effect."""
        for identity, body in list(self._stored.items()):
            if role_of(body) == guid and (is_new or identity in self._grants):
                self._grant(route(identity), body)
        self.forget()


def role_of(assignment: Json) -> str:
    """The GUID of an assignment's role; what stands before it says nothing (INDEX, shape 13)."""
    return fold(str((assignment.get("properties") or {}).get("roleDefinitionId", "")).rsplit("/", 1)[-1])


def _holds(grant: Grant, tests: tuple[Test, ...], facts: Facts) -> bool | None:
    """One of the role's conditions and the assignment's own must be fulfilled; None is not to be said yet."""
    own = True if grant.condition is None else grant.condition(facts)
    by_role = [test(facts) for test in tests]
    role = True if not tests or True in by_role else None if None in by_role else False
    if own is False or role is False:
        return False
    return None if own is None or role is None else True
