"""Steps on a vault. A PATCH of the named properties, never a PUT of one that is there: that would undo what others changed."""

from shared.core.facts.deleted import Deleted
from shared.core.facts.vault import Vault
from shared.core.ids import ResourceId
from shared.core.steps import Request, Step

PROTECT = "vault.protect"
RECOVER = "vault.recover"


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


def recover(vault: ResourceId, it: Deleted, tenant: str) -> Step:
    """Take a deleted vault back, with its keys, secrets, policies and settings as they were (AZURE 2.2)."""
    return Step(
        kind=RECOVER,
        resource=str(vault),
        before={"deleted": it.deleted.isoformat() if it.deleted else None},
        after={"createMode": "recover", "location": it.location, "tenantId": tenant},
        permission="Microsoft.KeyVault/vaults/write",
        note="Azure has deleted its role assignments and its own event subscriptions for good: the vault comes back without "
        "them. What the plan does not give back its owners must",
    )


def recover_request(step: Step) -> Request:
    """PUT with createMode recover. The spec wants a tenant and a sku; Azure ignores all but the mode (data/INDEX.md 10)."""
    properties = {
        "createMode": step.after["createMode"],
        "tenantId": step.after["tenantId"],
        "sku": {"family": "A", "name": "standard"},
    }
    return Request("PUT", step.resource, {"location": step.after["location"], "properties": properties})
