"""What a token says of itself, read without checking it: the app checks, we only tell the person what they hold."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def claims(token: str) -> Mapping[str, Any]:
    """Return the claims of a token; {} for what is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def roles(token: str) -> tuple[str, ...]:
    """Return the app roles that a token carries."""
    found = claims(token).get("roles")
    return tuple(str(it) for it in found) if isinstance(found, list) else ()


def ends(token: str) -> datetime | None:
    """Return when a token ends, or None where it does not say."""
    found = claims(token).get("exp")
    try:
        return datetime.fromtimestamp(float(found), UTC) if found is not None else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
