"""Rows -> CSV that spreadsheets open and do nothing else with: what would be a formula there is text."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.core.report.cells import cell
from shared.core.shelf import Summary

_COLUMNS = (
    "id", "control", "target", "subject", "state", "verdict", "kind", "decided", "reason", "message", "owner", "steps",
    "irreversible", "asked", "opened", "updated",
)  # fmt: skip


def of(rows: Iterable[Summary]) -> str:
    """Return the sheet, its columns named in the first line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        writer.writerow([_cell(getattr(row, name)) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> str:
    return cell(value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value))
