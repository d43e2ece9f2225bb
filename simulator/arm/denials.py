"""Deny assignments: what nobody may do, whatever the roles say.

They are seeded, or follow from a Databricks workspace: its managed resource group lies under a system deny assignment
that leaves reading to all and everything else to the service (AZURE 1.4, Azure/migAz#266).
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from simulator.arm.answer import Json
from simulator.arm.rights import Pattern, patterns
from simulator.arm.router import Target, fold, route
from simulator.arm.world import GROUP

DENIALS = "microsoft.authorization/denyassignments"
WORKSPACES = "microsoft.databricks/workspaces"
EVERYBODY = (
    "00000000-0000-0000-0000-000000000000"  # principal of type SystemDefined: all of them [LEARN deny-assignments]
)
SERVICE = "9a74af6f-d153-4348-988a-e2672920bee9"  # the Databricks resource provider (recorded in every workspace)
# What the service's own deny assignment lists is recorded nowhere: reads are known to pass, all else is known to fail.
MANAGED = {"actions": ["*"], "notActions": ["*/read"], "dataActions": [], "notDataActions": []}


@dataclass(frozen=True, slots=True)
class Denial:
    """One deny assignment, ready to be asked."""

    body: Json
    scope: str
    here_only: bool
    principals: frozenset[str]
    excluded: frozenset[str]
    control: tuple[tuple[Pattern, Pattern], ...]
    data: tuple[tuple[Pattern, Pattern], ...]
    derived: bool = False  # it stands nowhere, but follows from a workspace

    @property
    def name(self) -> str:
        """What the refusal calls it."""
        return str((self.body.get("properties") or {}).get("denyAssignmentName", ""))

    @property
    def guid(self) -> str:
        """Its id as the refusal has it: without hyphens."""
        return str(self.body["id"]).rsplit("/", 1)[-1].replace("-", "")

    def forbids(self, circle: set[str], action: str, *, data: bool) -> bool:
        """Whether it forbids the action (lower case) to somebody with these identities, somewhere."""
        if self.excluded & circle or not (EVERYBODY in self.principals or self.principals & circle):
            return False
        return any(
            yes.fullmatch(action) and not no.fullmatch(action) for yes, no in (self.data if data else self.control)
        )


class Denials:
    """Watches the world for deny assignments and for what brings one with it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._by_source: dict[str, Denial] = {}  # id of the resource that it comes from
        self._at: dict[str, dict[str, Denial]] = {}  # scope -> source -> denial

    def put(self, target: Target, body: Json) -> None:
        """Something appeared that is a deny assignment or brings one."""
        made = _denial_of(target, body)
        old = self._by_source.get(target.id)
        if old is not None and made is not None and old.body == made.body:
            return
        self.drop(target)
        if made is not None:
            self._by_source[target.id] = made
            self._at.setdefault(made.scope, {})[target.id] = made
            self._changed()

    def drop(self, target: Target) -> None:
        """It is gone, and so is what it brought."""
        old = self._by_source.pop(target.id, None)
        if old is not None:
            del self._at[old.scope][target.id]
            self._changed()

    def find(self, above: Sequence[str], circle: Iterable[str], action: str, *, data: bool) -> Denial | None:
        """The first that forbids it, given the scopes from the tenant down to the one in question."""
        if not self._at:
            return None
        identities = set(circle)
        for scope in above:
            for denial in self._here(scope):
                reaches = not denial.here_only or scope == above[-1]
                if reaches and denial.forbids(identities, action, data=data):
                    return denial
        return None

    def anywhere(self, circle: Iterable[str], action: str) -> bool:
        """Whether any of them forbids it to somebody anywhere."""
        identities = set(circle)
        return any(each.forbids(identities, action, data=False) for each in self)

    def __iter__(self) -> Iterator[Denial]:
        """All of them, each once: a managed group and its workspace bring the same one."""
        found = [denial for scope in self._at for denial in self._here(scope)]
        return iter({fold(str(each.body["id"])): each for each in found}.values())

    def _here(self, scope: str) -> list[Denial]:
        """Those at a scope; the derived one steps back where the service's own is stored."""
        found = list(self._at.get(scope, {}).values())
        own = any(not each.derived and _is_system(each.body) for each in found)
        return [each for each in found if not (own and each.derived)]


def _denial_of(target: Target, body: Json) -> Denial | None:
    if target.kind == DENIALS:
        return _compiled(body)
    if target.kind == GROUP and route(str(body.get("managedBy") or "/")).kind == WORKSPACES:
        return _compiled(managed_body(str(body["id"]), str(body["managedBy"])), derived=True)
    if target.kind == WORKSPACES:
        properties = body.get("properties")  # a seeded one may be anything
        group = properties.get("managedResourceGroupId") if isinstance(properties, dict) else None
        return _compiled(managed_body(str(group), str(body["id"])), derived=True) if group else None
    return None


def managed_body(group: str, workspace: str) -> Json:
    """The deny assignment that Databricks lays on a workspace's managed group, as GET shows it."""
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, fold(f"{group}|deny")))
    return {
        "properties": {
            "denyAssignmentName": f"System deny assignment created by Azure Databricks {workspace}",
            "description": "",
            "permissions": [MANAGED],
            "scope": group,
            "doNotApplyToChildScopes": False,
            "principals": [{"id": EVERYBODY, "type": "SystemDefined"}],
            "excludePrincipals": [{"id": SERVICE, "type": "ServicePrincipal"}],
            "isSystemProtected": True,
        },
        "id": f"{group}/providers/Microsoft.Authorization/denyAssignments/{name}",
        "type": "Microsoft.Authorization/denyAssignments",
        "name": name,
    }


def _is_system(body: Json) -> bool:
    return bool((body.get("properties") or {}).get("isSystemProtected"))


def _compiled(body: Json, *, derived: bool = False) -> Denial:
    properties = body.get("properties") or {}
    permissions = properties.get("permissions") or []
    scope = properties.get("scope") or route(str(body["id"])).scope
    return Denial(
        body=body,
        scope=fold(str(scope)).rstrip("/") or "/",
        here_only=bool(properties.get("doNotApplyToChildScopes")),
        principals=_ids(properties.get("principals")),
        excluded=_ids(properties.get("excludePrincipals")),
        control=tuple((patterns(each.get("actions")), patterns(each.get("notActions"))) for each in permissions),
        data=tuple((patterns(each.get("dataActions")), patterns(each.get("notDataActions"))) for each in permissions),
        derived=derived,
    )


def _ids(principals: list[Json] | None) -> frozenset[str]:
    return frozenset(fold(str(each.get("id", ""))) for each in principals or [])
