"""What must hold, and which vaults it must hold for. Rules are named for the violation; all are pure."""

from typing import Any

from shared.core.choices import Choices, VaultScope
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Absent, Snapshot, Unreadable, Vault

_SHOWN = 20  # dependants named in the evidence; more are counted
_LONGEST_RETENTION = 90  # days; fewer are evidence, never a finding: Azure lets nobody change them (AZURE 2.2)


def judge(snapshot: Snapshot, memory: Memory, choices: Choices) -> Verdict:
    """Judge one vault. What could not be read is Unknown, never compliant."""
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
    return _judged(vault, {**_evidence(vault, snapshot), "in_scope_because": scope})


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


def soft_delete_is_off(vault: Vault) -> bool:
    """Missing counts as off: vaults from before it was the default lack the property and the protection (AZURE 2.1)."""
    return vault.soft_delete is not True


def purge_protection_is_off(vault: Vault) -> bool:
    """Azure says true or nothing; nothing is off (AZURE 0.4)."""
    return not vault.purge_protection


def _judged(vault: Vault, evidence: dict[str, Any]) -> Verdict:
    if soft_delete_is_off(vault):
        return NonCompliant(
            Finding(
                "SoftDeleteIsOff",
                "soft delete is off: deleting the vault or a key destroys it, and all data under the key, at once",
                evidence,
            )
        )
    if purge_protection_is_off(vault):
        return NonCompliant(
            Finding(
                "PurgeProtectionIsOff",
                "purge protection is off: a deleted key can be purged, and all data under it is lost for ever",
                evidence,
            )
        )
    return Compliant(Finding("Recoverable", "soft delete and purge protection are on", evidence))


def _named_by(memory: Memory) -> str:
    return f"workspace {memory.nominations[0].workspace} named it when it was last read"


def _out_of_scope(vault: Vault, choices: Choices) -> Finding:
    tag, value = choices.vault_tag
    return Finding(
        "NotACmkVault",
        f"no workspace uses a key in it and it does not carry the tag {tag}={value} (CMK_VAULT_SCOPE={choices.vault_scope})",
        {"soft_delete": vault.soft_delete, "purge_protection": vault.purge_protection},
    )


def _evidence(vault: Vault, snapshot: Snapshot) -> dict[str, Any]:
    evidence: dict[str, Any] = {
        "soft_delete": vault.soft_delete,
        "purge_protection": vault.purge_protection,
        "retention_days": vault.retention_days,
    }
    if vault.retention_days is not None and vault.retention_days < _LONGEST_RETENTION:
        evidence["note"] = f"deleted keys are kept for {vault.retention_days} days only; Azure lets nobody change that"
    if isinstance(snapshot.dependants, Unreadable):
        evidence["dependants"] = f"unknown: {snapshot.dependants.message}"
    else:
        evidence["dependants"] = len(snapshot.dependants)
        evidence["used_by"] = [
            {"workspace": str(it.id), "layers": list(it.layers_in(vault.host))} for it in snapshot.dependants[:_SHOWN]
        ]
    return evidence
