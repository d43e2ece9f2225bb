"""Hosts as separate processes: a command, a port, an error stream. Nothing here knows the host's inside."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from tests.simulator.host.cloud import APP_PYTHON, ROOT, Cloud
from tests.simulator.host.waiting import until

TOY = Path(__file__).with_name("toy")
MASTER, SYSTEM, CALLER = "master-key", "system-key", "caller-key"


@dataclass
class Host:
    """One host process."""

    cloud: Cloud
    folder: Path
    app: Path = TOY
    settings: dict[str, str] = field(default_factory=dict)
    hold: float = 600
    port: int = 0
    lines: list[str] = field(default_factory=list)
    url: str = ""
    worker: int = 0
    functions: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Write the file and start the command."""
        self.journal = self.folder / "journal.jsonl"
        self.journal.touch()
        config = {
            "app": str(self.app),
            "python": str(APP_PYTHON),
            "host": "127.0.0.1",
            "port": self.port,
            "settings": self.cloud.settings() | {"JOURNAL": str(self.journal)} | self.settings,
            "master_key": MASTER,
            "system_key": SYSTEM,
            "function_keys": {"default": CALLER},
            "hold_seconds": self.hold,
        }
        path = self.folder / "config.json"
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulator.host", "--config", str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"LEAK": "from the developer's shell", "HTTPS_PROXY": "http://127.0.0.1:9"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self) -> Self:
        """Wait for the ready line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "no ready line:\n" + "\n".join(self.lines)
        ready = json.loads(line)
        self.url, self.worker, self.functions = (
            ready["functions_url"],
            ready["worker_pid"],
            ready["functions"],
        )
        return self

    def __exit__(self, *_wrong: object) -> None:
        """End it, one way or the other."""
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code: int = self.process.wait(10)
        self._reader.join(5)
        return code

    def refusal(self) -> str:
        """Wait for a host that must not start, and give what it says."""
        code = self.process.wait(20)
        self._reader.join(5)
        text = "\n".join(self.lines)
        assert code == 1, text
        return text

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request."""
        return requests.request(method, self.url + path, timeout=30, **options)

    def admin(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request with the master key."""
        return self.ask(method, f"/admin/{path}", headers={"x-functions-key": MASTER}, **options)

    def event(self, body: Any, function: str = "on_event", kind: str = "Notification") -> requests.Response:
        """Send a body as Event Grid does."""
        return self.ask(
            "POST",
            f"/runtime/webhooks/EventGrid?functionName={function}&code={SYSTEM}",
            data=body if isinstance(body, str | bytes) else json.dumps(body),
            headers={"aeg-event-type": kind, "content-type": "application/json"},
        )

    def status(self) -> dict[str, Any]:
        """Ask how it is."""
        found: dict[str, Any] = self.admin("GET", "host/status").json()
        return found

    def notes(self, what: str) -> list[dict[str, Any]]:
        """Give what the toy's functions wrote down under a heading."""
        notes = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [note for note in notes if note["what"] == what]

    def wait_note(self, what: str, count: int = 1, limit: float = 20) -> list[dict[str, Any]]:
        """Wait for that many notes."""
        until(lambda: len(self.notes(what)) >= count, f"note {what}", limit)
        return self.notes(what)

    def wait_line(self, pattern: str, limit: float = 20) -> str:
        """Wait for a line on the error stream."""
        return until(lambda: next((line for line in self.lines if re.search(pattern, line)), ""), pattern, limit)


def alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def write_app(folder: Path, code: str, host: dict[str, Any] | None = None) -> Path:
    """Write a small app of one file."""
    app = folder / "app"
    app.mkdir()
    (app / "function_app.py").write_text(code)
    bundle = {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"}
    (app / "host.json").write_text(json.dumps({"version": "2.0", "extensionBundle": bundle} | (host or {})))
    return app
