"""The Activity Log: two rows for every write through ARM, one when it begins and one when it has ended.

Rows are shaped as the management client of Azure Monitor reads them (AZURE 12). They are shown late by the knob
`activity_lag`, kept 90 days there and as long as the process lives here.
"""

import uuid
from collections import deque
from datetime import UTC, datetime
from http import HTTPStatus

from simulator.arm.answer import Json
from simulator.arm.clock import Clock, stamp
from simulator.arm.eventgrid import STATUSES, Happening, claims_of
from simulator.arm.knobs import Knobs
from simulator.arm.router import fold, route

KEPT = 50_000
TICKS_AT_EPOCH = 621_355_968_000_000_000  # .NET counts from the year 1, in tenths of a microsecond


class Activity:
    """The rows, newest first."""

    def __init__(self, clock: Clock, knobs: Knobs, tenant: str) -> None:
        self._clock, self._knobs, self._tenant = clock, knobs, tenant
        self._rows: deque[Json] = deque(maxlen=KEPT)

    def note(self, happening: Happening) -> None:
        """Write down what was done or tried in a subscription."""
        if not happening.subscription:
            return
        operation = str(uuid.uuid4())
        began = _row(happening, self._tenant, operation, ends=False)
        ended = _row(happening, self._tenant, operation, ends=True)
        self._clock.later(self._knobs.activity_lag, lambda: self._rows.extendleft([began, ended]))

    def of(self, subscription: str) -> list[Json]:
        """The rows of one subscription, newest first."""
        return [row for row in self._rows if fold(row["subscriptionId"]) == fold(subscription)]


def _row(happening: Happening, tenant: str, operation: str, *, ends: bool) -> Json:
    target, moment, identity = route(happening.resource), stamp(), str(uuid.uuid4())
    status = STATUSES[happening.outcome] if ends else "Started"
    role = {"role": happening.grant.role.name} if happening.grant else {}
    namespace, kind = happening.operation.split("/", 1)[0], happening.operation.rsplit("/", 1)[0]
    return {
        "authorization": {"action": happening.operation, "scope": happening.resource, **role},
        "caller": happening.caller.shown,
        "channels": "Operation",
        "claims": claims_of(happening.caller),
        "correlationId": happening.correlation,
        "description": "",
        "eventDataId": identity,
        "eventName": _word("EndRequest", "End request") if ends else _word("BeginRequest", "Begin request"),
        "category": _word("Administrative"),
        "eventTimestamp": moment,
        "id": f"{happening.resource}/events/{identity}/ticks/{_ticks()}",
        "level": "Error" if ends and happening.outcome == "Failure" else "Informational",
        "operationId": operation,
        "operationName": _word(happening.operation),
        "resourceGroupName": target.group,
        "resourceProviderName": _word(namespace),
        "resourceType": _word(kind),
        "resourceId": happening.resource,
        "status": _word(status),
        "subStatus": _sub_status(happening.status) if ends else _word(""),
        "submissionTimestamp": moment,
        "subscriptionId": happening.subscription,
        "tenantId": tenant,
        "httpRequest": {name: value for name, value in happening.request.items() if name != "url"},
        "properties": _properties(happening) if ends else {},
    }


def _properties(happening: Happening) -> Json:
    found = {"statusCode": HTTPStatus(happening.status).phrase.replace(" ", ""), "serviceRequestId": None}
    if happening.error:
        return {**found, "statusMessage": {"error": happening.error}}
    return dict(found)


def _sub_status(status: int) -> Json:
    name = HTTPStatus(status).phrase.replace(" ", "")
    return _word(name, f"{HTTPStatus(status).phrase} (HTTP Status Code: {status})")


def _word(value: str, shown: str = "") -> Json:
    return {"value": value, "localizedValue": shown or value}


def _ticks() -> int:
    return TICKS_AT_EPOCH + int(datetime.now(UTC).timestamp() * 10_000_000)
