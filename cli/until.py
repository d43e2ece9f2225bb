"""Until when: `3d` or a time in ISO 8601, as a person types it, to the time that the API takes."""

import re
from datetime import UTC, datetime, timedelta

from cli.session import Usage

_SPAN = re.compile("([0-9]{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def until(text: str, now: datetime) -> str:
    """Return a time to come, in UTC. A date alone means its beginning, a time without a zone is UTC. Raises Usage."""
    span = _SPAN.fullmatch(text.strip().lower())
    if span:
        return _told(now + timedelta(**{_UNITS[span[2]]: int(span[1])}))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Usage(f"--until {text!r}: give a span as 3d, 12h or 2w, or a time as 2026-12-24T18:00Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise Usage(f"--until {text!r} is past")
    return _told(moment)


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
