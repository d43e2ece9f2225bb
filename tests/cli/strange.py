"""A strange server, for the command line to meet: it answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Say = tuple[int, Mapping[str, str], bytes]


@dataclass
class Server:
    """Answers each request in turn, the last answer for ever; `seen` is what was asked."""

    url: str = ""
    script: list[Say] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    stall: float = 0.0

    def says(self, *answers: Any, status: int = 200) -> None:
        """Answer so from now on: bytes as they are, everything else as JSON."""
        self.script = [it if isinstance(it, tuple) else (status, {}, wire(it)) for it in answers]

    def next(self) -> Say:
        """Return what is answered now."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def wire(value: Any) -> bytes:
    """Return a body as it goes over the wire."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@contextmanager
def serving() -> Iterator[Server]:
    """A server on this machine."""
    told = Server(script=[(200, {}, b"{}")])

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.seen.append((self.command, self.path, {name.lower(): it for name, it in self.headers.items()}))
            time.sleep(told.stall)
            status, headers, body = told.next()
            (self.send_response_only if "Date" in headers else self.send_response)(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield told
    http.shutdown()
    http.server_close()
