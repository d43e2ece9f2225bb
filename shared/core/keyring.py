"""The keys of a vault, as its list shows them, as a short text that changes with them, or when one of them comes of age."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.core.choices import Choices
from shared.core.reach import short


def keyring(bodies: Iterable[Mapping[str, Any]], choices: Choices, now: datetime) -> str:
    """Return the text of one vault's keys. What the list does not show, as a rotation policy, does not change it."""
    return short(sorted(_key(body, choices, now) for body in bodies))


def _key(body: Mapping[str, Any], choices: Choices, now: datetime) -> str:
    properties = body.get("properties")
    attributes = properties.get("attributes") if isinstance(properties, Mapping) else None
    known = attributes if isinstance(attributes, Mapping) else {}
    ends, begins, created = (_seconds(known.get(name)) for name in ("exp", "nbf", "created"))
    at = now.timestamp()
    passed = [
        ends is not None and at >= ends,
        ends is not None and at >= ends - choices.expiring.total_seconds(),
        begins is not None and at >= begins,
        created is not None and at >= created + choices.key_grace.total_seconds(),
        created is not None and at >= created + choices.key_age.total_seconds(),
    ]
    return json.dumps([body.get("id"), properties, passed], sort_keys=True).lower()


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
