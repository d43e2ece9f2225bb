"""A report as a table for a terminal. Names that came from Azure are shown as text: no markup, no control sequence."""

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.core.report import Line, Report
from shared.core.ticket.escape import line as visible

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
_LONGEST = 1000  # characters of one cell


def table_text(report: Report, *, width: int, color: bool) -> str:
    """Return what is not met and what is not known, and the counts of all. `width` is in columns."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, color_system="auto" if color else None, highlight=False,
        markup=False, emoji=False, no_color=not color, legacy_windows=False,
    )  # fmt: skip
    shown = (*report.findings, *report.unknowns)
    if shown:
        console.print(_table(shown))
    for gap in report.gaps:
        console.print(Text(f"not read: {_seen(gap.what)}: {_seen(gap.message)}", overflow="fold"), soft_wrap=True)
    console.print(Text(_counts(report)), soft_wrap=True)
    return out.getvalue()


def _table(lines: tuple[Line, ...]) -> Table:
    table = Table(show_lines=True, expand=False, title_justify="left")
    for name in ("Severity", "Control"):
        table.add_column(name, no_wrap=True)
    for name, share in (("Target", 2), ("What", 3)):
        table.add_column(name, ratio=share, overflow="fold")
    for it in lines:
        severity = Text(it.severity, _STYLES[it.severity]) if it.is_finding else Text("unknown", "dim")
        table.add_row(severity, Text(it.control), _target(it), _what(it))
    return table


def _target(it: Line) -> Text:
    text = Text(_seen(f"{it.name} {it.subject}".rstrip()), "bold")
    text.append(f"\n{_seen(it.target)}", "dim")
    return text


def _what(it: Line) -> Text:
    text = Text(f"{_seen(it.reason)}: {_seen(it.message)}")
    if it.decision:
        text.append(f"\n{it.decision}: {_seen(it.decided_because)}", "dim")
    return text


def _counts(report: Report) -> str:
    verdicts = report.counted()
    found = ", ".join(f"{count} {severity}" for severity, count in report.severities().items() if count)
    words = [
        f"targets: {report.targets}",
        f"findings: {verdicts['NonCompliant']}{f' ({found})' if found else ''}",
        f"unknown: {verdicts['Unknown']}",
        f"compliant: {verdicts['Compliant']}",
        f"not applicable: {verdicts['NotApplicable']}",
        f"not read: {len(report.gaps)}",
    ]
    return ", ".join(words)


def _seen(text: str) -> str:
    """Return a foreign text that no terminal obeys, and no build agent that reads the log line by line."""
    return visible(text, _LONGEST).replace("##", "#\u2060#").replace("::", ":\u2060:")
