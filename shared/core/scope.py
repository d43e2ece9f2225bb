"""Which vaults the controls speak of: those that hold customer-managed keys, as far as anybody can tell."""

from dataclasses import dataclass

from shared.core.choices import Choices, VaultScope
from shared.core.control import Finding, Memory, NotApplicable, Unknown
from shared.core.facts import Absent, Snapshot, Unreadable, Vault


@dataclass(frozen=True, slots=True)
class InScope:
    """A CMK vault, and why it counts as one."""

    vault: Vault
    because: str


def cmk_vault(snapshot: Snapshot, memory: Memory, choices: Choices) -> InScope | NotApplicable | Unknown:
    """Return the vault if it is one to judge; else the verdict that says why not. What could not be read is Unknown."""
    vault = snapshot.vault
    if vault is None:
        return NotApplicable(Finding("NotAVault", f"{snapshot.target.kind} is no key vault"))
    if isinstance(vault, Absent):
        return NotApplicable(
            Finding("VaultIsGone", "Azure says that there is no such vault: deleted, or not visible yet")
        )
    if isinstance(vault, Unreadable):
        return Unknown(Finding(vault.reason, f"the vault could not be read: {vault.message}"))
    if not vault.is_settled:
        return Unknown(Finding("StillProvisioning", f"Azure is not done with the vault yet ({vault.provisioning})"))
    scope = why_in_scope(vault, snapshot, memory, choices)
    if scope is None:
        return NotApplicable(_out_of_scope(vault, choices))
    if isinstance(scope, Unreadable):
        return Unknown(Finding(scope.reason, f"whether a workspace uses the vault is unknown: {scope.message}"))
    return InScope(vault, scope)


def why_in_scope(vault: Vault, snapshot: Snapshot, memory: Memory, choices: Choices) -> str | Unreadable | None:
    """Return why the vault counts as a CMK vault; None where it does not; Unreadable where nobody can say."""
    tag, value = choices.vault_tag
    if choices.vault_scope is VaultScope.ALL:
        return "every vault is in scope (CMK_VAULT_SCOPE=all)"
    if vault.tags.get(tag.lower(), "").strip().lower() == value.lower():
        return f"it carries the tag {tag}={value}"
    if choices.vault_scope is VaultScope.LINKED:
        if isinstance(snapshot.dependants, Unreadable):
            return snapshot.dependants if not memory.nominations else _named_by(memory)
        if snapshot.dependants:
            return f"{len(snapshot.dependants)} workspace(s) use a key in it"
        if memory.nominations:
            return _named_by(memory)
    if memory.was_cmk_vault:
        return "it was a CMK vault before: a tag or a reference that goes away does not end a finding"
    return None


def _named_by(memory: Memory) -> str:
    return f"workspace {memory.nominations[0].workspace} named it when it was last read"


def _out_of_scope(vault: Vault, choices: Choices) -> Finding:
    tag, value = choices.vault_tag
    return Finding(
        "NotACmkVault",
        f"no workspace uses a key in it and it does not carry the tag {tag}={value} (CMK_VAULT_SCOPE={choices.vault_scope})",
        {"soft_delete": vault.soft_delete, "purge_protection": vault.purge_protection},
    )
