"""What vaults hold and where their logs go, as the reader sees it, over the resources of a fake Azure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.core.ids import ResourceId

SETTINGS = "/providers/microsoft.insights/diagnosticsettings"
LOGS = "/subscriptions/33333333-2c6d-4f0a-8b1e-5d9c7a3e0003/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-cmk"  # fmt: skip


@dataclass
class Graves:
    """Deleted vaults: their bodies, and when each was deleted and will be purged. Roles are not kept (AZURE 0.7)."""

    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    days: int = 90
    is_hidden: bool = False  # the list lags

    def bury(self, resources: dict[str, dict[str, Any]], vault: str, now: datetime) -> None:
        """Delete a vault softly."""
        body = resources.pop(vault.lower())
        self.bodies[vault.lower()] = {"body": body, "deleted": now, "purged": now + timedelta(days=self.days)}

    def unearth(self, resources: dict[str, dict[str, Any]], path: str, body: Mapping[str, Any]) -> None:
        """Recover a vault, as a PUT does that says so."""
        assert body["properties"]["createMode"] == "recover"
        assert {"tenantId", "sku"} <= set(body["properties"])
        assert path not in resources, "a PUT of a vault that is there replaces it"
        resources[path] = self.bodies.pop(path)["body"]

    def shown(self) -> list[dict[str, Any]]:
        """Return the list of deleted vaults."""
        return [] if self.is_hidden else [_shown(it) for it in self.bodies.values()]


def _shown(grave: Mapping[str, Any]) -> dict[str, Any]:
    body = grave["body"]
    own = {"vaultId": body["id"], "location": body["location"], "tags": body["tags"]}
    times = {
        "deletionDate": f"{grave['deleted']:%Y-%m-%dT%H:%M:%SZ}",
        "scheduledPurgeDate": f"{grave['purged']:%Y-%m-%dT%H:%M:%SZ}",
    }
    protects = {"purgeProtectionEnabled": True} if body["properties"].get("enablePurgeProtection") else {}
    return {"name": body["name"], "properties": {**own, **times, **protects}}


@dataclass
class FakeVaults:
    """Lists below a vault, from the same resources that the hand writes to. `failures` are raised by the next calls, one each."""

    resources: dict[str, dict[str, Any]]
    graves: Graves
    calls: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    # How often a vault was called, by its id in lower case and the day, as 2026-11-20; or what asking for it ends in.
    hits: dict[str, dict[str, int] | Exception] = field(default_factory=dict)

    def keys(self, vault: ResourceId, *, gives_way: bool = False) -> Sequence[Mapping[str, Any]]:
        del gives_way
        return self._below(vault, "/keys")

    def secrets(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        return self._below(vault, "/secrets")

    def settings(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        return self._below(vault, SETTINGS)

    def deleted(self, subscription: str) -> Sequence[Mapping[str, Any]]:
        self.calls.append(f"/subscriptions/{subscription.lower()}/deletedvaults")
        if self.failures:
            raise self.failures.pop(0)
        return self.graves.shown()

    def metrics(self, vault: ResourceId, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        self.calls.append(f"{vault.key}/metrics")
        found = self.hits.get(vault.key, {})
        if isinstance(found, Exception):
            raise found
        days = [since + timedelta(days=n) for n in range((until - since).days)]
        return [metric([(day, found.get(f"{day:%Y-%m-%d}")) for day in days])]

    def _below(self, vault: ResourceId, what: str) -> Sequence[Mapping[str, Any]]:
        start = f"{vault.key}{what}/"
        self.calls.append(start.rstrip("/"))
        if self.failures:
            raise self.failures.pop(0)
        found = {path.removeprefix(start): body for path, body in self.resources.items() if path.startswith(start)}
        return [{"name": name, **body} for name, body in sorted(found.items()) if "/" not in name]


def metric(counts: Sequence[tuple[datetime, float | None]]) -> dict[str, Any]:
    """Return the metric of calls with these points; a day on which nothing was counted has no count."""
    points = [
        {"timeStamp": f"{day:%Y-%m-%dT%H:%M:%SZ}", **({} if count is None else {"count": count})}
        for day, count in counts
    ]
    return {
        "name": {"value": "ServiceApiHit", "localizedValue": "Total Service Api Hits"}, "unit": "Count",
        "timeseries": [{"metadatavalues": [], "data": points}],
    }  # fmt: skip


def setting(
    workspace: str = LOGS, *, category: str = "AuditEvent", enabled: bool = True, **more: Any
) -> dict[str, Any]:
    """Return the properties of a diagnostic setting; '' for no workspace."""
    logs = [{"category": category, "enabled": enabled}]
    return {"properties": {"workspaceId": workspace or None, "logs": logs, **more}}
