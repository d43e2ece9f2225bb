"""Role-based access control: who may do what, and where.

Assignments are inherited downward, from the root management group to a single key. A role allows an action when one
of its permissions lists it and does not take it back; `*` stands for any run of characters, case does not count.
ABAC conditions, groups and deny assignments are not imitated.
"""

import re
from dataclasses import dataclass

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.knobs import Knobs
from simulator.arm.roles import BUILTIN
from simulator.arm.router import ROOT, Target, covers, fold

ASSIGNMENTS = "microsoft.authorization/roleassignments"
DEFINITIONS = "microsoft.authorization/roledefinitions"


class Role:
    """What one definition allows, with a memory of the questions it was asked."""

    def __init__(self, body: Json) -> None:
        properties = body.get("properties") or {}
        self.guid = str(body["id"]).rsplit("/", 1)[-1].lower()
        self.name = str(properties.get("roleName", ""))
        self._rules = [
            (_patterns(each.get("actions")), _patterns(each.get("notActions")))
            for each in properties.get("permissions") or []
        ]
        self._data_rules = [
            (_patterns(each.get("dataActions")), _patterns(each.get("notDataActions")))
            for each in properties.get("permissions") or []
        ]
        self._answers: dict[str, bool] = {}

    def allows(self, action: str) -> bool:
        """Whether the control-plane action (lower case) is in it."""
        if action not in self._answers:
            self._answers[action] = any(yes.fullmatch(action) and not no.fullmatch(action) for yes, no in self._rules)
        return self._answers[action]

    def allows_data(self, action: str) -> bool:
        """Whether the data-plane action (lower case) is in it."""
        return any(yes.fullmatch(action) and not no.fullmatch(action) for yes, no in self._data_rules)


@dataclass(frozen=True, slots=True)
class Grant:
    """One assignment: the reason why somebody may."""

    id: str
    principal: str
    principal_type: str
    scope: str  # lower case
    role: Role


class Access:
    """Watches the world for definitions and assignments and answers from memory."""

    def __init__(self, clock: Clock, knobs: Knobs, root: str) -> None:
        self._clock, self._knobs, self._root = clock, knobs, root.lower()
        self.roles: dict[str, Role] = {}
        for each in BUILTIN:
            self.roles[each.guid] = Role(each.body(""))
        self._grants: dict[str, dict[str, Grant]] = {}
        self._owner_of: dict[str, str] = {}  # assignment id -> principal

    def put(self, target: Target, body: Json) -> None:
        """A definition or an assignment appeared or changed."""
        if target.kind == DEFINITIONS:
            role = Role(body)
            self.roles[role.guid] = role
        elif target.kind == ASSIGNMENTS:
            self._clock.later(self._knobs.role_seconds, lambda: self._grant(target, body))

    def drop(self, target: Target) -> None:
        """One of them is gone. A definition in use is never dropped: Azure refuses that, and so do we."""
        if target.kind == ASSIGNMENTS:
            principal = self._owner_of.pop(target.id, "")
            self._grants.get(principal, {}).pop(target.id, None)
        elif target.kind == DEFINITIONS:
            self.roles.pop(target.name.lower(), None)

    def find(self, oid: str, action: str, scope: str) -> Grant | None:
        """The grant that lets a principal do this there; None is a no."""
        asked, where = action.lower(), scope.lower()
        for grant in self._grants.get(oid.lower(), {}).values():
            if covers(grant.scope, where) and grant.role.allows(asked):
                return grant
        return None

    def find_data(self, oid: str, action: str, scope: str) -> Grant | None:
        """The grant that lets a principal do this to data there; None is a no."""
        asked, where = fold(action), fold(scope)
        for grant in self._grants.get(fold(oid), {}).values():
            if covers(grant.scope, where) and grant.role.allows_data(asked):
                return grant
        return None

    def reaches(self, oid: str, subscription: str) -> bool:
        """Whether any role at, above or below the subscription is the principal's: then it sees it."""
        where = subscription.lower()
        return any(
            covers(grant.scope, where) or covers(where, grant.scope)
            for grant in self._grants.get(oid.lower(), {}).values()
        )

    def everywhere(self, oid: str, action: str) -> bool:
        """Whether the principal may do this in the whole tenant: spares asking row by row."""
        return self.find(oid, action, ROOT) is not None

    def _grant(self, target: Target, body: Json) -> None:
        properties = body.get("properties") or {}
        role = self.roles.get(str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower())
        principal = str(properties.get("principalId", "")).lower()
        if role is None or not principal:
            return
        scope = str(properties.get("scope") or target.scope).lower().rstrip("/") or ROOT
        grant = Grant(
            id=target.id,
            principal=principal,
            principal_type=str(properties.get("principalType") or "ServicePrincipal"),
            scope=ROOT if scope == self._root else scope,
            role=role,
        )
        self._owner_of[target.id] = principal
        self._grants.setdefault(principal, {})[target.id] = grant


def _patterns(actions: list[str] | None) -> re.Pattern[str]:
    """One expression for a list of actions with wildcards; an empty list matches nothing."""
    alternatives = [re.escape(each.lower()).replace(r"\*", ".*") for each in actions or []]
    return re.compile("|".join(alternatives) if alternatives else r"(?!)", re.DOTALL)
