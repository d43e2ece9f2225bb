"""A report as SARIF 2.1.0: findings as results that fail, what could not be judged as results that are open.

A result of kind `open` is SARIF's word for "not enough is known to decide"; its level must be none. Controls that hold
are left out: GitHub shows every result as an alert, whatever its kind. What could not be read at all is a notification.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.core.control import Control
from shared.core.report.model import Gap, Line, Report
from shared.core.report.objects import plain
from shared.core.ticket.compliance import RULES
from shared.core.ticket.escape import line as visible

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}  # GitHub sorts by security-severity
_LONGEST = 4000  # characters of one text
# A text in brackets becomes a link for whoever shows it (SARIF 3.11.6).
_LINK = {ord(letter): "\\" + letter for letter in "\\[]"}


def sarif_text(report: Report) -> str:
    """Return the report as SARIF, indented, with a line break at its end."""
    numbers = {it.id: number for number, it in enumerate(report.controls)}
    shown = (*report.findings, *report.unknowns)
    run = {
        "tool": {
            "driver": {
                "name": report.tool,
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [_rule(it) for it in report.controls],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(it, numbers[it.control], report.source) for it in shown],
        "properties": {"scope": _safe(report.scope), "severity": report.least},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(control: Control) -> Mapping[str, Any]:
    rules = RULES.get(control.id, ())
    named = "; ".join(f"{it.framework} {it.id}{' (supporting)' if it.supports else ''}" for it in rules)
    because = f" Frameworks: {named}." if named else ""
    return {
        "id": control.id,
        "name": "".join(word.capitalize() for word in control.id.split("-")),
        "shortDescription": {"text": control.title},
        "fullDescription": {"text": f"{control.title}. Severity: {control.severity}."},
        "help": {"text": f"{control.id}: {control.title}. Severity: {control.severity}.{because}"},
        "defaultConfiguration": {"level": _LEVELS[control.severity]},
        "properties": {
            "severity": control.severity,
            "security-severity": _SCORES[control.severity],
            "precision": "very-high",
            "tags": ["security", "azure", "encryption"],
        },
    }


def _invocation(report: Report) -> Mapping[str, Any]:
    return {
        "executionSuccessful": not report.gaps,
        "endTimeUtc": report.made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": [_notification(it) for it in report.gaps],
    }


def _notification(gap: Gap) -> Mapping[str, Any]:
    return {
        "level": "error",
        "descriptor": {"id": _safe(gap.reason)},
        "message": {"text": _safe(f"{gap.what} could not be read: {gap.message}")},
    }


def _result(line: Line, number: int, source: str) -> Mapping[str, Any]:
    name = f"{line.target} {line.subject}".rstrip()
    return {
        "ruleId": line.control,
        "ruleIndex": number,
        "kind": "fail" if line.is_finding else "open",
        "level": _LEVELS[line.severity] if line.is_finding else "none",
        "message": {"text": _safe(f"{line.name}: {line.message}")},
        "locations": [_location(line, name, source)],
        "partialFingerprints": {"cmkwardenRecord/v1": line.id},
        "properties": {
            "target": line.target,
            "subject": line.subject,
            "reason": line.reason,
            "severity": line.severity,
            "decision": line.decision,
            "state": line.state,
            "evidence": plain(line.evidence),
        },
    }


def _location(line: Line, name: str, source: str) -> Mapping[str, Any]:
    logical = {"name": line.name, "fullyQualifiedName": name, "kind": "resource"}
    found: dict[str, Any] = {"logicalLocations": [logical]}
    if source:  # a result of Azure itself lies in no file, and GitHub only shows those that do
        region = {"startLine": max(1, line.at)}
        found["physicalLocation"] = {"artifactLocation": {"uri": quote(source)}, "region": region}
    return found


def _safe(text: str) -> str:
    return visible(text, _LONGEST).translate(_LINK)
