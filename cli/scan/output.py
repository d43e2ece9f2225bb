"""Where a report goes, and in which form: a file or stdout, bytes of UTF-8 for programs, the terminal's own for people."""

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from cli.scan.table import table_text
from shared.core.report import Report, csv_text, json_text, junit_text, ocsf_text, sarif_text

_WIDE = 160  # columns where there is no terminal to fit into


class Form(StrEnum):
    """The forms of a report."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    SARIF = "sarif"
    JUNIT = "junit"
    OCSF = "ocsf"


def rendered(report: Report, form: Form, *, color: bool) -> str:
    """Return a report in one form. `color` is for the table alone, and only where stdout is a terminal that knows it."""
    if form is Form.TABLE:
        width = shutil.get_terminal_size((_WIDE, 25)).columns
        return table_text(report, width=width, color=color and Console().color_system is not None)
    if form is Form.HTML:
        from shared.web.paper import html_text  # noqa: PLC0415 - only this form needs a template engine

        return html_text(report)
    texts = {
        Form.JSON: json_text, Form.CSV: csv_text, Form.SARIF: sarif_text, Form.JUNIT: junit_text, Form.OCSF: ocsf_text,
    }  # fmt: skip
    return texts[form](report)


def put(text: str, form: Form, file: Path | None) -> None:
    """Write a report. Raises OSError where that is not possible.

    Whoever closes the pipe early, as `head` does, ends us as it ends any other program: by SIGPIPE.
    """
    if file:
        file.write_bytes(text.encode("utf-8", "backslashreplace"))
        return
    coding = sys.stdout.encoding if form is Form.TABLE else "utf-8"
    with _like_any_program():
        sys.stdout.buffer.write(text.encode(coding or "utf-8", "backslashreplace"))
        sys.stdout.flush()


@contextmanager
def _like_any_program() -> Iterator[None]:
    """Let SIGPIPE end us, and only now: a connection that Azure closes must not end a scan. Windows has no such thing."""
    if not hasattr(signal, "SIGPIPE"):
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGPIPE, before)
