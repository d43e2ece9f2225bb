"""Where words go: what was asked for to standard output, everything else to standard error. No foreign word is markup."""

import csv
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.safe import cell, plain

_WIDE = 10_000  # columns where no terminal limits them: a cell in a file or a pipe is never cut


class Form(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


STYLES: Mapping[str, str] = {
    "pass": "green", "fail": "bold red", "warn": "yellow", "unknown": "magenta", "resolved": "green", "failed": "red",
    "awaiting_approval": "yellow", "critical": "bold red", "high": "red", "medium": "yellow", "whole": "green",
    "broken": "bold red",
}  # fmt: skip


class Output:
    """Both streams."""

    def __init__(self, *, no_color: bool) -> None:
        is_plain = no_color or bool(os.environ.get("NO_COLOR"))
        wide = None if sys.stdout.isatty() else _WIDE
        self.out = Console(no_color=is_plain, highlight=False, markup=False, emoji=False, width=wide)
        self.err = Console(stderr=True, no_color=is_plain, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self.is_terminal = sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, text: str, style: str = "") -> None:
        """Write a message for the person to standard error."""
        self.err.print(Text(text, style=style))

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line that was asked for; it must be harmless already."""
        self.out.print(Text(text, style=style), soft_wrap=True)

    def json(self, value: Any) -> None:
        """Write a value as JSON in which every letter is visible ASCII."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")

    def csv(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write rows for a spreadsheet."""
        held = io.StringIO()
        writer = csv.writer(held, lineterminator="\r\n")
        writer.writerow(names)
        writer.writerows([cell(value) for value in row] for row in rows)
        sys.stdout.write(held.getvalue())

    def table(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write rows for a person. A column with nothing in it is left out; an id in the first stays whole on a narrow terminal."""
        texts = [[_styled(value) for value in row] for row in rows]
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        shown = [at for at in range(len(names)) if any(row[at].plain for row in texts)]
        for at in shown:
            table.add_column(Text(names[at]), overflow="fold", no_wrap=at == 0)
        for row in texts:
            table.add_row(*(row[at] for at in shown))
        self.out.print(table)


def _styled(value: Any) -> Text:
    text = plain(value)
    return Text(text, style=STYLES.get(text, ""))
