"""What a vault holds, by name alone, where its logs go, and which vaults are deleted: plain lists, as the reader. AZURE 2.2, 2.3, 8.1."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from shared.adapters.pace import Pace
from shared.adapters.rest import Rest
from shared.core.ids import ResourceId

Json = Mapping[str, Any]

_VAULTS = "2026-02-01"
_SETTINGS = "2021-05-01-preview"
_MOST_SECRETS = 21  # one is a finding; more are shown, and thousands need not be listed for that


class ArmVaults:
    """Lists below a vault."""

    def __init__(self, rest: Rest, pace: Pace | None = None) -> None:
        self._rest, self._pace = rest, pace or Pace()

    def keys(self, vault: ResourceId, *, gives_way: bool = False) -> Sequence[Json]:
        """Return the raw bodies of all keys, short as lists have them."""
        if gives_way:
            self._pace.give_way(vault.subscription)
        return list(self._rest.pages(f"{vault}/keys", _VAULTS))

    def secrets(self, vault: ResourceId) -> Sequence[Json]:
        """Return the raw bodies of the first secrets, without their values: Resource Manager never shows one."""
        return list(islice(self._rest.pages(f"{vault}/secrets", _VAULTS), _MOST_SECRETS))

    def settings(self, vault: ResourceId) -> Sequence[Json]:
        """Return the raw bodies of its diagnostic settings."""
        return list(self._rest.pages(f"{vault}/providers/Microsoft.Insights/diagnosticSettings", _SETTINGS))

    def deleted(self, subscription: str) -> Sequence[Json]:
        """Return the raw bodies of the vaults of a subscription that are deleted and not purged yet."""
        return list(
            self._rest.pages(f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults", _VAULTS)
        )
