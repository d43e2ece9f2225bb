"""Puts the workbook together: the figures, times and costs as tables and charts, each from a query of infra/workbook."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent / "workbook"
_DAY = 86_400_000  # milliseconds
_RANGES = (1, 7, 30, 90)  # days to choose from
_TEXT = (
    "## cmkwarden\n"
    "What the service says of itself in its log, and what vaults say in theirs. The figures are made once a day; their "
    "definitions are on the page *Overview* of the console. Nothing here is evidence: that is in the records."
)


def items() -> Sequence[Mapping[str, Any]]:
    """Return what infra/workbook/workbook.json says of each query."""
    found: Sequence[Mapping[str, Any]] = json.loads((HERE / "workbook.json").read_text())
    return found


def query(it: Mapping[str, Any], source: Callable[[str], str]) -> str:
    """Return the whole query of an item."""
    return "".join([*(source(name) for name in it["sources"]), (HERE / f"{it['name']}.kql").read_text()]).rstrip()


def workbook(source: Callable[[str], str]) -> dict[str, object]:
    """Return the workbook as the portal keeps it, before it becomes a text. `source` gives what a query stands on."""
    return {
        "version": "Notebook/1.0",
        "items": [_text(), _time(), *(_query(it, source) for it in items())],
        "fallbackResourceIds": ["[parameters('workspace')]"],
    }


def _text() -> dict[str, object]:
    return {"type": 1, "name": "about", "content": {"json": _TEXT}}


def _time() -> dict[str, object]:
    choice = {
        "id": "0b7f0a5e-52b5-4a39-9d3d-2f3f6d0c6e11",
        "version": "KqlParameterItem/1.0",
        "name": "TimeRange",
        "label": "Time",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": 30 * _DAY},
        "typeSettings": {"selectableValues": [{"durationMs": days * _DAY} for days in _RANGES], "allowCustom": True},
    }
    return {"type": 9, "name": "time", "content": {"version": "KqlParameterItem/1.0", "parameters": [choice]}}


def _query(it: Mapping[str, Any], source: Callable[[str], str]) -> dict[str, object]:
    workspace = "auditWorkspace" if it["log"] == "audit" else "workspace"
    return {
        "type": 3,
        "name": it["name"],
        "content": {
            "version": "KqlItem/1.0",
            "query": query(it, source),
            "size": 0,
            "title": it["title"],
            "timeContextFromParameter": "TimeRange",
            "queryType": 0,
            "resourceType": "microsoft.operationalinsights/workspaces",
            "crossComponentResources": [f"[parameters('{workspace}')]"],
            "visualization": it["shows"],
        },
    }
