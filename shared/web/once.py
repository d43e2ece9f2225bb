"""`Idempotency-Key`: a write that is sent twice is done once, and the second time the first answer comes again.

no answer yet           the key is claimed first; a second request meanwhile is told so (409)
2xx, or a final 4xx     kept for a day: the same key, caller and path give it again, another body is refused (422)
anything else           the claim is given back: nothing was settled, the same key may try again
the worker died         the claim ends with its lease; then the request runs again, and the flow tells what it finds
"""

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput, Refused, Temporary
from shared.core.ports import Kept, Ports
from shared.flow.say import say
from shared.web.answers import refusal, said
from shared.web.refusals import KeyReused, StillRunning

_log = logging.getLogger("cmkwarden.once")

LEASE = timedelta(minutes=5)  # longer than the platform lets a request run
Endpoint = Callable[[Request], Response]


def once(ports: Ports, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint, which does nothing twice for requests that carry a key."""

    def guarded(request: Request) -> Response:
        names = request.headers.getlist("idempotency-key")
        if not names:
            return endpoint(request)
        if len(names) > 1 or not re.fullmatch("[!-~]{1,255}", names[0]):
            raise BadInput("BadIdempotencyKey", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        return _once(ports, endpoint, request, names[0])

    return guarded


def _once(ports: Ports, endpoint: Endpoint, request: Request, name: str) -> Response:
    reference = _hash(request.state.caller.object_id, request.method, request.url.path, name)
    asked = _hash(request.url.query, request.state.body.hex())
    claim = ports.answers.claim(reference, asked, ports.clock.now(), LEASE)
    if claim.asked != asked:
        raise KeyReused("this Idempotency-Key was used for another request: take a new one")
    if claim.kept:
        kept = claim.kept
        headers = {"Idempotency-Replayed": "true"} | ({"ETag": kept.etag} if kept.etag else {})
        return said(kept.status, kept.body.encode(), kept.media_type, headers)
    if not claim.token:
        raise StillRunning("the first request with this Idempotency-Key is still running: ask again", 5)
    try:
        response = _final(endpoint, request)
    except Exception:
        ports.answers.release(reference, claim.token)
        raise
    _keep(ports, reference, claim.token, response)
    return response


def _final(endpoint: Endpoint, request: Request) -> Response:
    """Return an answer that will not be another one tomorrow; raise whatever may be."""
    try:
        return endpoint(request)
    except (BadInput, Refused, HTTPException) as error:
        return refusal(error)


def _keep(ports: Ports, reference: str, token: str, response: Response) -> None:
    etag, media_type = response.headers.get("etag", ""), response.headers["content-type"]
    kept = Kept(response.status_code, media_type, etag, bytes(response.body).decode())
    try:
        ports.answers.keep(reference, token, kept)
    except Temporary as error:  # what was asked for is done: that answer must not become an error
        say(_log, "unkept", logging.WARNING, reason=error.reason)


def _hash(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
