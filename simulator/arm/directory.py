"""The directory (Entra ID): who exists, of which type, and who is a member of which group.

Principals come from the configuration, from seeds, from providers that make identities, and from the identity fields of
every resource that is stored. A role can be given only to somebody who is here (AZURE 3.2).
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.config import Config, Person
from simulator.arm.knobs import Knobs
from simulator.arm.router import Target, fold
from simulator.arm.tokens import OWNER_ID, OWNER_UPN

TYPES = {"user": "User", "group": "Group", "serviceprincipal": "ServicePrincipal"}
USER_ASSIGNED = "microsoft.managedidentity/userassignedidentities"
DATABRICKS_APP = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # first-party application (AZURE 1.4)
KNOWN_NAMES = {DATABRICKS_APP: "AzureDatabricks"}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that can hold a role."""

    id: str  # lower case
    type: str  # User, Group or ServicePrincipal
    app_id: str = ""
    name: str = ""
    upn: str = ""
    members: tuple[str, ...] = ()  # of a group, in lower case
    managed: bool = False  # a managed identity


class Directory:
    """Everybody there is. It decides nothing."""

    def __init__(self, config: Config, clock: Clock, knobs: Knobs, changed: Callable[[], None]) -> None:
        self._clock, self._knobs, self._changed = clock, knobs, changed
        self._all: dict[str, Principal] = {}
        self._gone: set[str] = set()
        self._young: set[str] = set()
        self._circles: dict[str, tuple[str, ...]] = {}
        self._owners: dict[str, set[str]] = {}  # resource id -> principals that live and die with it
        self.settled = False  # what is seeded has always been there
        for each in config.identities:
            name = KNOWN_NAMES.get(each.client_id, each.name)
            self._keep(Principal(fold(each.principal_id), TYPES["serviceprincipal"], fold(each.client_id), name))
        for person in config.people:
            self._keep(_signer(person))
        self._keep(Principal(OWNER_ID, "User", name="Olga Owner", upn=OWNER_UPN))

    def add(self, identity: str, kind: str = "ServicePrincipal", *, app_id: str = "", name: str = "") -> None:
        """Somebody new, made by a provider: unknown to role assignments for a while (`principal_seconds`)."""
        principal = Principal(fold(identity), kind, fold(app_id), name, managed=True)
        if principal.id in self._all:
            return
        self._keep(principal)
        if self._knobs.principal_seconds > 0 and not self.settled:
            self._young.add(principal.id)
            self._clock.later(self._knobs.principal_seconds, lambda: self._young.discard(principal.id))

    def seed(self, entries: list[Any]) -> Json:
        """Take in principals as they are; `removed` takes one out. Says which were none."""
        refused = []
        for entry in entries:
            kind = TYPES.get(fold(str(entry.get("type") or "ServicePrincipal"))) if isinstance(entry, dict) else None
            if kind is None or not entry.get("id"):
                refused.append(entry)
            elif entry.get("removed"):
                self.remove(str(entry["id"]))
            else:
                self._keep(_seeded(entry, kind))
        return {"seeded": len(entries) - len(refused), "refused": refused, "principals": len(self._all)}

    def remove(self, identity: str) -> None:
        """Somebody left: their assignments stay, as of type Unknown (AZURE 3.2)."""
        key = fold(identity)
        if self._all.pop(key, None) is not None:
            self._gone.add(key)
            self._circles.clear()
            self._changed()

    def get(self, identity: str) -> Principal | None:
        """Somebody by object id."""
        return self._all.get(fold(identity))

    def by_app(self, app_id: str) -> Principal | None:
        """The service principal of an application."""
        wanted = fold(app_id)
        return next((each for each in self._all.values() if wanted and each.app_id == wanted), None)

    def __iter__(self) -> Iterator[Principal]:
        return iter(list(self._all.values()))

    def is_young(self, identity: str) -> bool:
        """Whether somebody is too new to be seen everywhere."""
        return fold(identity) in self._young

    def is_gone(self, identity: str) -> bool:
        """Whether somebody was here once."""
        return fold(identity) in self._gone

    def circle(self, identity: str) -> tuple[str, ...]:
        """Somebody, and then every group that they are in, through other groups too."""
        key = fold(identity)
        if key not in self._circles:
            self._circles[key] = self._grown(key)
        return self._circles[key]

    def put(self, target: Target, body: Json) -> None:
        """A resource is there: the identities in it exist."""
        found = list(_identities(target, body))
        for identity, app_id in found:
            self.add(identity, app_id=app_id or _application(identity), name=str(body.get("name") or target.name))
        if found:
            self._owners.setdefault(target.id, set()).update(
                fold(identity) for identity, _ in found if _is_own(target, body, identity)
            )

    def drop(self, target: Target) -> None:
        """A resource is gone, and its own identity with it."""
        for identity in self._owners.pop(target.id, ()):
            self.remove(identity)

    def _keep(self, principal: Principal) -> None:
        self._all[principal.id] = principal
        self._gone.discard(principal.id)
        self._circles.clear()
        self._changed()

    def _grown(self, key: str) -> tuple[str, ...]:
        groups = [each for each in self._all.values() if each.members]
        circle = {key}
        size = 0
        while size != len(circle):
            size = len(circle)
            circle.update(each.id for each in groups if circle.intersection(each.members))
        return (key, *sorted(circle - {key}))


def _seeded(entry: Json, kind: str) -> Principal:
    members: Iterable[Any] = entry.get("members") or ()
    name = str(entry.get("displayName") or "")
    return Principal(
        id=fold(str(entry["id"])),
        type=kind,
        app_id=fold(str(entry.get("appId") or "")),
        name=name,
        upn=str(entry.get("userPrincipalName") or (_upn(name) if kind == "User" else "")),
        members=tuple(fold(str(each)) for each in members),
        managed=bool(entry.get("managed")),
    )


def _identities(target: Target, body: Json) -> Iterator[tuple[str, str]]:
    """Object id and application id of every identity that a resource's body names."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        properties = {}
    if target.kind == USER_ASSIGNED and properties.get("principalId"):
        yield str(properties["principalId"]), str(properties.get("clientId") or "")
    own = [body.get("identity"), *(properties.get(name) for name in ("storageAccountIdentity", "managedDiskIdentity"))]
    for identity in own:
        if isinstance(identity, dict) and identity.get("principalId"):
            yield str(identity["principalId"]), ""
    held = body["identity"].get("userAssignedIdentities") if isinstance(body.get("identity"), dict) else None
    for identity in (held or {}).values() if isinstance(held, dict) else ():
        if isinstance(identity, dict) and identity.get("principalId"):
            yield str(identity["principalId"]), str(identity.get("clientId") or "")


def _application(identity: str) -> str:
    """Every service principal has an application id, told or not: Azure CLI does not list roles without it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, fold(identity)))


def _is_own(target: Target, body: Json, identity: str) -> bool:
    """Whether an identity ends with the resource: a user-assigned one that is merely attached does not."""
    held = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    attached = {str(each.get("principalId")) for each in held.values() if isinstance(each, dict)}
    return target.kind == USER_ASSIGNED or identity not in attached


def _signer(person: Person) -> Principal:
    if person.client_id:
        return Principal(fold(person.object_id), TYPES["serviceprincipal"], fold(person.client_id), person.name)
    return Principal(fold(person.object_id), TYPES["user"], name=person.name, upn=_upn(person.name))


def _upn(name: str) -> str:
    return f"{fold(name).replace(' ', '.')}@example.com" if name else ""
