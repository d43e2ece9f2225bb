"""A framework's page as CSV: a row for each requirement, control and line. No spreadsheet takes a cell for a formula."""

import csv
import io
from collections.abc import Iterator, Sequence

from shared.core.evidence.model import Answer, Chapter, Exhibit
from shared.core.report.cells import cell

COLUMNS = (
    "framework", "requirement", "asks", "mapping", "source", "control", "outcome", "target", "subject", "reason", "message",
    "state", "exempted_by", "exempted_because", "exempted_until", "record",
)  # fmt: skip


def sheet(chapter: Chapter) -> Iterator[str]:
    """Yield the lines of the sheet (RFC 4180), its columns named in the first."""
    yield _line(COLUMNS)
    for answer in chapter.answers:
        for row in _rows(chapter.framework.name, answer):
            yield _line(row)


def _rows(framework: str, answer: Answer) -> Iterator[Sequence[str]]:
    it = answer.requirement
    mapping = "official" if answer.is_official else "supporting"
    head = (framework, it.id, it.title, mapping, it.source, answer.control)
    if answer.silence:
        yield (*head, "not judged", "", "", "", answer.silence, "", "", "", "", "")
        return
    for exhibit in answer.exhibits:
        yield (*head, *_said(exhibit))


def _said(it: Exhibit) -> Sequence[str]:
    line, given = it.line, it.exemption
    until = (given.owner, given.reason, given.expires.isoformat()) if given else ("", "", "")
    return it.outcome, line.target, line.subject, line.reason, line.message, line.state, *until, line.id


def _line(row: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([cell(it) for it in row])
    return out.getvalue()
