"""An event on its way, and what is written down of it when it never arrives."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from simulator.arm.answer import Json
from simulator.arm.clock import stamp
from simulator.arm.subscribers import Subscriber

SHOWN = ("n", "function", "subscription", "event_id", "subject", "operation", "outcome", "reason", "attempts")
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 413: "RequestEntityTooLarge"}


@dataclass(slots=True)
class Parcel:
    """One event on its way to one subscriber."""

    n: int
    to: Subscriber
    content: bytes  # the event alone
    event_id: str = ""
    subject: str = ""
    operation: str = ""
    outcome: str = "pending"  # pending | delivered | dead_lettered | dropped
    reason: str = ""
    published: str = field(default_factory=stamp)
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def function(self) -> str:
        """Where it goes."""
        return self.to.function or self.to.url

    @property
    def subscription(self) -> str:
        """The event subscription."""
        return self.to.name

    def show(self) -> Json:
        """As GET /events lists it."""
        return {name: getattr(self, name) for name in SHOWN}


@dataclass(slots=True)
class Trip:
    """One copy of a parcel on the road; a doubled event makes two."""

    parcel: Parcel
    born: float
    tries: int = 0


def dead_letter(parcel: Parcel) -> Json:
    """The blob that Event Grid would write: its path and its content (data/samples/events/ADAPTED_deadletter_blob)."""
    now = datetime.now(UTC)
    last: Json = parcel.attempts[-1] if parcel.attempts else {"time": parcel.published, "status": 0}
    added = {
        "deadLetterReason": parcel.reason,
        "deliveryAttempts": len(parcel.attempts),
        "lastDeliveryOutcome": _outcome(last["status"]),
        "publishTime": parcel.published,
        "lastDeliveryAttemptTime": last["time"],
    }
    if parcel.to.is_cloud:
        added = {name.lower(): value for name, value in added.items()}  # CloudEvents attributes know no capitals
    where = f"{parcel.to.name.upper()}/{now.year}/{now.month}/{now.day}/{now.hour}"
    return {
        "path": f"{parcel.to.dead_letter}/{where}/{uuid.uuid4()}.json",
        "content": [{**msgspec.json.decode(parcel.content), **added}],
    }


def _outcome(status: int) -> str:
    if status == 0:
        return "Unreachable"
    return HTTPStatus(status).phrase.replace(" ", "") if status in HTTPStatus else str(status)
