"""The Activity Log: who changed something last. It lags by minutes and keeps 90 days (AZURE 12)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.adapters.rest import Rest
from shared.core.errors import BadInput, Denied
from shared.core.ids import ResourceId
from shared.core.ports import Clock

_VERSION = "2015-04-01"
_KEPT = timedelta(days=89)
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_WRITES = ("/write", "/delete", "/action")


class ActivityLog:
    """The log of the subscriptions. `writer` is the client id of our own writer, whose changes are left out."""

    def __init__(self, rest: Rest, clock: Clock, writer: str) -> None:
        self._rest, self._clock, self._writer = rest, clock, writer.lower()

    def author(self, target: ResourceId) -> str:
        """Return who last changed a target or something below it; '' where nobody can say: then two must approve."""
        if not self._writer:  # our own changes could not be told from those of others
            return ""
        now = self._clock.now()
        span = f"eventTimestamp ge '{now - _KEPT:%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '{now:%Y-%m-%dT%H:%M:%SZ}'"
        path = f"/subscriptions/{target.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
        wanted = f"{span} and resourceGroupName eq '{target.group}'"
        try:
            rows = self._rest.pages(path, _VERSION, **{"$filter": wanted})
            last = max((row for row in rows if self._is_foreign(row, target)), key=_when, default=None)
        except (Denied, BadInput):
            return ""
        return _claim(last, _OBJECT_ID).lower() if last else ""

    def _is_foreign(self, row: Mapping[str, Any], target: ResourceId) -> bool:
        at = str(row.get("resourceId") or row.get("resourceUri") or "").lower()
        is_write = _value(row, "operationName").lower().endswith(_WRITES) and _value(row, "status") == "Succeeded"
        return (
            is_write
            and (at == target.key or at.startswith(target.key + "/"))
            and _claim(row, "appid").lower() != self._writer
        )


def _when(row: Mapping[str, Any]) -> str:
    return str(row.get("eventTimestamp") or "")


def _value(row: Mapping[str, Any], field: str) -> str:
    found = row.get(field)
    return str(found.get("value") or "") if isinstance(found, dict) else str(found or "")


def _claim(row: Mapping[str, Any] | None, name: str) -> str:
    claims = (row or {}).get("claims")
    return str(claims.get(name) or "") if isinstance(claims, dict) else ""
