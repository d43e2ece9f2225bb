"""Diagnostic settings -> facts. Category AuditEvent, or a group that holds it: audit, allLogs (AZURE 8.1)."""

from collections.abc import Iterable

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.facts.logs import LogSetting
from shared.core.parse import wire
from shared.core.parse.wire import Json

_LOG_ANALYTICS = "microsoft.operationalinsights/workspaces"
_GROUPS = frozenset({"audit", "alllogs"})
_PLACES = {
    "storageAccountId": "storage account",
    "eventHubAuthorizationRuleId": "event hub",
    "serviceBusRuleId": "service bus",
    "marketplacePartnerId": "partner",
}


def log_settings(bodies: Iterable[Json]) -> tuple[LogSetting, ...]:
    """Read the diagnostic settings of a resource."""
    return tuple(_setting(body, wire.obj(body, "properties")) for body in bodies)


def is_log_workspace(target: ids.ResourceId) -> bool:
    """Whether an id is that of a Log Analytics workspace."""
    return target.kind.lower() == _LOG_ANALYTICS


def _setting(body: Json, properties: Json) -> LogSetting:
    return LogSetting(
        name=wire.text(body, "name"),
        workspace=_workspace(wire.text(properties, "workspaceId")),
        elsewhere=tuple(place for field, place in _PLACES.items() if wire.text(properties, field)),
        audits=any(_audits(log) for log in wire.rows(properties, "logs")),
        raw=properties,
    )


def _workspace(path: str) -> str:
    """Return the id of the workspace; what is no such id is none, so that nothing is taken for a place that is no place."""
    try:
        target = ids.parse(path)
    except BadInput:
        return ""
    return target.key if is_log_workspace(target) else ""


def _audits(log: Json) -> bool:
    is_meant = wire.text(log, "category").lower() == "auditevent" or wire.text(log, "categoryGroup").lower() in _GROUPS
    return is_meant and wire.flag(log, "enabled") is True
