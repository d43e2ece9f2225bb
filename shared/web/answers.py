"""Answers: JSON, and one envelope for every error (RFC 9457), each with headers that keep browsers careful."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import BadInput, Conflict, Denied, Refused, RemediationError, Temporary
from shared.web.auth import NotAllowed, NotSignedIn
from shared.web.shapes import Problem

_log = logging.getLogger("cmkwarden.web")

_CAREFUL = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_STATUS: tuple[tuple[type[RemediationError], int, str], ...] = (
    (BadInput, 400, "Bad request"),
    (Refused, 409, "Not possible now"),
    (Conflict, 409, "Changed meanwhile"),
    (Denied, 403, "Azure refused"),
    (Temporary, 503, "Azure cannot be asked right now"),
)


def answer(content: Any, status: int = 200) -> Response:
    """Return JSON."""
    return Response(msgspec.json.encode(content), status, dict(_CAREFUL), "application/json")


def problem(
    status: int,
    title: str,
    reason: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Response:
    """Return a problem document. Its type is `/problems/<reason>`; docs/problems.md says what to do about each."""
    told = msgspec.to_builtins(Problem(f"/problems/{reason}", title, status, detail, reason))
    body = msgspec.json.encode({**(extra or {}), **told})
    return Response(body, status, {**_CAREFUL, **(headers or {})}, "application/problem+json")


def refusal(error: Exception) -> Response:
    """Return the answer to an error that a request ran into. Bugs are logged and told without their insides."""
    if isinstance(error, NotSignedIn):
        return problem(401, "Sign in", "NotSignedIn", str(error), {"WWW-Authenticate": "Bearer"})
    if isinstance(error, NotAllowed):
        return problem(403, "Not allowed", "NotAllowed", str(error))
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            headers = {"Retry-After": "5"} if isinstance(error, Temporary) else None
            extra = error.extra if isinstance(error, Refused) else None
            return problem(status, title, error.reason, error.message, headers, extra)
    if isinstance(error, HTTPException):
        return problem(
            error.status_code, str(error.detail), "Http", _hint(error.status_code), dict(error.headers or {})
        )
    _log.error("a request failed", exc_info=error)
    return problem(500, "A bug", "Bug", "this should not have happened; the app's log has the trace")


async def refused(_request: Request, error: Exception) -> Response:
    """Answer an error, for Starlette's table of error handlers."""
    return refusal(error)


def _hint(status: int) -> str:
    hints = {
        404: "there is nothing here; GET /api/openapi.json lists what there is",
        405: "not with this method; GET /api/openapi.json lists what there is",
    }
    return hints.get(status, "GET /api/openapi.json lists what there is")
