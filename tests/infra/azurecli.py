"""A stand-in for Azure CLI: a shell script called `az` that notes what it is asked and answers lists."""

import os
import shlex
import subprocess
from pathlib import Path

Answers = list[tuple[str, list[str]]]


def install(folder: Path, answers: Answers, failing: str = "") -> dict[str, str]:
    """Put an `az` into a folder, with nothing asked yet; return the environment in which scripts find it.

    An answer is (parts of a command in their order, with * between them; the lines that it prints). A command with
    `failing` in it fails, as one does that somebody may not give.
    """
    notes = folder / "calls"
    notes.write_text("")
    lines = ["#!/bin/sh", f"printf '%s\\0' \"$*\" >> {notes}", 'case "$*" in']
    if failing:
        lines.append(f'*"{failing}"*) echo AuthorizationFailed >&2; exit 1 ;;')
    for parts, answer in answers:
        pattern = "*".join(f'"{part}"' for part in parts.split(" * "))
        lines.append(f"*{pattern}*) printf '%s\\n' {shlex.join(answer)} ;;")
    command = folder / "az"
    command.write_text("\n".join([*lines, "esac", ""]))
    command.chmod(0o700)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def run(script: Path, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script with the stand-in."""
    command = [str(script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def calls(folder: Path) -> list[str]:
    """Return what was asked, in order."""
    return (folder / "calls").read_text().split("\0")[:-1]
