"""Answers: JSON, and one envelope for every error (RFC 9457), each with headers that keep browsers careful."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.core.errors import BadInput, Conflict, Denied, Refused, RemediationError, Temporary
from shared.web.refusals import Turned
from shared.web.shapes import Problem

_log = logging.getLogger("cmkwarden.web")

CAREFUL = {
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


_HTTP = {404: "NotFound", 405: "MethodNotAllowed"}


def answer(content: Any, etag: str = "") -> Response:
    """Return JSON; the ETag is what a later write may name in If-Match."""
    return said(200, msgspec.json.encode(content), "application/json", {"ETag": etag} if etag else {})


def said(status: int, body: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return an answer that is already in words."""
    return Response(body, status, {**CAREFUL, **headers}, media_type)


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
    return said(status, body, "application/problem+json", headers or {})


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller is told of an error. `retry_after` is in seconds; 0: trying again changes nothing."""

    status: int
    title: str
    reason: str
    detail: str
    retry_after: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] | None = None


def problem_of(error: Exception) -> Told:
    """Return what is told of an error that a request ran into. Bugs are logged and told without their insides."""
    if isinstance(error, Turned):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        return Told(error.status, error.title, error.reason, str(error), error.retry_after, headers)
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            later = 5 if isinstance(error, Temporary) else 0
            extra = error.extra if isinstance(error, Refused) else None
            return Told(status, title, error.reason, error.message, later, {}, extra)
    if isinstance(error, HTTPException):
        status = error.status_code
        return Told(status, str(error.detail), _HTTP.get(status, "Http"), _hint(status), 0, error.headers or {})
    _log.error("a request failed", exc_info=error)
    return Told(500, "A bug", "Bug", "this should not have happened; the app's log has the trace")


def refusal(error: Exception) -> Response:
    """Return the answer to an error that a request ran into."""
    told = problem_of(error)
    headers = {**told.headers, **({"Retry-After": str(told.retry_after)} if told.retry_after else {})}
    return problem(told.status, told.title, told.reason, told.detail, headers, told.extra)


def _hint(status: int) -> str:
    hints = {
        404: "there is nothing here; GET /api/openapi.json lists what there is",
        405: "not with this method; GET /api/openapi.json lists what there is",
    }
    return hints.get(status, "GET /api/openapi.json lists what there is")
