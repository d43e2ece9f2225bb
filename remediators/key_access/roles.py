"""Azure RBAC: the roles that let an identity do more than the three, and those that stand in for a narrow one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from remediators.key_access.case import MISSING, SECRETS, Case, shown
from remediators.key_access.make_before_break import NarrowFirst
from shared.core.commands import az_role_change
from shared.core.control import Verdict
from shared.core.facts import Roles
from shared.core.graph import NEEDED, SECRET_READING, Grant, Kind, Plane, Use
from shared.core.moves import grant as moves
from shared.core.steps import Step

_READING = SECRET_READING[Plane.ROLES]
_NEEDED = NEEDED[Plane.ROLES]


def assess(case: Case) -> Iterator[Verdict]:
    """Yield what there is to say of one identity: its keys, roles that carry secrets, grants out of our reach."""
    broad = [
        it
        for it in case.graph.grants
        if it.plane is Plane.ROLES and it.principal == case.principal and is_broad(case, it)
    ]
    ours = [it for it in broad if _is_in_reach(case, it)]
    asked = [it for it in ours if _carries_secrets(case, it)]
    yield _keys(case, [it for it in ours if it not in asked])
    yield _secrets(case, asked)
    yield _elsewhere(case, [it for it in broad if it not in ours])


def is_broad(case: Case, grant: Grant) -> bool:
    """Whether a grant lets more than the three. Reading secrets is what secret scopes need AzureDatabricks for."""
    tolerated = _READING if case.identity.kind is Kind.DATABRICKS else frozenset[str]()
    return bool(grant.allows - _NEEDED) and not grant.allows <= tolerated


def _is_in_reach(case: Case, grant: Grant) -> bool:
    """Whether we may take it away: given to the identity itself, at the vault or a key, plainly, in a role of our list."""
    assignment = case.assignment(grant)
    return (
        grant.via == "own"
        and moves.is_ours(case.vault.id, grant.scope)
        and assignment is not None
        and assignment.role in moves.REMOVABLE
        and assignment.principal_type.lower() == "serviceprincipal"
        and not assignment.is_conditional
        and grant.id not in case.timed
    )


def _carries_secrets(case: Case, grant: Grant) -> bool:
    """Whether somebody's secrets hang on it. Azure's own services read none."""
    return case.identity.kind in {Kind.DATABRICKS, Kind.DECLARED} and any(
        not it.startswith(("keys/", "keyrotationpolicies/")) for it in grant.allows
    )


def _keys(case: Case, broad: Sequence[Grant]) -> Verdict:
    lacking = [use for use in case.uses if case.graph.lacks(use)]
    if lacking:
        return _missing(case, lacking)
    if not broad:
        return case.fine()
    plan = NarrowFirst(case, broad)
    return case.found(
        ["RoleTooBroad"], f"holds roles that let it do more than the three: {', '.join(_named(case, broad))}",
        steps=plan.steps(), since=_since(case, broad), roles=_named(case, broad),
        beyond=sorted({word for it in broad for word in it.allows} - _NEEDED),
    )  # fmt: skip


def _missing(case: Case, lacking: Sequence[Use]) -> Verdict:
    """A role cannot help against a denial: that is for a person."""
    lacks = sorted({word for use in lacking for word in case.graph.lacks(use)})
    undenied = replace(case.graph, denials=())
    if not any(undenied.lacks(use) for use in lacking):
        names = [it.name for it in case.graph.denials]
        return case.found(
            ["DeniedByDenyAssignment"], "is denied what it needs, whatever its roles say", missing=lacks, denials=names
        )
    scopes = [case.graph.key_scope(use.key) for use in lacking] if case.choices.grant_at_key else [case.graph.vault]
    role = moves.STRICT if case.choices.strict_role else moves.NARROW
    steps = tuple(
        moves.assign_role(case.vault, scope, role, case.principal, grants=True) for scope in dict.fromkeys(scopes)
    )
    return case.found(
        ["KeyPermissionMissing"], f"lacks {', '.join(lacks)} on the keys that it is there for", steps=steps,
        asks=MISSING, missing=lacks,
    )  # fmt: skip


def _secrets(case: Case, asked: Sequence[Grant]) -> Verdict:
    if not asked:
        return case.fine("secrets")
    first: tuple[Step, ...] = ()
    kept = frozenset[str]()
    if case.identity.kind is Kind.DATABRICKS:
        rest = case.graph.without(it.id for it in asked)
        reads = any("secrets/getsecret/action" in it.allows for it in asked)
        kept = _READING if reads else kept
        if reads and not rest.held(case.principal) >= _READING:
            is_new = not case.graph.held(case.principal) >= _READING
            first = (
                moves.assign_role(case.vault, case.graph.vault, moves.SECRETS_USER, case.principal, grants=is_new),
            )
    plan = NarrowFirst(case, asked, first, kept)
    return case.found(
        ["RoleCarriesSecrets"], f"holds roles on more than keys: {', '.join(_named(case, asked))}", part="secrets",
        steps=plan.steps(), asks=SECRETS, roles=_named(case, asked),
        beyond=sorted({word for it in asked for word in it.allows} - _NEEDED),
    )  # fmt: skip


def _elsewhere(case: Case, broad: Sequence[Grant]) -> Verdict:
    if not broad:
        return case.fine("elsewhere")
    names = [
        name
        for name, applies in (
            ("InheritedRole", any(it.via == "inherited" for it in broad)),
            ("RoleByGroup", any(it.via == "group" for it in broad)),
            ("TimedRole", any(it.id in case.timed for it in broad)),
            ("RoleOutOfReach", any(it.via == "own" and it.id not in case.timed for it in broad)),
        )
        if applies
    ]
    found = [(it, case.assignment(it)) for it in broad]
    return case.found(
        names, f"holds broad roles that cmkwarden does not take away: {', '.join(_named(case, broad))}", part="elsewhere",
        roles=_named(case, broad), scopes=shown({it.scope for it in broad}),
        proposed=[az_role_change(case.vault, case.principal, it, it_via=grant.via) for grant, it in found if it],
    )  # fmt: skip


def _named(case: Case, grants: Sequence[Grant]) -> list[str]:
    roles = case.snapshot.roles
    found = [case.assignment(it) for it in grants]
    named = {role.name for it in found if it and isinstance(roles, Roles) and (role := roles.role(it))}
    return shown(named)


def _since(case: Case, broad: Sequence[Grant]) -> datetime | None:
    found = [case.assignment(it) for it in broad]
    return max((it.created for it in found if it and it.created), default=None)
