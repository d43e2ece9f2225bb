"""Child processes of the local Azure: started with a log of their own, awaited until ready, ended without remains."""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_GRACE = 5  # seconds between asking a child to end and ending it
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, Linux


class NotReadyError(RuntimeError):
    """A part of the local Azure did not come up. The message holds the end of its log."""


def die_with_parent() -> None:
    """In a child, before it runs: end when the parent does, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)


class Child:
    """One process, in a session of its own so that Ctrl-C reaches only us: we end the parts in their order."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, *,
        says_ready: bool = True,
    ) -> None:  # fmt: skip
        """`says_ready`: its first line of output is its ready line; else all that it says goes into the log."""
        self.name = name
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            self._popen = subprocess.Popen(
                command,
                stdout=subprocess.PIPE if says_ready else errors,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                env=dict(os.environ if env is None else env),
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one call, before any thread of ours exists
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def ready_line(self, seconds: float) -> dict[str, Any]:
        """Wait for the one JSON line that a part prints when it is ready."""
        assert self._popen.stdout is not None
        readable, _, _ = select.select([self._popen.stdout], [], [], seconds)
        line = self._popen.stdout.readline() if readable else b""
        if not line:
            raise NotReadyError(self.obituary(f"was not ready within {seconds:.0f} s"))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def wait_for(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until a condition holds."""
        until = time.monotonic() + seconds
        while not is_ready():
            if not self.is_alive() or time.monotonic() > until:
                raise NotReadyError(self.obituary(f"was not ready within {seconds:.0f} s"))
            time.sleep(0.02)

    def obituary(self, what: str) -> str:
        """Return what happened, with the end of the log."""
        code = self._popen.poll()
        tail = self._log.read_text(errors="replace").splitlines()[-25:]
        ended = "" if code is None else f" and ended with code {code}"
        return "\n".join([f"{self.name} {what}{ended}; the end of {self._log}:", *tail])

    def stop(self) -> None:
        """End it, politely first, and everything it has started."""
        if self.is_alive():
            self._popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(_GRACE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdout:
            self._popen.stdout.close()
