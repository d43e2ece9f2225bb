"""Signs of life in Table Storage, one small row each; of events one a minute and instance, so that a storm costs no more.

table   partition   row                      holds
pulse   events      workspaces, vaults, ...  when an event of this kind came last
pulse   parts       hand                     what that part has said of itself
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Table, cells, encoded, joined
from shared.core.part import Part

_EVENTS, _PARTS = "events", "parts"
_ONCE_IN = timedelta(minutes=1)
_BRIEFLY: Mapping[str, Any] = {
    "retry_total": 0,
    "connection_timeout": 5,
    "read_timeout": 5,
}  # no sign is worth waiting for


class TablePulse:
    """The signs of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential
        self._noted: dict[str, datetime] = {}

    @cached_property
    def _table(self) -> Table:
        service = TableServiceClient(self._url, credential=self._credential, **_BRIEFLY)
        return Table(service, "pulse")

    def arrived(self, via: str, now: datetime) -> None:
        """Note that an event came, unless one was noted within the minute."""
        before = self._noted.get(via)
        if before is not None and now - before < _ONCE_IN:
            return
        self._noted[via] = now  # first: where storage is slow, the events that come meanwhile must not wait as well
        self._table.put({"PartitionKey": _EVENTS, "RowKey": via, "at": now.isoformat()})

    def arrivals(self) -> Mapping[str, datetime]:
        """Return when events came last, by kind."""
        found = self._table.run(_EVENTS, "", "~")
        return {str(it["RowKey"]): datetime.fromisoformat(str(it["at"])) for it in found}

    def beat(self, part: Part) -> None:
        """Note that a part runs."""
        self._table.put({"PartitionKey": _PARTS, "RowKey": part.name, **cells("body", encoded(part))})

    def part(self, name: str) -> Part | None:
        """Return what a part has said of itself."""
        found = self._table.get(_PARTS, name)
        return msgspec.json.decode(joined("body", found), type=Part) if found else None
