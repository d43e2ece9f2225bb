"""What must hold, and which vaults it must hold for. Rules are named for the violation; all are pure."""

from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, Verdict
from shared.core.facts import Snapshot, Unreadable, Vault
from shared.core.scope import InScope, cmk_vault

_SHOWN = 20  # dependants named in the evidence; more are counted
_LONGEST_RETENTION = 90  # days; fewer are evidence, never a finding: Azure lets nobody change them (AZURE 2.2)


def judge(snapshot: Snapshot, memory: Memory, choices: Choices) -> Verdict:
    """Judge one vault. What could not be read is Unknown, never compliant."""
    vault = cmk_vault(snapshot, memory, choices)
    if not isinstance(vault, InScope):
        return vault
    return _judged(vault.vault, {**_evidence(vault.vault, snapshot), "in_scope_because": vault.because})


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
