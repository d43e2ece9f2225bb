"""Resource Graph: one question over the whole estate instead of a call for each subscription.

It lags behind the truth (AZURE 6): what it says is a hint of whom to ask, never a reason to write by itself.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from shared.adapters.pipeline import Pipeline
from shared.adapters.translate import translated
from shared.core.errors import BadInput, Temporary

Json = Mapping[str, Any]

_PAGE = 1000  # rows, Resource Graph's own limit
_TRIES = 5
_COUNT_LIVES = 600  # seconds; how many vaults a subscription holds changes slowly, and only a guard rail asks
_HOST = re.compile(r"[a-z0-9-]{1,64}(\.[a-z0-9-]{1,63}){1,8}")
_NAME = re.compile(r"[a-z0-9-]{1,64}")

_WORKSPACES = (
    "resources | where type =~ 'microsoft.databricks/workspaces' | where tostring(properties) contains '{host}' "
    "| project id, name, type, location, tags, sku, properties | order by id asc"
)
_VAULTS = (
    "resources | where type =~ 'microsoft.keyvault/vaults' | where name in~ ({names}) "
    "| project id, name | order by id asc"
)
_SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project id, subscriptionId | order by id asc"
)
_ALL_WORKSPACES = (
    "resources | where type =~ 'microsoft.databricks/workspaces' "
    "| project id, name, type, location, tags, sku, properties | order by id asc"
)
_ALL = (
    "resources | where type in~ ('microsoft.databricks/workspaces', 'microsoft.keyvault/vaults') "
    "| project id, name, type, location, tags, sku, properties | order by id asc"
)
# Names alone: a vault may have a thousand access policies, and whoever judges it reads it anyway.
_ALL_VAULTS = "resources | where type =~ 'microsoft.keyvault/vaults' | project id, name | order by id asc"
_COUNT = "resources | where type =~ 'microsoft.keyvault/vaults' | summarize vaults = count()"


class ResourceGraph:
    """The inventory of everything that the reader may read, or of the subscriptions that are ours."""

    def __init__(self, pipeline: Pipeline, subscriptions: Sequence[str]) -> None:
        self._client = ResourceGraphClient(**pipeline.options())
        self._pace = pipeline.pace
        self._subscriptions = list(subscriptions)
        self._counts: dict[str, tuple[float, int]] = {}

    def workspaces_naming(self, host: str) -> Sequence[Json]:
        """Return the raw bodies of all workspaces that mention a vault's host anywhere."""
        if not _HOST.fullmatch(host):  # it becomes part of a query
            raise BadInput("BadVaultUri", f"{host[:80]!r} is not the host of a vault")
        return list(self._rows(_WORKSPACES.format(host=host), self._subscriptions))

    def vaults_named(self, names: Sequence[str]) -> Mapping[str, str]:
        """Return the ids of the vaults with these names, by name in lower case. Names that cannot be are left out."""
        words = [name.lower() for name in names if _NAME.fullmatch(name.lower())]
        if not words:
            return {}
        listed = ", ".join(f"'{word}'" for word in words)
        rows = self._rows(_VAULTS.format(names=listed), self._subscriptions)
        return {str(row["name"]).lower(): str(row["id"]) for row in rows}

    def listed(self, subscription: str) -> Iterator[Json]:
        """Yield the raw bodies of all vaults and workspaces of a subscription; leaves some of the quota to others."""
        return self._rows(_ALL, [subscription.lower()], is_patient=True)

    def all_workspaces(self) -> Iterator[Json]:
        """Yield the raw bodies of all workspaces."""
        return self._rows(_ALL_WORKSPACES, self._subscriptions)

    def all_vaults(self) -> Iterator[Json]:
        """Yield the ids and names of all vaults."""
        return self._rows(_ALL_VAULTS, self._subscriptions)

    def subscriptions_below(self, group: str) -> frozenset[str]:
        """Return the ids, in lower case, of the subscriptions below a management group that can be seen now."""
        rows = self._rows(_SUBSCRIPTIONS, [], [group])
        return frozenset(str(row["subscriptionId"]).lower() for row in rows)

    def subscriptions(self) -> frozenset[str]:
        """Return the ids of the subscriptions that can be seen now."""
        rows = self._rows(_SUBSCRIPTIONS, self._subscriptions)
        return frozenset(str(row["subscriptionId"]).lower() for row in rows)

    def vaults_in(self, subscription: str) -> int:
        """Return how many vaults a subscription holds; at most ten minutes old."""
        key = subscription.lower()
        asked, count = self._counts.get(key, (0.0, 0))
        if not asked or time.monotonic() - asked > _COUNT_LIVES:
            count = sum(int(row["vaults"]) for row in self._rows(_COUNT, [key]))
            self._counts[key] = (time.monotonic(), count)
        return count

    def _rows(
        self, query: str, subscriptions: list[str], groups: list[str] | None = None, *, is_patient: bool = False
    ) -> Iterator[Json]:
        token: str | None = None
        while True:
            options = QueryRequestOptions(top=_PAGE, skip_token=token, result_format="objectArray")
            request = QueryRequest(
                query=query, options=options, subscriptions=subscriptions or None, management_groups=groups
            )
            body = self._patiently(request) if is_patient else self._asked(request)
            rows = body.get("data")
            if not isinstance(rows, list):
                raise BadInput("BadInventoryAnswer", "Resource Graph answered without rows")
            yield from (row for row in rows if isinstance(row, dict))
            token = body.get("$skipToken")
            if not token:
                return

    def _asked(self, request: QueryRequest) -> Any:
        with translated("asking Resource Graph"):
            return self._client.resources(request, cls=lambda response, *_: response.http_response.json())

    def _patiently(self, request: QueryRequest) -> Any:
        """Ask when there is a query to spare; other instances draw on the same quota and may have been faster."""
        for _ in range(_TRIES - 1):
            self._pace.give_way_at_graph()
            with suppress(Temporary):
                return self._asked(request)
        return self._asked(request)
