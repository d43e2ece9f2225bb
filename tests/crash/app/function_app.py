"""The real app in a worker that kills itself: after its n-th write from now, when the file `arm` beside it says n."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from azure.core.pipeline.transport import RequestsTransport

ARM = Path(__file__).parent / "arm"
_READS = ("/providers/microsoft.resourcegraph/", "/msi/token")
_lock = threading.Lock()
_send = RequestsTransport.send
_counted = 0


def _dies_now() -> bool:
    """Count one write; say whether it is the last one. The file goes first, so that one arming kills once."""
    global _counted  # noqa: PLW0603 - one number for the whole process
    with _lock:
        if not ARM.exists():
            _counted = 0
            return False
        _counted += 1
        if _counted < int(ARM.read_text()):
            return False
        ARM.unlink()
        return True


def _sending(self: Any, request: Any, **options: Any) -> Any:
    try:
        return _send(self, request, **options)
    finally:
        is_write = request.method not in {"GET", "HEAD"} and not any(part in request.url.lower() for part in _READS)
        if is_write and _dies_now():
            os.kill(os.getpid(), signal.SIGKILL)


RequestsTransport.send = _sending

from real_function_app import app  # type: ignore[import-not-found]  # noqa: E402, F401
