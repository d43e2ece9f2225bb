"""What ARM and its providers say when they are ill, in the envelopes that were recorded (arm_errors.jsonl; INDEX, shape 14).

There is no one form: `error`, `Message`, `Code`, `code` without `error`, plain text, nothing at all.
"""

import uuid
from collections.abc import Callable
from typing import Any

from simulator.arm.answer import GATEWAY, Answer
from simulator.arm.clock import stamp
from simulator.arm.router import Target
from simulator.arm.throttle import KINDS, throttled

SERVICE = {"x-ms-failure-cause": "service"}
Make = Callable[[Target, str, str], Answer]  # target, method, object id of the caller
LOCKED = "Cannot acquire exclusive lock to create or update this server farm. Retry the request later."


def envelope(status: int, draw: float, target: Target, method: str, oid: str, *, retry_after: bool = False) -> Answer:
    """An answer with this status; the draw chooses among the forms that were seen."""
    forms = HINTED if status == 429 and retry_after else FORMS[status]
    return forms[int(draw * len(forms))](target, method, oid)


def _error(status: int, code: str, message: str, cause: dict[str, str] = SERVICE, **more: Any) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message, **more}}, dict(cause))


def _text(status: int, text: str, cause: dict[str, str]) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8", **cause})


def _own(target: Target, method: str, oid: str) -> Answer:
    return throttled(1, KINDS.get(method, "write"), target.subscription, oid)


def _tracked(_target: Target, _method: str, _oid: str) -> Answer:
    text = f"An unexpected error occured while processing the request. Tracking ID: '{uuid.uuid4()}'"
    return _error(500, "InternalServerError", text)


def _timed_out(target: Target, _method: str, _oid: str) -> Answer:
    tracking, moment = uuid.uuid4(), stamp().replace("-", "").replace(":", "")[:15] + "Z"
    text = (
        f"The request timed out. Diagnostic information: timestamp '{moment}', subscription id "
        f"'{target.subscription}', tracking id '{tracking}', request correlation id '{tracking}'."
    )
    return _error(503, "ServerTimeout", text, GATEWAY)


def _machinery(_target: Target, _method: str, _oid: str) -> Answer:
    parts = [{"type": "ComponentName", "info": {"value": "managementfrontend"}}]
    return _error(500, "ServiceError", "InternalServerError", details=[], additionalInfo=parts)


def _farm(_target: Target, _method: str, _oid: str) -> Answer:
    body = {"Code": "429", "Message": LOCKED, "Target": None, "Details": [{"Message": LOCKED}, {"Code": "429"}]}
    return Answer(429, body)


def _gateway(status: int, code: str, text: str) -> Make:
    return lambda target, _method, _oid: _error(status, code, text.format(namespace=target.namespace))


HINTED: tuple[Make, ...] = (
    _own,
    lambda target, method, oid: Answer(429, FORMS[429][0](target, method, oid).body, {"Retry-After": "2"}),
)
FORMS: dict[int, tuple[Make, ...]] = {
    429: (
        lambda *_: _error(429, "TooManyRequests", "Too many requests. Please try again after sometime.", {}),
        _farm,
        lambda *_: _error(
            429,
            "FailedIdentityOperation",
            "Identity operation failed with error 'Request is temporarily throttled because tenant has issued too many "
            "requests. Retry after 2 seconds.'.",
            {},
        ),
        lambda *_: _error(429, "RetryableError", "A retryable error occurred.", {}),
    ),
    500: (
        lambda *_: Answer(500, {"Message": "An error has occurred."}, dict(SERVICE)),
        _tracked,
        _machinery,
        lambda *_: Answer(500, None, dict(SERVICE)),
    ),
    502: (
        _gateway(
            502,
            "BadGatewayConnection",
            "The network connectivity issue encountered for '{namespace}'; cannot fulfill the request.",
        ),
        lambda *_: _text(502, "Forbidden\n", GATEWAY),
    ),
    503: (
        _timed_out,
        lambda *_: _error(503, "ResourceCreationFailed", "ResourceCreationFailed: Service Unavailable"),
        lambda *_: Answer(503, {"code": "ServiceUnavailable", "message": "Service Unavailable"}, dict(SERVICE)),
    ),
    504: (
        _gateway(
            504,
            "GatewayTimeout",
            "The gateway did not receive a response from '{namespace}' within the specified time period.",
        ),
    ),
}
