"""A report as CSV that a spreadsheet shows and does not run: whatever could begin a formula gets an apostrophe in front."""

import csv
import io
from collections.abc import Iterator

from shared.core.report.model import Line, Report
from shared.core.report.objects import evidence_text
from shared.core.ticket.escape import line as visible

COLUMNS = (
    "severity", "verdict", "control", "title", "target", "subject", "reason", "message",
    "decision", "decided_because", "state", "evidence", "id",
)  # fmt: skip
# Tab and CR are skipped by some programs in front of a formula; the last four are what full-width input makes of them.
_FORMULA = tuple("=+-@\t\r＝＋－＠")  # noqa: RUF001 - these letters are meant
_LONGEST = 32_000  # characters; a cell of a spreadsheet takes 32,767


def csv_text(report: Report) -> str:
    """Return the report as CSV (RFC 4180, all cells quoted): a head, a row for each line, a row for each gap."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(text) for text in row] for row in _rows(report))
    return out.getvalue()


def cell(text: str) -> str:
    """Return a text as a cell: one line that can be seen, and no formula."""
    seen = visible(text, _LONGEST)
    return f"'{seen}" if seen.startswith(_FORMULA) or text.startswith(_FORMULA) else seen


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    for it in report.lines:
        yield _row(it)
    for gap in report.gaps:
        yield ("", "Unread", "", "", gap.what, "", gap.reason, gap.message, "", "", "", "", "")


def _row(it: Line) -> tuple[str, ...]:
    return (
        it.severity, it.verdict, it.control, it.title, it.target, it.subject, it.reason, it.message,
        it.decision, it.decided_because, it.state, evidence_text(it), it.id,
    )  # fmt: skip
