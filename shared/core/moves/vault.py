"""Steps on a vault. Always a PATCH of the named properties, never a PUT: a PUT would undo what others changed."""

from shared.core.facts.vault import Vault
from shared.core.steps import Request, Step

PROTECT = "vault.protect"


def protect(vault: Vault) -> Step:
    """Turn on soft delete and purge protection in one write. Azure refuses the second without the first (AZURE 2.2)."""
    return Step(
        kind=PROTECT,
        resource=str(vault.id),
        before={
            "enableSoftDelete": vault.soft_delete,
            "enablePurgeProtection": vault.purge_protection or None,
        },
        after={"enableSoftDelete": True, "enablePurgeProtection": True},
        permission="Microsoft.KeyVault/vaults/write",
        irreversible=True,
    )


def protect_request(step: Step) -> Request:
    """PATCH with both flags and nothing else: tags, policies and network rules are not touched (AZURE 2.2)."""
    return Request("PATCH", step.resource, {"properties": dict(step.after)})
