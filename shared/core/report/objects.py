"""A report as JSON. All but ASCII is escaped: no control sequence, bidi mark or half of a pair reaches whoever prints it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import Any

from shared.core.report.model import Line, Report


def json_text(report: Report) -> str:
    """Return the report as one JSON object, indented, with a line break at its end."""
    whole = {
        "tool": {"name": report.tool, "version": report.version},
        "time": report.made.isoformat(),
        "scope": report.scope,
        "source": report.source,
        "severity": report.least,
        "counts": {
            "targets": report.targets,
            "verdicts": dict(report.counted()),
            "findings": dict(report.severities()),
            "unread": len(report.gaps),
        },
        "items": [_item(line) for line in report.lines],
        "unread": [asdict(gap) for gap in report.gaps],
    }
    return json.dumps(whole, indent=2) + "\n"


def plain(value: object) -> Any:
    """Return evidence as what JSON knows: values as they are, whatever else as its text."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(each) for each in value), key=str)
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def evidence_text(line: Line) -> str:
    """Return the evidence of a line in one line of JSON; '' where there is none."""
    return json.dumps(plain(line.evidence), sort_keys=True) if line.evidence else ""


def _item(line: Line) -> Mapping[str, Any]:
    return {
        "id": line.id,
        "control": line.control,
        "title": line.title,
        "severity": line.severity,
        "target": line.target,
        "subject": line.subject,
        "verdict": line.verdict,
        "reason": line.reason,
        "message": line.message,
        "evidence": plain(line.evidence),
        "decision": {"kind": line.decision, "message": line.decided_because} if line.decision else None,
        "state": line.state or None,
        "line": line.at or None,
    }
