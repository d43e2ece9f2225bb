"""The few files beside the pages: read once, served from memory, under an address that changes with what they hold."""

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    media_type: str
    body: bytes
    packed: bytes
    version: str


@functools.cache
def _all() -> dict[str, Asset]:
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            version = hashlib.sha256(body).hexdigest()[:12]
            found[path.name] = Asset(_TYPES[path.suffix], body, gzip.compress(body, mtime=0), version)
    return found


def address(name: str) -> str:
    """Return where a file is found."""
    return f"/static/{_all()[name].version}/{name}"


def serve(request: Request) -> Response:
    """Answer with a file. Nothing in it is private: it needs no sign-in."""
    asset = _all().get(request.path_params["name"])
    # Another version is another file: an old instance must not be remembered under a new address.
    if asset is None or request.path_params["version"] != asset.version:
        raise HTTPException(404, "There is no such file")
    headers = {"Cache-Control": _FOREVER, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, 200, {**headers, "Content-Encoding": "gzip"}, asset.media_type)
    return Response(asset.body, 200, headers, asset.media_type)
