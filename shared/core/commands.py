"""Commands for what only a person can do: exactly one change each, to be pasted into a shell.

Every word from Azure is quoted: all of them are hostile.
"""

import json
import shlex
from collections.abc import Mapping

from shared.core.control import Given
from shared.core.facts import Assignment, Policy, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.moves import grant as moves
from shared.core.moves import workspace as workspace_moves


def az(command: str, *words: str) -> str:
    """Return a command of Azure CLI with its words quoted."""
    return " ".join(["az", command, *(shlex.quote(word) for word in words)])


def az_recover(vault: ResourceId, location: str) -> str:
    """Return the command that takes a deleted vault back."""
    where = ["--location", location] if location else []
    return az("keyvault recover", "--name", vault.name, *where, "--subscription", vault.subscription)


def az_recover_key(vault: str, key: str) -> str:
    """Return the command that takes a deleted key back: it needs a right on the data plane, which we never hold."""
    return az("keyvault key recover", "--vault-name", vault, "--name", key)


def az_role_back(vault: ResourceId, given: Given) -> str:
    """Return the command that gives somebody a role again that they held at a vault or below it."""
    return az(
        "role assignment create", "--role", given.role, "--assignee-object-id", given.principal,
        "--assignee-principal-type", given.principal_type or "ServicePrincipal", "--scope", f"{vault}{given.below}",
    )  # fmt: skip


def az_policy_removal(vault: Vault, policy: Policy) -> str:
    """Return the command that takes exactly one entry away. `keyvault delete-policy` would take that of the own tenant."""
    body = json.dumps({"properties": {"accessPolicies": [policy.raw]}}, separators=(",", ":"))
    url = f"{vault.id}/accessPolicies/remove?api-version=2023-07-01"
    return az("rest", "--method", "put", "--url", url, "--body", body)


def az_role_change(vault: Vault, principal: str, assignment: Assignment, *, it_via: str) -> str:
    """Return the exact change to propose for an assignment that is not ours to take away."""
    narrow = az(
        "role assignment create",
        "--role",
        moves.NARROW,
        "--assignee-object-id",
        principal,
        "--assignee-principal-type",
        "ServicePrincipal",
        "--scope",
        str(vault.id),
    )
    if it_via == "group":
        return f"{narrow}; then, half an hour later, take {principal} out of group {assignment.principal}"
    return f"{narrow}; then, half an hour later: {az('role assignment delete', '--ids', assignment.path)}"


def az_premium(workspace: Workspace) -> str:
    """Return the command that takes a workspace to the Premium plan."""
    return az("databricks workspace update", "--ids", str(workspace.id), "--sku", workspace_moves.PREMIUM)


def az_tags(workspace: Workspace, tags: Mapping[str, str]) -> str:
    """Return the command that sets tags and leaves all others as they are."""
    named = [f"{name}={value}" for name, value in tags.items()]
    return az("tag update", "--resource-id", str(workspace.id), "--operation", "Merge", "--tags", *named)


def az_rotation_policy(vault: str, key: str, days: int) -> str:
    """Return the command that has a key rotate by itself so many days after each version was made.

    It sets no end: a key that expires stops what is under it, where a rotation was not followed in time (AZURE 1.8).
    """
    action = {"trigger": {"timeAfterCreate": f"P{days}D"}, "action": {"type": "Rotate"}}
    policy = json.dumps({"lifetimeActions": [action], "attributes": {}}, separators=(",", ":"))
    return az("keyvault key rotation-policy update", "--vault-name", vault, "--name", key, "--value", policy)


def az_rotate(vault: str, key: str) -> str:
    """Return the command that makes a new version of a key."""
    return az("keyvault key rotate", "--vault-name", vault, "--name", key)
