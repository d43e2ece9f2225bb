"""Azure's failures -> our taxonomy (`core/errors.py`), in one place. The error code decides before the HTTP status.

Codes and their meaning: AZURE 0, 2.2, 3.2, 7 and the recorded errors.
"""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.core.errors import BadInput, Conflict, Denied, RemediationError, Temporary

_LONGEST_TEXT = 2000  # characters kept of what Azure says: it ends in rows, pages and tickets

_TEMPORARY = frozenset(
    code.lower()
    for code in (
        "TooManyRequests", "RetryableError", "RetryableErrorDueToAnotherOperation", "AnotherOperationInProgress",
        "ConflictError", "OperationPreempted", "ServerBusy", "ServerTimeout", "InternalServerError", "RegisteringDns", "PrincipalNotFound",
    )
)  # fmt: skip
# The last two: somebody has put a layer on a key since we read the workspace; what we sent would have taken it off.
_CONFLICT = frozenset({
    "concurrentupdateerror", "preconditionfailed", "diskencryptionpropertiesrequired",
    "managedservicesencryptionpropertiesrequired",
})  # fmt: skip
# How services say that Key Vault does not let them use a key (AZURE 1.6).
_NOT_LET_IN = ("permission_denied", "authentication issue on the keyvault", "keyvaultaccessforbidden")
_DENIED = frozenset(
    code.lower()
    for code in (
        "AuthorizationFailed", "LinkedAuthorizationFailed", "DenyAssignmentAuthorizationFailed", "ScopeLocked",
        "RequestDisallowedByPolicy", "RequestDisallowedByAzure", "AccessDenied", "Forbidden", "ReadOnlyDisabledSubscription",
    )
)  # fmt: skip
_TEMPORARY_STATUS = frozenset({408, 429, 500, 502, 503, 504})


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run a call to Azure; raise what it fails with as one of our errors. `what` says what was being done."""
    try:
        yield
    except HttpResponseError as error:
        raise _http(error, what) from error
    except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
        # Whether the request took effect is unknown: whoever tries again must read first.
        raise Temporary("ConnectionLost", f"{what}: {_cut(str(error))}") from error
    except (DecodeError, DeserializationError, json.JSONDecodeError) as error:
        raise Temporary("UnreadableAnswer", f"{what}: the answer is not whole: {_cut(str(error))}") from error
    except AzureError as error:
        raise Temporary("NoToken", f"{what}: {_cut(str(error))}") from error


def failed(error: Mapping[str, Any], what: str) -> RemediationError:
    """Return what a long operation has failed with as one of our errors.

    That a service may not use a key, where its grant was there before we began, is the grant on its way: it may work later.
    """
    code, text = str(error.get("code") or "OperationFailed"), str(error.get("message") or "no reason was given")
    message = f"{what}: {_cut(text)}"
    if code.lower() in _CONFLICT or "concurrentupdateerror" in text.lower():
        return Conflict(code, message)
    if any(words in text.lower() for words in _NOT_LET_IN):
        return Temporary("KeyNotOpenYet", message)
    return Temporary(code, message) if code.lower() in _TEMPORARY else Denied(code, message)


def missing(error: HttpResponseError) -> bool:
    """Whether Azure says that there is no such resource, group or subscription."""
    return error.status_code == 404


def _http(error: HttpResponseError, what: str) -> RemediationError:
    code, text = _said(error)
    message = f"{what}: {_cut(text)}"
    if error.response is None:  # the identity endpoint is not there or says no: the SDK raises this without an answer
        return Temporary("NoToken", message)
    status = error.status_code or 0
    word = code.lower()
    if isinstance(error, DecodeError):
        return Temporary("UnreadableAnswer", message, _retry_after(error))
    if word in _CONFLICT or status == 412:
        return Conflict(code, message)
    if word in _DENIED:
        return Denied(code, message)
    if word in _TEMPORARY or status in _TEMPORARY_STATUS:
        return Temporary(code, message, _retry_after(error))
    if status in {401, 403}:
        return Denied(code, message)
    if status == 404:
        return Conflict(code, message)  # it was there when the plan was made
    return BadInput(code, message)


def _said(error: HttpResponseError) -> tuple[str, str]:
    """Return code and text, whatever envelope they came in (data/INDEX.md 14)."""
    body: Any = None
    try:
        body = json.loads(error.response.text()) if error.response is not None else None
    except (ValueError, RecursionError, AzureError):
        body = None
    inner = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(inner, dict):
        code = inner.get("code") or inner.get("Code")
        text = inner.get("message") or inner.get("Message")
        if isinstance(code, str) and not code.isdigit():
            return code, str(text or code)
        if text:
            return f"Http{error.status_code}", str(text)
    return f"Http{error.status_code}", error.message or str(error)


def _retry_after(error: HttpResponseError) -> float | None:
    headers: Any = getattr(error.response, "headers", None) or {}
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _cut(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_TEXT]
