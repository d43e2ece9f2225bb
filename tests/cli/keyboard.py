"""Somebody at a keyboard in front of a running app: `cmkwarden` as a process of its own, in an environment of its own."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import command_line
from simulator.client import Client
from simulator.stack import ROOT

COMMAND = [sys.executable, "-m", "cli.main"]
type Done = subprocess.CompletedProcess[str]


class Keyboard:
    """Types commands. `azure` is the local Azure that `--local` finds; without one nothing is known but what is typed."""

    def __init__(self, folder: Path, azure: Client | None = None) -> None:
        self.folder = folder
        (folder / ".local").mkdir(parents=True, exist_ok=True)
        if azure:
            (folder / ".local/stack.json").write_text(json.dumps(azure.facts))
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}

    def type(self, *words: str, **environ: str) -> Done:
        """Run to the end, with no terminal anywhere."""
        return subprocess.run(
            [*COMMAND, *words], env={**self.environ, **environ}, cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def quick(self, *words: str) -> Done:
        """Run in this process: the same words and the same streams, without the start of a process."""
        done = CliRunner().invoke(command_line(list(words)), list(words), env=self.environ, prog_name="cmkwarden")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    def local(self, *words: str, who: str = "Rada", **environ: str) -> Done:
        """Run as somebody of the local Azure."""
        return self.type(*words, "--local", "--as", who, **environ)

    def json(self, *words: str, who: str = "Rada") -> Any:
        """Return what a command writes as JSON, whatever its end."""
        return json.loads(self.local(*words, "-o", "json", who=who).stdout)

    def answer(self, typed: str, *words: str) -> Done:
        """Run at a terminal, where somebody types a line; what was asked is the standard error of the answer."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*COMMAND, *words], env=self.environ, cwd=self.folder, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
            text=True,
        ) as running:  # fmt: skip
            os.close(theirs)
            os.write(ours, f"{typed}\n".encode())
            out, _ = running.communicate(timeout=60)
        return subprocess.CompletedProcess(words, running.returncode, out, _all(ours))


def _all(terminal: int) -> str:
    found = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed: this is how a terminal ends
            part = b""
        if not part:
            os.close(terminal)
            return found.decode()
        found += part
