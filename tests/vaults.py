"""What vaults hold and where their logs go, as the reader sees it, over the resources of a fake Azure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.core.ids import ResourceId

SETTINGS = "/providers/microsoft.insights/diagnosticsettings"
LOGS = "/subscriptions/33333333-2c6d-4f0a-8b1e-5d9c7a3e0003/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/log-cmk"  # fmt: skip


@dataclass
class FakeVaults:
    """Lists below a vault, from the same resources that the hand writes to. `failures` are raised by the next calls, one each."""

    resources: dict[str, dict[str, Any]]
    calls: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def keys(self, vault: ResourceId, *, gives_way: bool = False) -> Sequence[Mapping[str, Any]]:
        del gives_way
        return self._below(vault, "/keys")

    def secrets(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        return self._below(vault, "/secrets")

    def settings(self, vault: ResourceId) -> Sequence[Mapping[str, Any]]:
        return self._below(vault, SETTINGS)

    def _below(self, vault: ResourceId, what: str) -> Sequence[Mapping[str, Any]]:
        start = f"{vault.key}{what}/"
        self.calls.append(start.rstrip("/"))
        if self.failures:
            raise self.failures.pop(0)
        found = {path.removeprefix(start): body for path, body in self.resources.items() if path.startswith(start)}
        return [{"name": name, **body} for name, body in sorted(found.items()) if "/" not in name]


def setting(
    workspace: str = LOGS, *, category: str = "AuditEvent", enabled: bool = True, **more: Any
) -> dict[str, Any]:
    """Return the properties of a diagnostic setting; '' for no workspace."""
    logs = [{"category": category, "enabled": enabled}]
    return {"properties": {"workspaceId": workspace or None, "logs": logs, **more}}
