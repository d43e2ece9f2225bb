"""A report as OCSF 1.5.0 Compliance Findings (class 2003), one JSON object a line, as Prowler's readers take it.

https://schema.ocsf.io/1.5.0/classes/compliance_finding, with the profile `cloud`. Only requirements that a control speaks of
are named as such; those that it merely supports go under `unmapped`. All but ASCII is escaped.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared.core.frameworks import official, supporting
from shared.core.record import key
from shared.core.report.model import Gap, Line, Report
from shared.core.report.objects import plain
from shared.core.ticket.escape import line as visible

VERSION = "1.5.0"
_SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_UNKNOWN = (0, "Unknown")
# compliance.status_id, and what Prowler's readers look for in status_code.
_VERDICTS = {
    "Compliant": (1, "Pass", "PASS"), "NonCompliant": (3, "Fail", "FAIL"), "NotApplicable": (99, "NotApplicable", "MANUAL"),
}  # fmt: skip
_UNJUDGED = (0, "Unknown", "UNKNOWN")
# status_id of the finding: suppressed by an exemption, under way, over; whatever else is new.
_STANDS = {"suppressed": (3, "Suppressed"), "queued": (2, "In Progress"), "applying": (2, "In Progress")}
_CLASS: Mapping[str, Any] = {
    "activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings", "class_uid": 2003,
    "class_name": "Compliance Finding", "type_uid": 200301, "type_name": "Compliance Finding: Create",
}  # fmt: skip


def ocsf_text(report: Report) -> str:
    """Return the report: an object for each line, then one for each gap; '' where there is neither."""
    events = [*(_event(report, it) for it in report.lines), *(_gap(report, it) for it in report.gaps)]
    return "".join(json.dumps(it, separators=(",", ":")) + "\n" for it in events)


def _event(report: Report, line: Line) -> Mapping[str, Any]:
    status_id, status, code = _VERDICTS.get(line.verdict, _UNJUDGED)
    severity_id, severity = _SEVERITIES[line.severity]
    stands_id, stands = (4, "Resolved") if status_id == 1 else _STANDS.get(line.state, (1, "New"))
    met, near = official(line.control), supporting(line.control)
    named = {"requirements": [each.id for _, each in met], "standards": list(dict.fromkeys(it.name for it, _ in met))}
    own: dict[str, Any] = {
        "severity_id": severity_id, "severity": severity, "status_id": stands_id, "status": stands, "status_code": code,
        "message": line.message,
        "finding_info": {"uid": line.id, "title": line.title, "desc": line.message, "types": [line.control]},
        "compliance": {"control": line.control, "status_id": status_id, "status": status, **{name: it for name, it in named.items() if it}},
        "resources": [_resource(line)],
        "cloud": _cloud(line),
        "unmapped": {
            "verdict": line.verdict, "reason": line.reason, "subject": line.subject, "state": line.state,
            "decision": line.decision, "evidence": plain(line.evidence),
            "supports": [f"{it.name} {each.id}" for it, each in near],
        },
    }  # fmt: skip
    if line.decided_because:
        own["remediation"] = {"desc": line.decided_because}
    return {**_CLASS, **_about(report, line.control), **own}


def _gap(report: Report, gap: Gap) -> Mapping[str, Any]:
    """Return what could not be read as a finding that nobody could judge: never taken for a pass."""
    uid = key("unread", visible(gap.what), visible(gap.reason))  # halves of surrogate pairs have no bytes
    return {
        **_CLASS, **_about(report, "unread"), "severity_id": _UNKNOWN[0], "severity": _UNKNOWN[1], "status_id": 1,
        "status": "New", "status_code": _UNJUDGED[2], "message": gap.message,
        "finding_info": {"uid": uid, "title": f"{gap.what} could not be read", "desc": gap.message, "types": ["unread"]},
        "compliance": {"control": "unread", "status_id": _UNJUDGED[0], "status": _UNJUDGED[1]},
        "resources": [{"name": gap.what}], "cloud": {"provider": "Azure"}, "unmapped": {"reason": gap.reason},
    }  # fmt: skip


def _about(report: Report, control: str) -> Mapping[str, Any]:
    product = {"name": report.tool, "vendor_name": report.tool, "version": report.version}
    about = {"version": VERSION, "product": product, "profiles": ["cloud"], "event_code": control}
    return {"metadata": about, "time": int(report.made.timestamp() * 1000)}


def _resource(line: Line) -> Mapping[str, Any]:
    words = line.target.split("/")
    kind = "/".join(words[6:8]) if len(words) > 8 else ""
    known = {"type": kind, "region": line.region}
    return {"uid": line.target, "name": line.name, **{name: it for name, it in known.items() if it}}


def _cloud(line: Line) -> Mapping[str, Any]:
    words = line.target.split("/")
    account = {"account": {"uid": words[2]}} if len(words) > 2 and words[2] else {}
    return {"provider": "Azure", **account, **({"region": line.region} if line.region else {})}
