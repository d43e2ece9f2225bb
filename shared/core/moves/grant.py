"""Steps on grants: one access policy, one role assignment. Never a list of policies: Azure would replace it whole.

The narrow role must take effect before the broad one goes (AZURE 3.2): the first is marked `settles`, the second
carries the time before which it must not run.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.facts.access import Assignment, Policy
from shared.core.facts.vault import Vault
from shared.core.ids import ResourceId
from shared.core.parse.access import GROUPS
from shared.core.steps import Request, Step

POLICY_SET = "policy.set"
POLICY_REMOVE = "policy.remove"
ROLE_ASSIGN = "role.assign"
ROLE_DELETE = "role.delete"
ON_POLICIES = frozenset({POLICY_SET, POLICY_REMOVE})
ON_ROLES = frozenset({ROLE_ASSIGN, ROLE_DELETE})

# Azure's own narrow role, the strict one of infra/roles/key_user.json, and reading secrets (AZURE 3.1).
NARROW = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
STRICT = "3d5c1f64-0d5e-4b3f-9a57-6a1c9e0b7c01"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
# The roles that the writer may take away: the list in infra/roles/grants.condition, which a test keeps equal.
REMOVABLE = frozenset({
    "12338af0-0e69-4776-bea7-57ae8d297424",  # Key Vault Crypto User
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",  # Key Vault Crypto Officer
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",  # Key Vault Administrator
    "21090545-7ca7-4776-b22c-e363652d74d2",  # Key Vault Reader
    "a4417e6f-fecd-4de8-b567-7b0420556985",  # Key Vault Certificates Officer
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",  # Key Vault Certificate User
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",  # Key Vault Secrets Officer
    SECRETS_USER,
    "08bbd89e-9f13-488c-ac41-acfcb10c90ab",  # Key Vault Crypto Service Release User
})  # fmt: skip

_ROLES = "/providers/Microsoft.Authorization/roleAssignments/"
_KEY = re.compile(f"(/keys/{ids.NAME_OF_A_KEY.pattern})?")


def set_policy(
    vault: Vault, entries: Sequence[Policy], after: Mapping[str, Sequence[str]], principal: str, *, grants: bool
) -> Step:
    """Give the policy of a principal these permissions in the groups that `after` names; the rest stays as it is."""
    named = {group: list(names) for group, names in after.items()}
    return Step(
        kind=POLICY_SET,
        resource=str(vault.id),
        before={"entries": [entry.raw for entry in entries]},
        after={"tenantId": vault.tenant, "objectId": principal, **named},
        permission="Microsoft.KeyVault/vaults/accessPolicies/write",
        grants=grants,
    )


def set_policy_request(step: Step) -> Request:
    """PUT exactly one entry: `replace` narrows it; `add` makes one where there is none, and merges if one came meanwhile."""
    entries = step.before["entries"]
    permissions = {group: step.after.get(group, joined(entries, group)) for group in GROUPS}
    stays = {
        group: names
        for group, names in permissions.items()
        if names or any(group in (it.get("permissions") or {}) for it in entries)
    }
    tenant = entries[0].get("tenantId") if entries else step.after["tenantId"]
    principal = entries[0].get("objectId") if entries else step.after["objectId"]
    body = {"tenantId": tenant, "objectId": principal, "permissions": stays}
    return _policies(step, "replace" if entries else "add", body)


def remove_policy(vault: Vault, entries: Sequence[Policy], principal: str) -> Step:
    """Take the policy of a principal away."""
    return Step(
        kind=POLICY_REMOVE,
        resource=str(vault.id),
        before={"entries": [entry.raw for entry in entries]},
        after={"tenantId": vault.tenant, "objectId": principal, "removed": True},
        permission="Microsoft.KeyVault/vaults/accessPolicies/write",
        takes=True,
    )


def remove_policy_request(step: Step) -> Request:
    """PUT the entry that was read to `remove`: what it lists goes, and with the last permission the entry."""
    entries = step.before["entries"]
    permissions = {group: names for group in GROUPS if (names := joined(entries, group))}
    body = {"tenantId": entries[0].get("tenantId"), "objectId": entries[0].get("objectId"), "permissions": permissions}
    return _policies(step, "remove", body)


def assign_role(vault: Vault, scope: str, role: str, principal: str, *, grants: bool) -> Step:
    """Give a principal a role at the vault or at one of its keys."""
    return assign_role_at(vault.id, scope, role, principal, grants=grants)


def assign_role_at(vault: ResourceId, scope: str, role: str, principal: str, *, grants: bool) -> Step:
    """Do the same at a vault that is not there yet."""
    definition = f"/subscriptions/{vault.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return Step(
        kind=ROLE_ASSIGN,
        resource=f"{vault}{below(vault, scope)}",
        before={},
        after={"principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": definition},
        permission="Microsoft.Authorization/roleAssignments/write",
        grants=grants,
        settles=True,
    )


def assign_role_request(step: Step) -> Request:
    """PUT under a name that follows from what is assigned: the same assignment twice is one (AZURE 3.2)."""
    at = ids.parse(step.resource)
    guid = str(step.after["roleDefinitionId"]).rsplit("/", 1)[1]
    words = f"{step.resource}|{step.after['principalId']}|{guid}".lower()
    name = uuid.uuid5(uuid.NAMESPACE_URL, words)
    return Request("PUT", str(at), {"properties": dict(step.after)}, f"{below(at, step.resource)}{_ROLES}{name}")


def delete_role(vault: Vault, assignment: Assignment, not_before: datetime | None) -> Step:
    """Take a role away. The before-image is all that is needed to give it back."""
    return Step(
        kind=ROLE_DELETE,
        resource=f"{vault.id}{below(vault.id, assignment.scope)}{_ROLES}{_name(assignment)}",
        before=dict(assignment.raw),
        after={"removed": True},
        permission="Microsoft.Authorization/roleAssignments/delete",
        takes=True,
        not_before=not_before,
    )


def delete_role_request(step: Step) -> Request:
    """DELETE the assignment. One that is gone already is as good (204)."""
    at = ids.parse(step.resource)
    return Request("DELETE", str(at), {}, step.resource[len(str(at)) :])


def is_current(step: Step, vault: Vault) -> bool:
    """Whether the policy that a step would replace is still what it was made from (AZURE 2.2: there is no etag)."""
    return [it.raw for it in vault.policies_of(step.after["objectId"])] == list(step.before["entries"])


def is_ours(vault: ResourceId, scope: str) -> bool:
    """Whether a scope is one that we write roles at: the vault, or one of its keys."""
    return ids.fold(scope).startswith(vault.key) and bool(_KEY.fullmatch(scope[len(str(vault)) :]))


def below(vault: ResourceId, scope: str) -> str:
    """Return what follows the vault's id in a scope of ours: nothing, or one key. Raises BadInput for any other."""
    if not is_ours(vault, scope):
        raise BadInput("BadScope", f"{scope[:200]!r} is neither {vault} nor a key in it")
    return scope[len(str(vault)) :]


def _name(assignment: Assignment) -> str:
    name = assignment.path.rstrip("/").rsplit("/", 1)[-1]
    if not ids.GUID.fullmatch(name):
        raise BadInput("BadArmAnswer", f"{name[:80]!r} is not the name of a role assignment")
    return name


def joined(entries: Sequence[Mapping[str, Any]], group: str) -> list[str]:
    """Return the permissions of all entries of one principal as they are spelt, each once."""
    words = [word for entry in entries for word in (entry.get("permissions") or {}).get(group) or []]
    return list({word.lower(): word for word in reversed(words)}.values())[::-1]


def _policies(step: Step, verb: str, entry: Mapping[str, Any]) -> Request:
    body = {"properties": {"accessPolicies": [entry]}}
    return Request("PUT", step.resource, body, f"/accessPolicies/{verb}")
