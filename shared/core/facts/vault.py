"""A Key Vault, as far as the controls need to know it."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.facts.access import Policy
from shared.core.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Vault:
    """One vault.

    `soft_delete` is None where Azure did not say: on by default today, but vaults from before 2020 lack the property
    without having the protection (AZURE 2.1). `purge_protection` is plain: Azure says true or nothing at all
    (AZURE 0.4). `retention_days` is 7 to 90 and can never be changed once set (AZURE 2.2).
    """

    id: ResourceId
    location: str
    tags: Mapping[str, str]
    host: str  # `name.vault.azure.net`, lower case: what a workspace names
    provisioning: str
    soft_delete: bool | None
    purge_protection: bool
    retention_days: int | None
    rbac: bool
    tenant: str = ""
    trusts_azure: bool | None = True  # Azure's own services get through its firewall; None where nobody can say
    policies: tuple[Policy, ...] = ()

    def is_plain(self, policy: Policy) -> bool:
        """Whether a policy speaks of a principal of the vault's own tenant, by itself and not by way of an application."""
        return not policy.application and policy.tenant in {self.tenant, ""}

    def policies_of(self, principal: str) -> tuple[Policy, ...]:
        """Return the policies that speak of a principal itself: one, unless somebody has doubled it."""
        return tuple(it for it in self.policies if it.principal == principal and self.is_plain(it))

    @property
    def is_settled(self) -> bool:
        """Whether Azure has finished creating it; until then (`RegisteringDns`) nothing about it is final."""
        return self.provisioning.lower() in {"succeeded", ""}
