"""What a scan says while it runs, on stderr: a bar in front of a person, plain lines elsewhere. Data never goes here."""

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from shared.core.ticket.escape import line as visible

_LONGEST = 2000  # characters of one message


class Say:
    """The voice of one scan. `done` of `total` targets have been looked at."""

    def __init__(self, environ: Mapping[str, str], *, color: bool) -> None:
        self._console = Console(stderr=True, no_color=not color or None, highlight=False, markup=False, soft_wrap=True)
        is_ci = environ.get("CI", "").lower() not in {"", "0", "false"}
        self._is_live = sys.stderr.isatty() and not is_ci
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self.done = self.total = 0

    def line(self, text: str) -> None:
        """Say one sentence. Whatever came from outside is shown, and does nothing to the terminal."""
        for each in text.split("\n"):
            self._console.print(visible(each, _LONGEST))

    def begin(self, what: str, total: int) -> None:
        """Begin to count."""
        self.total = total
        self.line(f"looking at {what}")
        if self._is_live:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("scanning", total=total)
            self._bar.start()

    def step(self) -> None:
        """Count one more."""
        self.done += 1
        if self._bar:
            self._bar.advance(self._task)

    def end(self, more: str = "") -> None:
        """Stop counting; `more` is worth a line."""
        self.stop()
        self.line(f"looked at {self.done} of {self.total}{'; ' + more if more else ''}")

    def stop(self) -> None:
        """Take the bar off the terminal, wherever the scan stands."""
        if self._bar:
            self._bar.stop()
            self._bar = None
