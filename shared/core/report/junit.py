"""A report as JUnit XML: a suite for each control, so that a build shows findings as failed tests."""

import html
from collections.abc import Sequence

from shared.core.report.model import Gap, Line, Report
from shared.core.report.objects import evidence_text
from shared.core.ticket.escape import line as visible

_LONGEST = 4000  # characters of one text
_ELEMENTS = {"NonCompliant": "failure", "Unknown": "error", "NotApplicable": "skipped"}
_UNREAD = "not read"


def junit_text(report: Report) -> str:
    """Return the report as JUnit XML: compliant passes, a finding fails, unknown is an error, not applicable is skipped."""
    suites = [_suite(report, it.id, [_case(line) for line in _of(report, it.id)]) for it in report.controls]
    if report.gaps:
        suites.append(_suite(report, _UNREAD, [_gap(it) for it in report.gaps]))
    total = [len(report.lines) + len(report.gaps), len(report.findings), len(report.unknowns) + len(report.gaps)]
    head = f'<testsuites name={_quoted(report.tool)} tests="{total[0]}" failures="{total[1]}" errors="{total[2]}" time="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>", ""])


def _of(report: Report, control: str) -> Sequence[Line]:
    return [it for it in report.lines if it.control == control]


def _suite(report: Report, name: str, cases: Sequence[str]) -> str:
    counts = {word: sum(f"<{word} " in it for it in cases) for word in _ELEMENTS.values()}
    numbers = " ".join(
        f'{word}="{count}"'
        for word, count in (
            ("tests", len(cases)),
            ("failures", counts["failure"]),
            ("errors", counts["error"]),
            ("skipped", counts["skipped"]),
        )
    )
    moment = report.made.strftime("%Y-%m-%dT%H:%M:%S")
    head = f'<testsuite name={_quoted(name)} {numbers} time="0" timestamp="{moment}" hostname="azure">'
    return "\n".join([head, *cases, "</testsuite>"])


def _case(line: Line) -> str:
    name = f"{line.target} {line.subject}".rstrip()
    head = f'<testcase classname={_quoted(line.control)} name={_quoted(name)} time="0"'
    word = _ELEMENTS.get(line.verdict)
    if word is None:
        return f"{head}/>"
    detail = f"{line.severity}: {line.message}\n{evidence_text(line)}"
    return f"{head}>{_element(word, line.reason, line.message, detail)}</testcase>"


def _gap(gap: Gap) -> str:
    head = f'<testcase classname="{_UNREAD}" name={_quoted(gap.what)} time="0"'
    return f"{head}>{_element('error', gap.reason, gap.message, gap.message)}</testcase>"


def _element(word: str, reason: str, message: str, detail: str) -> str:
    return f"<{word} type={_quoted(reason)} message={_quoted(message)}>{_text(detail)}</{word}>"


def _quoted(text: str) -> str:
    """Return a text as an attribute. What XML 1.0 forbids cannot be seen either, and is replaced with it."""
    return f'"{html.escape(visible(text, _LONGEST))}"'


def _text(text: str) -> str:
    return html.escape("\n".join(visible(each, _LONGEST) for each in text.split("\n")).rstrip())
