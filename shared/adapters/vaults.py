"""What a vault holds, by name alone, where its logs go, how often it is called, which are deleted. AZURE 2.2, 2.3, 8.1, 8.3."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from shared.adapters.pace import Pace
from shared.adapters.rest import Rest
from shared.core.ids import ResourceId
from shared.core.parse.hits import METRIC

Json = Mapping[str, Any]

_VAULTS = "2026-02-01"
_SETTINGS = "2021-05-01-preview"
_METRICS = "2018-01-01"  # the one of which answers are recorded
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

    def metrics(self, vault: ResourceId, since: datetime, until: datetime) -> Sequence[Json]:
        """Return the raw metric of calls to a vault, a point a day between two midnights. Waits where few reads are left."""
        self._pace.give_way(vault.subscription)
        wanted = {
            "timespan": f"{since:%Y-%m-%dT%H:%M:%SZ}/{until:%Y-%m-%dT%H:%M:%SZ}", "interval": "P1D", "metricnames": METRIC,
            "aggregation": "Count",
        }  # fmt: skip
        return list(self._rest.pages(f"{vault}/providers/Microsoft.Insights/metrics", _METRICS, **wanted))
