"""`report`: the findings of the whole estate as the app has them on record, in the forms that other tools read."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.safe import block
from cli.session import Session, Usage, connected


class ReportForm(StrEnum):
    """The forms of a report."""

    JSON = "json"
    CSV = "csv"
    SARIF = "sarif"
    JUNIT = "junit"
    OCSF = "ocsf"
    HTML = "html"


class Severity(StrEnum):
    """How severe a control is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@connected
def report(
    session: Session,
    form: Annotated[ReportForm, typer.Option("--output", "-o", help="In which form.")] = ReportForm.JSON,
    severity: Annotated[Severity, typer.Option("--severity", help="Leave out controls below this severity.")] = Severity.LOW,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Write to this file instead of standard output.")] = None,
) -> None:  # fmt: skip
    """Report on the whole estate as the app's last looks have left it. `scan` asks Azure instead, and needs no app.

    Example: cmkwarden report -o ocsf --output-file findings.jsonl
    """
    written(session.app.file("/api/report", format=form, severity=severity), output_file)


def written(content: bytes, file: Path | None) -> None:
    """Write a file, or text to standard output: to a terminal only what it cannot obey. Raises Usage where a file cannot be written."""
    if file is None:
        if sys.stdout.isatty():
            sys.stdout.write(block(content.decode("utf-8", "replace")))
        else:
            sys.stdout.buffer.write(content)
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Usage(f"{file} cannot be written: {error.strerror}") from None
