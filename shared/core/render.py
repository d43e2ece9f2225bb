"""Steps -> commands and templates for people: to do by hand, to undo, and to keep a template from changing it back.

Every word from Azure is quoted for the shell, or written as a literal of the language: all of them are hostile.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shared.core import ids
from shared.core.commands import az, az_recover
from shared.core.moves import grant as moves
from shared.core.moves import key as key_moves
from shared.core.moves import logs as logs_moves
from shared.core.moves import vault as vault_moves
from shared.core.moves import workspace as workspace_moves


class Shown(Protocol):
    """A step, planned or recorded."""

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def resource(self) -> str: ...  # noqa: D102
    @property
    def before(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def after(self) -> Mapping[str, Any]: ...  # noqa: D102


_SOURCE = workspace_moves.KEY_SOURCE
_BICEP = "Microsoft.Databricks/workspaces: properties"
_FLAGS = {
    "keys": "--key-permissions",
    "secrets": "--secret-permissions",
    "certificates": "--certificate-permissions",
    "storage": "--storage-permissions",
}


def hints(steps: Sequence[Shown]) -> dict[str, list[str]]:
    """Return, for the steps of a plan: `az` does it by hand, `terraform` and `bicep` keep a template from undoing it."""
    found: dict[str, list[str]] = {"az": [], "terraform": [], "bicep": []}
    for step in steps:
        for language, line in _HINTS[step.kind](step).items() if step.kind in _HINTS else ():
            found[language].append(line)
    return found


def undo_commands(steps: Sequence[Shown]) -> list[str]:
    """Return what an owner types to give back the roles that a plan took, or to stop what it sends; nothing for other steps."""
    roles = [_assign(step.before) for step in steps if step.kind == moves.ROLE_DELETE and step.before]
    return [*roles, *(_unsend(step) for step in steps if step.kind == logs_moves.SEND)]


def _assign(properties: Mapping[str, Any]) -> str:
    words = [
        "--role", str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1],
        "--assignee-object-id", str(properties.get("principalId", "")),
        "--assignee-principal-type", str(properties.get("principalType") or "ServicePrincipal"),
        "--scope", str(properties.get("scope", "")),
    ]  # fmt: skip
    return az("role assignment create", *words)


def _protect(step: Shown) -> dict[str, str]:
    return {
        "az": az("keyvault update", "--ids", step.resource, "--enable-purge-protection", "true"),
        "terraform": "azurerm_key_vault: purge_protection_enabled = true",
        "bicep": "Microsoft.KeyVault/vaults: properties.enableSoftDelete: true, properties.enablePurgeProtection: true",
    }


def _recover(step: Shown) -> dict[str, str]:
    return {
        "az": az_recover(ids.parse(step.resource), str(step.after["location"])),
        "terraform": "provider azurerm: features { key_vault { recover_soft_deleted_key_vaults = true } }",
        "bicep": "Microsoft.KeyVault/vaults: properties.createMode: 'recover', once; leave it out afterwards",
    }


def _set_policy(step: Shown) -> dict[str, str]:
    principal, vault = str(step.after["objectId"]), ids.parse(step.resource).name
    named = {group: list(step.after[group]) for group in _FLAGS if group in step.after}
    flags = [word for group, names in named.items() for word in (_FLAGS[group], *names)]
    literal = ", ".join(f"{group}: [{', '.join(_text(name) for name in names)}]" for group, names in named.items())
    terraform = "\n".join(
        f"  {group[:-1] if group != 'storage' else group}_permissions = [{', '.join(_hcl(_pascal(it)) for it in names)}]"
        for group, names in named.items()
    )
    return {
        "az": az("keyvault set-policy", "--name", vault, "--object-id", principal, *flags),
        "terraform": f"azurerm_key_vault_access_policy, object_id = {_hcl(principal)}:\n{terraform}",
        "bicep": f"Microsoft.KeyVault/vaults, accessPolicies, objectId {_text(principal)}: permissions: {{ {literal} }}",
    }


def _remove_policy(step: Shown) -> dict[str, str]:
    principal, vault = str(step.after["objectId"]), ids.parse(step.resource).name
    return {
        "az": az("keyvault delete-policy", "--name", vault, "--object-id", principal),
        "terraform": f"remove the azurerm_key_vault_access_policy with object_id = {_hcl(principal)}",
        "bicep": f"remove the accessPolicies entry with objectId {_text(principal)}",
    }


def _assign_role(step: Shown) -> dict[str, str]:
    principal, role = str(step.after["principalId"]), str(step.after["roleDefinitionId"]).rsplit("/", 1)[-1]
    return {
        "az": _assign({**step.after, "scope": step.resource}),
        "terraform": (
            f"azurerm_role_assignment: scope = {_hcl(step.resource)}, principal_id = {_hcl(principal)}, "
            f'role_definition_id = {_hcl(str(step.after["roleDefinitionId"]))}, principal_type = "ServicePrincipal"'
        ),
        "bicep": (
            f"Microsoft.Authorization/roleAssignments at {_text(step.resource)}: principalId: {_text(principal)}, "
            f"principalType: 'ServicePrincipal', roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', {_text(role)})"
        ),
    }


def _delete_role(step: Shown) -> dict[str, str]:
    return {
        "az": az("role assignment delete", "--ids", step.resource),
        "terraform": f"remove the azurerm_role_assignment with id {_hcl(step.resource)}",
        "bicep": f"remove the roleAssignments resource {_text(step.resource.rsplit('/', 1)[-1])}",
    }


def _send(step: Shown) -> dict[str, str]:
    name, workspace = str(step.after["name"]), str(step.after["workspaceId"])
    words = (
        "--resource",
        step.resource,
        "--name",
        name,
        "--workspace",
        workspace,
        "--export-to-resource-specific",
        "true",
    )
    logs = json.dumps(list(step.after["logs"]), separators=(",", ":"))
    return {
        "az": az("monitor diagnostic-settings create", *words, "--logs", logs),
        "terraform": (
            f"azurerm_monitor_diagnostic_setting: name = {_hcl(name)}, target_resource_id = {_hcl(step.resource)}, "
            f'log_analytics_workspace_id = {_hcl(workspace)}, log_analytics_destination_type = "Dedicated", '
            'enabled_log { category_group = "audit" }'
        ),
        "bicep": (
            f"Microsoft.Insights/diagnosticSettings {_text(name)} at {_text(step.resource)}: workspaceId: {_text(workspace)}, "
            "logAnalyticsDestinationType: 'Dedicated', logs: [{ categoryGroup: 'audit', enabled: true }]"
        ),
    }


def _unsend(step: Shown) -> str:
    """Return the command that leaves the setting of our name as it was: gone, or what it said before."""
    if not step.before:
        words = ("--resource", step.resource, "--name", str(step.after["name"]))
        return az("monitor diagnostic-settings delete", *words)
    url = f"{step.resource}{logs_moves.PATH}?api-version=2021-05-01-preview"
    body = json.dumps({"properties": dict(step.before)}, separators=(",", ":"))
    return az("rest", "--method", "put", "--url", url, "--body", body)


def _text(word: str) -> str:
    """Return a literal of Bicep: ${ would be evaluated, and a literal is one line."""
    escaped = word.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return "'" + "".join(it if it.isprintable() else f"\\u{{{ord(it):x}}}" for it in escaped) + "'"


def _hcl(word: str) -> str:
    """Return a literal of Terraform: ${ and %{ would be evaluated."""
    return json.dumps(word).replace("${", "$${").replace("%{", "%%{")


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _create_key(step: Shown) -> dict[str, str]:
    vault, key = ids.parse(step.resource).name, str(step.after["name"])
    command = az(
        "keyvault key create", "--vault-name", vault, "--name", key, "--kty", "RSA", "--size", str(step.after["keySize"]),
        "--ops", *step.after["keyOps"],
    )  # fmt: skip
    size, operations = step.after["keySize"], json.dumps(list(step.after["keyOps"]))
    return {
        "az": command,
        "terraform": f'azurerm_key_vault_key: key_type = "RSA", key_size = {size}, key_opts = {operations}',
        "bicep": f"Microsoft.KeyVault/vaults/keys: properties.kty: 'RSA', properties.keySize: {size}",
    }


def _upgrade(step: Shown) -> dict[str, str]:
    return {
        "az": _workspace(step, "--sku", "premium"),
        "terraform": 'azurerm_databricks_workspace: sku = "premium"',
        "bicep": "Microsoft.Databricks/workspaces: sku: { name: 'premium' }",
    }


def _prepare(step: Shown) -> dict[str, str]:
    return {
        "az": _workspace(step, "--prepare-encryption"),
        "terraform": "azurerm_databricks_workspace: customer_managed_key_enabled = true",
        "bicep": "Microsoft.Databricks/workspaces: properties.parameters.prepareEncryption: { value: true }",
    }


def _encrypt(step: Shown) -> dict[str, str]:
    vault, key, version = (str(step.after[name]) for name in ("vault", "key", "version"))
    named = _hcl(f"{vault}keys/{key}/{version}")
    literals = [_text(it) for it in (vault, key, version)]
    layer = str(step.after["layer"])
    if layer == "dbfsRoot":
        fields = ", ".join(map(": ".join, zip(("keyvaulturi", "KeyName", "keyversion"), literals, strict=True)))
        az = ["--key-source", _SOURCE, "--key-vault", vault, "--key-name", key, "--key-version", version]
        terraform = f"azurerm_databricks_workspace_root_dbfs_customer_managed_key: key_vault_key_id = {named}"
        bicep = f"parameters.encryption.value: {{ keySource: '{_SOURCE}', {fields} }}"
    else:
        is_disk = layer == "managedDisk"
        flag, argument = ("disk", "managed_disk") if is_disk else ("managed-services", "managed_services")
        az = [f"--{flag}-key-vault", vault, f"--{flag}-key-name", key, f"--{flag}-key-version", version]
        is_rotating = is_disk and step.kind == workspace_moves.ENCRYPT  # a step to a newer version leaves that as it is
        az += ["--disk-key-auto-rotation", "true"] if is_rotating else []
        terraform = f"azurerm_databricks_workspace: {argument}_cmk_key_vault_key_id = {named}"
        terraform += ", managed_disk_cmk_rotation_to_latest_version_enabled = true" if is_rotating else ""
        fields = ", ".join(map(": ".join, zip(("keyVaultUri", "keyName", "keyVersion"), literals, strict=True)))
        rotates = ", rotationToLatestKeyVersionEnabled: true" if is_rotating else ""
        bicep = (
            f"encryption.entities.{layer}: {{ keySource: '{_SOURCE}', keyVaultProperties: {{ {fields} }}{rotates} }}"
        )
    return {"az": _workspace(step, *az), "terraform": terraform, "bicep": f"{_BICEP}.{bicep}"}


def _workspace(step: Shown, *words: str) -> str:
    return az("databricks workspace update", "--ids", step.resource, *words)


_HINTS = {
    vault_moves.PROTECT: _protect,
    vault_moves.RECOVER: _recover,
    key_moves.CREATE: _create_key,
    logs_moves.SEND: _send,
    workspace_moves.UPGRADE: _upgrade,
    workspace_moves.PREPARE: _prepare,
    workspace_moves.ENCRYPT: _encrypt,
    workspace_moves.REPOINT: _encrypt,
    moves.POLICY_SET: _set_policy,
    moves.POLICY_REMOVE: _remove_policy,
    moves.ROLE_ASSIGN: _assign_role,
    moves.ROLE_DELETE: _delete_role,
}
