"""An Azure of access for pure tests: vaults with policies and role assignments, which obeys the requests of the product.

Written from AZURE 2.2 and 3.2, not from the product: `replace` sets one entry, `add` merges, `remove` takes away; an
assignment that is there already is refused, one that is gone is as good as deleted. What somebody may do here is
worked out by rules of its own, so that the product's graph has somebody to disagree with.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from shared.core.ids import ResourceId
from shared.core.steps import Request

TENANT = "7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00"
DATABRICKS = "d0000001-0000-4000-8000-000000000001"
OLD = "2026-01-01T00:00:00.0000000Z"
KEY = "Microsoft.KeyVault/vaults/keys/"
THREE = {KEY + "read", KEY + "wrap/action", KEY + "unwrap/action"}

NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
READER = "21090545-7ca7-4776-b22c-e363652d74d2"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
CUSTOM = "c0000001-0000-4000-8000-00000000000c"
_DATA: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    NARROW: ([KEY + "read", KEY + "wrap/action", KEY + "unwrap/action"], []),
    CRYPTO_USER: (
        [KEY + verb for verb in ("read", "update/action", "backup/action", "encrypt/action", "decrypt/action",
                                 "wrap/action", "unwrap/action", "sign/action", "verify/action")], []),
    CRYPTO_OFFICER: ([KEY + "*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"], []),
    ADMINISTRATOR: (["Microsoft.KeyVault/vaults/*"], []),
    READER: (["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"], []),
    SECRETS_USER: (["Microsoft.KeyVault/vaults/secrets/getSecret/action", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"], []),
    CONTRIBUTOR: ([], []),
    CUSTOM: ([KEY + "*"], [KEY + "purge/action"]),
}  # fmt: skip
ROLES = tuple(_DATA)


def definition(guid: str) -> dict[str, Any]:
    """Return the body of a role definition."""
    data, exceptions = _DATA[guid]
    block = {"actions": [], "notActions": [], "dataActions": list(data), "notDataActions": list(exceptions)}
    kind = "CustomRole" if guid == CUSTOM else "BuiltInRole"
    return {
        "id": f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "properties": {"roleName": f"role {guid[:8]}", "type": kind, "permissions": [block]},
    }


def policy(principal: str, keys: Iterable[str] = (), secrets: Iterable[str] = (), **more: Any) -> dict[str, Any]:
    """Return an access policy; `more` are further fields, or further groups of permissions."""
    groups: dict[str, Any] = {name: more.pop(name) for name in ("certificates", "storage") if name in more}
    permissions = {"keys": list(keys), "secrets": list(secrets), **groups}
    return {"tenantId": TENANT, "objectId": principal, "permissions": permissions, **more}


def assignment(scope: str, principal: str, role: str, *, name: str, created: str = OLD, **more: Any) -> dict[str, Any]:
    """Return the body of a role assignment."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "properties": {
            "roleDefinitionId": f"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "principalId": principal, "principalType": "ServicePrincipal", "scope": scope, "createdOn": created, **more,
        },
    }  # fmt: skip


@dataclass
class Access:
    """One vault's body and the role assignments that reach it. Serves the port `Grants` and obeys writes."""

    vault: dict[str, Any]
    assigned: list[dict[str, Any]] = field(default_factory=list)
    lock_bodies: list[dict[str, Any]] = field(default_factory=list)
    denial_bodies: list[dict[str, Any]] = field(default_factory=list)
    schedule_bodies: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, set[str]] = field(default_factory=dict)  # principal -> groups
    calls: list[str] = field(default_factory=list)

    def assignments(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        del vault
        self.calls.append("assignments")
        return json.loads(json.dumps(self.assigned))  # type: ignore[no-any-return]

    def assigned_to(self, vault: ResourceId, principal: str) -> Sequence[Mapping[str, Any]]:
        holders = {principal, *self.members.get(principal, ())}
        return [it for it in self.assignments(vault) if it["properties"]["principalId"] in holders]

    def definitions(self, vault: ResourceId, roles: frozenset[str]) -> Sequence[Mapping[str, Any]]:
        del vault
        self.calls.append("definitions")
        return [definition(role) for role in sorted(roles) if role in _DATA]

    def denials(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        del vault
        return self.denial_bodies

    def schedules(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        del vault
        return self.schedule_bodies

    def listed(self, kind: str, subscription: str, wanted: str = "") -> Sequence[Mapping[str, Any]]:
        del subscription, wanted
        self.calls.append(f"list {kind}")
        found = {"roleAssignments": self.assigned, "denyAssignments": self.denial_bodies, "roleDefinitions": []}
        return json.loads(json.dumps(found[kind]))  # type: ignore[no-any-return]

    def locks(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        del vault
        self.calls.append("locks")
        return self.lock_bodies

    def obey(self, request: Request, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        """Carry out one write as Azure does."""
        if request.below.startswith("/accessPolicies/"):
            for entry in request.body["properties"]["accessPolicies"]:
                self._policies(request.below.rsplit("/", 1)[1], json.loads(json.dumps(entry)))
            return
        path = request.path + request.below
        if request.method == "DELETE":
            self.assigned = [it for it in self.assigned if it["id"].lower() != path.lower()]
            return
        scope, _, name = path.partition("/providers/Microsoft.Authorization/roleAssignments/")
        sent = request.body["properties"]
        role = sent["roleDefinitionId"].rsplit("/", 1)[1]
        made = assignment(scope, sent["principalId"], role, name=name, created=now.isoformat())
        if not any(_same(it, made) for it in self.assigned):
            self.assigned.append(made)

    def _policies(self, verb: str, entry: dict[str, Any]) -> None:
        entries: list[dict[str, Any]] = self.vault["properties"].setdefault("accessPolicies", [])
        own = [it for it in entries if _entry(it) == _entry(entry)]
        if verb == "replace" or not own:
            made: dict[str, Any] | None = entry if verb != "remove" else None
        else:
            made = {**own[0], "permissions": _merged(own[0]["permissions"], entry["permissions"], verb)}
            made = made if any(made["permissions"].values()) else None
        at = entries.index(own[0]) if own else len(entries)
        rest = [it for it in entries if _entry(it) != _entry(entry)]
        self.vault["properties"]["accessPolicies"] = rest[:at] + ([made] if made else []) + rest[at:]

    def may(self, principal: str, key: str = "", *, settled_by: datetime | None = None) -> set[str]:
        """Return what a principal may do with a key, or at the vault: names of the plane that counts, in lower case.

        Role assignments made later than `settled_by` do not count: they have not taken effect.
        """
        properties = self.vault["properties"]
        if not properties.get("enableRbacAuthorization"):
            own = [it for it in properties.get("accessPolicies") or [] if _entry(it) == (TENANT, principal.lower(), "")]
            return {
                f"{group}/{word.lower()}" for it in own for group, words in it["permissions"].items() for word in words
            }
        at = self.vault["id"].lower() + (f"/keys/{key.lower()}" if key else "")
        holders = {principal.lower(), *self.members.get(principal, ())}
        found: set[str] = set()
        for it in self.assigned:
            own_scope = it["properties"]["scope"].lower()
            made = datetime.fromisoformat(it["properties"]["createdOn"].replace(".0000000Z", "+00:00"))
            counts = settled_by is None or made <= settled_by
            if (
                counts
                and it["properties"]["principalId"].lower() in holders
                and (at == own_scope or at.startswith(own_scope + "/"))
            ):
                found |= actions(it["properties"]["roleDefinitionId"].rsplit("/", 1)[1])
        return found


@cache
def actions(role: str) -> frozenset[str]:
    """Return what a role lets its holder do."""
    data, exceptions = _DATA[role]
    return frozenset(it for it in _KNOWN if _meets(it, data) and not _meets(it, exceptions))


# Every data action that some role of these tests, or a wildcard in one, can mean.
_KNOWN = tuple(
    f"Microsoft.KeyVault/vaults/{word}"
    for word in [
        "keys/read",
        "keys/update/action",
        "keys/backup/action",
        "keys/encrypt/action",
        "keys/decrypt/action",
        "keys/wrap/action",
        "keys/unwrap/action",
        "keys/sign/action",
        "keys/verify/action",
        "keys/purge/action",
        "keys/delete",
        "keys/create/action",
        "keys/release/action",
        "keys/rotate/action",
        "keyrotationpolicies/read",
        "keyrotationpolicies/write",
        "secrets/getSecret/action",
        "secrets/readMetadata/action",
        "secrets/setSecret/action",
        "secrets/delete",
        "certificates/read",
        "certificates/delete",
        "storageaccounts/read",
    ]
)


def _meets(action: str, patterns: Sequence[str]) -> bool:
    return any(_fits(pattern.lower(), action.lower()) for pattern in patterns)


def _fits(pattern: str, action: str) -> bool:
    if "*" not in pattern:
        return pattern == action
    head, tail = pattern.split("*", 1)
    return action.startswith(head) and any(_fits(tail, action[at:]) for at in range(len(head), len(action) + 1))


def _entry(it: Mapping[str, Any]) -> tuple[str, str, str]:
    return it["tenantId"].lower(), it["objectId"].lower(), (it.get("applicationId") or "").lower()


def _merged(old: Mapping[str, list[str]], sent: Mapping[str, list[str]], verb: str) -> dict[str, list[str]]:
    named = {group: {word.lower() for word in sent.get(group) or []} for group in {*old, *sent}}
    if verb == "remove":
        return {group: [word for word in words if word.lower() not in named[group]] for group, words in old.items()}
    had = {group: {word.lower() for word in old.get(group) or []} for group in named}
    return {
        group: [*(old.get(group) or []), *(word for word in sent.get(group) or [] if word.lower() not in had[group])]
        for group in named
    }


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    def words(it: Mapping[str, Any]) -> tuple[str, ...]:
        own = it["properties"]
        return own["principalId"].lower(), own["roleDefinitionId"].rsplit("/", 1)[1].lower(), own["scope"].lower()

    return words(one) == words(other)
