"""Evidence over the API: the pack for auditors, as a file. It is written to a temporary file, not into memory."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.core.errors import BadInput
from shared.core.frameworks import FRAMEWORKS
from shared.core.ports.standing import Standing
from shared.web.answers import CAREFUL
from shared.web.auth import Caller
from shared.web.openapi import Operation, Parameter
from shared.web.pack import write_pack

_PARAMETERS = (
    Parameter(
        "framework", f"only these, between commas, of {', '.join(FRAMEWORKS)}; all of them where it is not given"
    ),
)
_IN_MEMORY = 1 << 20  # bytes of a pack before it goes to a file
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class EvidenceApi:
    """The endpoint."""

    ports: Standing
    version: str

    def evidence(self, request: Request) -> Response:
        """Hand out the evidence pack: pages and sheets by framework, every history, and a manifest with each file's SHA-256."""
        caller: Caller = request.state.caller
        keys = _keys(request)
        held = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it is closed when it was sent
        try:
            write_pack(self.ports, self.version, caller.object_id, keys, held)  # type: ignore[arg-type]
            size = held.tell()
            held.seek(0)
        except BaseException:
            held.close()
            raise
        name = f"evidence-{self.ports.clock.now():%Y-%m-%d}.zip"
        headers = {**CAREFUL, "Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
        return HeldFile(held, headers, "application/zip")


def operations(ports: Standing, version: str) -> Sequence[Operation]:
    """Return its row of the route table."""
    run = EvidenceApi(ports, version).evidence
    return (Operation("GET", "/api/evidence", run, str, _PARAMETERS, files=("application/zip",)),)


def _keys(request: Request) -> Sequence[str]:
    """Return which frameworks are meant. Raises BadInput for one that is none."""
    given = ",".join(request.query_params.getlist("framework"))
    keys = [it.strip().lower() for it in given.split(",") if it.strip()]
    if set(request.query_params) - {"framework"} or (given and not keys) or set(keys) - set(FRAMEWORKS):
        raise BadInput("BadFramework", f"framework must be one of {', '.join(FRAMEWORKS)}, several between commas")
    return [it for it in FRAMEWORKS if not keys or it in keys]


class HeldFile(Response):
    """An answer that is sent from a file piece by piece; the file is closed then.

    Starlette's own StreamingResponse listens for the end of the connection meanwhile, which the Functions host never tells.
    """

    def __init__(self, held: IO[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(None, 200, headers, media_type)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        with self._held as held:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await run_in_threadpool(held.read, _PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
