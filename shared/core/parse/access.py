"""Access policies, role assignments, definitions, denials and locks -> facts. Shapes: AZURE 2.1, 3.1 and 3.2."""

from collections.abc import Iterable

from shared.core.facts.access import Actions, Assignment, Denial, Lock, Policy, Role
from shared.core.parse import wire
from shared.core.parse.wire import Json

GROUPS = ("keys", "secrets", "certificates", "storage")


def policies(properties: Json) -> tuple[Policy, ...]:
    """Read the access policies of a vault, in their order."""
    return tuple(_policy(entry) for entry in wire.rows(properties, "accessPolicies"))


def _policy(entry: Json) -> Policy:
    permissions = wire.obj(entry, "permissions")
    return Policy(
        tenant=wire.text(entry, "tenantId").lower(),
        principal=wire.text(entry, "objectId").lower(),
        application=wire.text(entry, "applicationId").lower(),
        permissions={group: frozenset(word.lower() for word in wire.words(permissions, group)) for group in GROUPS},
        raw=entry,
    )


def assignments(bodies: Iterable[Json]) -> tuple[Assignment, ...]:
    """Read role assignments."""
    return tuple(_assignment(body, wire.obj(body, "properties")) for body in bodies)


def _assignment(body: Json, properties: Json) -> Assignment:
    path = wire.text(body, "id")
    scope = wire.text(properties, "scope") or path.lower().rsplit("/providers/microsoft.authorization/", 1)[0]
    return Assignment(
        path=path,
        scope=scope.lower().rstrip("/"),
        role=_last(wire.text(properties, "roleDefinitionId")),
        principal=wire.text(properties, "principalId").lower(),
        principal_type=wire.text(properties, "principalType"),
        created=wire.instant(properties, "createdOn"),
        is_conditional=bool(
            wire.text(properties, "condition") or wire.text(properties, "delegatedManagedIdentityResourceId")
        ),
        raw=properties,
    )


def definitions(bodies: Iterable[Json]) -> dict[str, Role]:
    """Read role definitions, by GUID."""
    found = (_definition(body, wire.obj(body, "properties")) for body in bodies)
    return {role.guid: role for role in found}


def _definition(body: Json, properties: Json) -> Role:
    return Role(
        guid=_last(wire.text(body, "id")),
        name=wire.text(properties, "roleName"),
        is_custom=wire.text(properties, "type").lower() == "customrole",
        blocks=_blocks(properties),
    )


def denials(bodies: Iterable[Json]) -> tuple[Denial, ...]:
    """Read deny assignments."""
    return tuple(_denial(wire.obj(body, "properties")) for body in bodies)


def _denial(properties: Json) -> Denial:
    def principals(field: str) -> frozenset[str]:
        return frozenset(wire.text(it, "id").lower() for it in wire.rows(properties, field))

    return Denial(
        name=wire.text(properties, "denyAssignmentName"),
        scope=wire.text(properties, "scope").lower().rstrip("/"),
        principals=principals("principals"),
        excepted=principals("excludePrincipals"),
        blocks=_blocks(properties),
    )


def locks(bodies: Iterable[Json]) -> tuple[Lock, ...]:
    """Read management locks."""
    return tuple(_lock(body, wire.obj(body, "properties")) for body in bodies)


def _lock(body: Json, properties: Json) -> Lock:
    scope = wire.text(body, "id").lower().rsplit("/providers/microsoft.authorization/", 1)[0]
    return Lock(wire.text(body, "name"), wire.text(properties, "level"), scope)


def timed(bodies: Iterable[Json]) -> frozenset[str]:
    """Return the ids, in lower case, of the assignments that end by themselves or were activated for a while."""
    found = [wire.obj(body, "properties") for body in bodies]
    return frozenset(
        wire.text(it, "originRoleAssignmentId").lower()
        for it in found
        if wire.text(it, "endDateTime") or wire.text(it, "assignmentType").lower() == "activated"
    )


def _blocks(properties: Json) -> tuple[Actions, ...]:
    return tuple(
        Actions(wire.words(block, "dataActions"), wire.words(block, "notDataActions"))
        for block in wire.rows(properties, "permissions")
    )


def _last(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1].lower()
