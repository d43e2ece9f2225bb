"""A vault's ARM body -> Vault. Shapes and their oddities: AZURE 2.1, data/INDEX.md 7 to 9."""

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.facts.vault import Vault
from shared.core.parse import wire
from shared.core.parse.access import policies


def vault(body: object) -> Vault:
    """Read one vault. Raises BadInput where the body is not that of a vault or a needed field has a wrong type."""
    if not isinstance(body, dict):
        raise BadInput("BadArmAnswer", f"a vault must be an object, not {type(body).__name__}")
    target = ids.parse(body.get("id"))
    if target.kind != ids.VAULT:
        raise BadInput("BadArmAnswer", f"expected a vault, got {target.kind}")
    properties = wire.obj(body, "properties")
    if not properties:
        # A generic list row has no properties at all (data/INDEX.md 11): reading it as 'all protection off' would
        # make us write to vaults that are fine.
        raise BadInput("BadArmAnswer", f"{target} came without properties")
    return Vault(
        id=target,
        location=wire.text(body, "location").lower().replace(" ", ""),
        tags=wire.tags(body),
        host=wire.host(wire.text(properties, "vaultUri")) or f"{target.name.lower()}.vault.azure.net",
        provisioning=wire.text(properties, "provisioningState"),
        soft_delete=wire.flag(properties, "enableSoftDelete"),
        purge_protection=wire.flag(properties, "enablePurgeProtection") is True,
        retention_days=wire.whole(properties, "softDeleteRetentionInDays"),
        rbac=wire.flag(properties, "enableRbacAuthorization") is True,
        tenant=wire.text(properties, "tenantId").lower(),
        trusts_azure=_trusts_azure(properties),
        policies=policies(properties),
    )


def _trusts_azure(properties: wire.Json) -> bool | None:
    """Whether trusted services get in: the bypass holds while the public network is shut, unless a perimeter rules (AZURE 1.5)."""
    if wire.text(properties, "publicNetworkAccess").lower() == "securedbyperimeter":
        return None
    rules = wire.obj(properties, "networkAcls")
    if wire.text(properties, "publicNetworkAccess").lower() != "disabled" and (
        wire.text(rules, "defaultAction").lower() != "deny"
    ):
        return True
    bypass = wire.text(rules, "bypass").lower()
    return "azureservices" in bypass if rules else None
