"""The real app in a worker that writes down every request it sends: one JSON line each, in `requests.jsonl` beside it."""

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import RequestsTransport

_LOG = (Path(__file__).parent / "requests.jsonl").open("a", buffering=1)
_lock = threading.Lock()
_send = RequestsTransport.send


def _sending(self: Any, request: Any, **options: Any) -> Any:
    answer = _send(self, request, **options)
    parts = urlsplit(request.url)
    note = {
        "method": request.method,
        "host": parts.netloc,
        "path": parts.path,
        "sent": len(request.body or b"") if isinstance(request.body, str | bytes) else 0,
        "received": int(answer.headers.get("Content-Length") or len(answer.internal_response.content)),
    }
    with _lock:
        _LOG.write(json.dumps(note) + "\n")
    return answer


RequestsTransport.send = _sending

from real_function_app import app  # type: ignore[import-not-found]  # noqa: E402, F401
