"""workspace - layer - key - vault - principal - grants, as a value: who uses the keys of a vault, and what lets them.

Built from what was read, never from names (AZURE 1.4):

    layer              asks for its key as
    managed services   AzureDatabricks, one enterprise application for the whole tenant
    DBFS root          the workspace's storageAccountIdentity
    managed disks      the workspace's managedDiskIdentity
    -                  user-assigned identities that the deployment declares

Permissions are named as the plane names them: `keys/wrapkey` in a policy, `keys/wrap/action` in a role.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.core import actions
from shared.core.choices import Choices
from shared.core.control import Memory
from shared.core.facts import Assignment, Denial, Hindrances, Policy, Roles, Snapshot, Unreadable, Vault, Workspace

EVERYBODY = "00000000-0000-0000-0000-000000000000"  # in a denial (AZURE 3.2)
# What `all` stands for in a policy, by group (AZURE 2.2).
_ALL = {
    "keys": (
        "encrypt decrypt wrapkey unwrapkey sign verify get list create update import delete backup restore recover "
        "purge release rotate getrotationpolicy setrotationpolicy"
    ),
    "secrets": "get list set delete backup restore recover purge",
    "certificates": (
        "get list delete create import update managecontacts getissuers listissuers setissuers deleteissuers "
        "manageissuers recover purge backup restore"
    ),
    "storage": "get list delete set update regeneratekey recover purge backup restore setsas listsas getsas deletesas",
}


class Plane(StrEnum):
    """Which of the two models a vault goes by."""

    POLICIES = "policies"
    ROLES = "roles"


# Exactly Get, Wrap Key and Unwrap Key. `keys/read` is get and list in one; Azure knows nothing narrower (AZURE 3.1).
NEEDED = {
    Plane.POLICIES: frozenset({"keys/get", "keys/wrapkey", "keys/unwrapkey"}),
    Plane.ROLES: frozenset({"keys/read", "keys/wrap/action", "keys/unwrap/action"}),
}

# What a Key-Vault-backed secret scope needs AzureDatabricks for (AZURE 1.4, 3.1).
SECRET_READING = {
    Plane.POLICIES: frozenset({"secrets/get", "secrets/list"}),
    Plane.ROLES: frozenset({"secrets/getsecret/action", "secrets/readmetadata/action"}),
}


class Kind(StrEnum):
    """What an identity that uses keys is."""

    DATABRICKS = "AzureDatabricks"
    STORAGE = "workspace storage account"
    DISKS = "disk encryption set"
    DECLARED = "declared identity"


_KINDS = {"managedServices": Kind.DATABRICKS, "managedDisk": Kind.DISKS, "dbfsRoot": Kind.STORAGE}


@dataclass(frozen=True, slots=True)
class Use:
    """A layer of a workspace that needs a key of this vault. `is_remembered`: only our own memory says so."""

    workspace: str
    layer: str
    key: str
    principal: str
    is_remembered: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal that uses keys."""

    principal: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Grant:
    """What lets a principal do something. `scope` is an id in lower case; `via` is own, inherited or group.

    `id` is the place in the list of policies, or the assignment's id in lower case. `is_sure`: it stays until somebody
    takes it away; a group may lose its member, a timed role ends, a condition may not hold.
    """

    id: str
    plane: Plane
    principal: str
    scope: str
    via: str
    allows: frozenset[str]
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything about the keys of one vault. `plane` is the model it goes by; grants of the other are dormant."""

    vault: str
    plane: Plane
    uses: tuple[Use, ...]
    identities: tuple[Identity, ...]
    grants: tuple[Grant, ...]
    denials: tuple[Denial, ...] = ()

    def held(self, principal: str, scope: str = "") -> frozenset[str]:
        """Return what a principal may do at a scope: the vault, or one of its keys."""
        at = scope or self.vault
        given = (
            it.allows
            for it in self.grants
            if it.plane is self.plane and it.principal == principal and _covers(it.scope, at)
        )
        return frozenset().union(*given) - self._denied(principal, at)

    def lacks(self, use: Use) -> frozenset[str]:
        """Return which of the three a layer's principal does not hold on the layer's key."""
        return NEEDED[self.plane] - self.held(use.principal, self.key_scope(use.key))

    def broken(self) -> tuple[Use, ...]:
        """Return the uses that do not work, as far as grants decide."""
        return tuple(use for use in self.uses if use.principal and self.lacks(use))

    def sure(self) -> "Graph":
        """Return the graph with the grants alone that one may rely on."""
        return replace(self, grants=tuple(it for it in self.grants if it.is_sure))

    def without(self, grants: Iterable[str]) -> "Graph":
        """Return the graph as it would be if these grants went."""
        gone = set(grants)
        return replace(self, grants=tuple(it for it in self.grants if it.id not in gone))

    def stops(self, grant: Grant) -> tuple[Use, ...]:
        """Return what stops working if this grant goes."""
        before = set(self.broken())
        return tuple(use for use in self.without([grant.id]).broken() if use not in before)

    def key_scope(self, key: str) -> str:
        """Return the scope of one key, whatever its version."""
        return f"{self.vault}/keys/{key.lower()}"

    def _denied(self, principal: str, at: str) -> frozenset[str]:
        meant = (
            it
            for it in self.denials
            if _covers(it.scope, at) and it.principals & {principal, EVERYBODY} and principal not in it.excepted
        )
        return frozenset(action for it in meant for action in actions.granted(it.blocks))


def graph(snapshot: Snapshot, memory: Memory, choices: Choices) -> Graph | None:
    """Return the graph of a vault, or None where the snapshot is of none."""
    vault = snapshot.vault
    if not isinstance(vault, Vault):
        return None
    uses = tuple(_uses(vault, snapshot, memory, choices))
    identities = tuple(_identities(uses, snapshot, choices))
    denials = snapshot.hindrances.denials if isinstance(snapshot.hindrances, Hindrances) else ()
    plane = Plane.ROLES if vault.rbac else Plane.POLICIES
    return Graph(vault.id.key, plane, uses, identities, tuple(_grants(vault, snapshot)), denials if vault.rbac else ())


def _uses(vault: Vault, snapshot: Snapshot, memory: Memory, choices: Choices) -> Iterator[Use]:
    seen = () if isinstance(snapshot.dependants, Unreadable) else snapshot.dependants
    for workspace in seen:
        yield from uses_of(workspace, vault.host, choices)
    read = {workspace.id.key for workspace in seen}
    for nomination in () if snapshot.is_complete else memory.nominations:
        if nomination.workspace.lower() not in read:
            for it in nomination.layers:
                principal = it.principal or (choices.databricks if it.layer == "managedServices" else "")
                yield Use(nomination.workspace, it.layer, it.key, principal, is_remembered=True)


def uses_of(workspace: Workspace, host: str, choices: Choices) -> Iterator[Use]:
    """Yield the layers of a workspace whose key lies in the vault with this host."""
    for layer in workspace.layers:
        if layer.key and layer.key.host == host:
            principal = choices.databricks if layer.name == "managedServices" else layer.principal
            yield Use(str(workspace.id), layer.name, layer.key.name, principal)


def _identities(uses: tuple[Use, ...], snapshot: Snapshot, choices: Choices) -> Iterator[Identity]:
    kinds = {choices.databricks: Kind.DATABRICKS} if choices.databricks else {}
    for use in uses:
        if use.principal:
            kinds.setdefault(use.principal, _KINDS[use.layer])
    declared = () if isinstance(snapshot.declared, Unreadable) else sorted(snapshot.declared)
    for principal in declared:
        kinds.setdefault(principal, Kind.DECLARED)
    return (Identity(principal, kind) for principal, kind in kinds.items())


def _grants(vault: Vault, snapshot: Snapshot) -> Iterator[Grant]:
    for place, policy in enumerate(vault.policies):
        if vault.is_plain(policy):
            yield Grant(str(place), Plane.POLICIES, policy.principal, vault.id.key, "own", allowed(policy))
    if isinstance(snapshot.roles, Roles):
        for assignment in snapshot.roles.assignments:
            yield from _of_assignment(vault, snapshot, snapshot.roles, assignment)


def _of_assignment(vault: Vault, snapshot: Snapshot, roles: Roles, assignment: Assignment) -> Iterator[Grant]:
    role = roles.role(assignment)
    allows = actions.granted(role.blocks) if role else frozenset()
    if not allows:
        return
    timed = snapshot.hindrances.timed if isinstance(snapshot.hindrances, Hindrances) else frozenset[str]()
    is_sure = not assignment.is_conditional and assignment.created is not None and assignment.id not in timed
    via = "own" if _covers(vault.id.key, assignment.scope) else "inherited"
    yield Grant(assignment.id, Plane.ROLES, assignment.principal, assignment.scope, via, allows, is_sure)
    for principal, held in (roles.by_group or {}).items():
        if assignment.id in held and principal != assignment.principal:
            yield Grant(assignment.id, Plane.ROLES, principal, assignment.scope, "group", allows, is_sure=False)


def allowed(policy: Policy) -> frozenset[str]:
    """Return what a policy allows, as `keys/get`, with `all` expanded."""
    return frozenset(
        f"{group}/{name}"
        for group, names in policy.permissions.items()
        for name in (names | set(_ALL[group].split()) if "all" in names else names) - {"all"}
    )


def _covers(scope: str, at: str) -> bool:
    """Whether a scope is the place itself or lies above it. Management groups, tenants and `/` lie above everything."""
    if scope in {"", "/"} or scope.startswith("/providers/microsoft.management/managementgroups/"):
        return True
    return at == scope or at.startswith(scope + "/")
