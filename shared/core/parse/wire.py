"""Typed reading of wire JSON: a wrong type is BadInput that names the field, a missing one is the default."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, cast

from shared.core.errors import BadInput

Json = Mapping[str, Any]
_TICKS = re.compile(r"\.(\d{6})\d+")  # .NET writes tenths of a microsecond


def _wrong(field: str, value: object, wanted: str) -> BadInput:
    return BadInput("BadArmAnswer", f"{field} must be {wanted}, not {type(value).__name__}: {str(value)[:80]!r}")


def obj(source: Json, field: str) -> Json:
    """Return an object; empty where it is missing or null."""
    value = source.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(field, value, "an object")
    return cast("Json", value)


def text(source: Json, field: str) -> str:
    """Return a string; empty where it is missing or null."""
    value = source.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(field, value, "a string")
    return value


def rows(source: Json, field: str) -> tuple[Json, ...]:
    """Return a list of objects; empty where it is missing or null."""
    value = source.get(field)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _wrong(field, value, "a list of objects")
    return tuple(value)


def words(source: Json, field: str) -> tuple[str, ...]:
    """Return a list of strings; empty where it is missing or null."""
    value = source.get(field)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(field, value, "a list of strings")
    return tuple(value)


def flag(source: Json, field: str) -> bool | None:
    """Return a boolean, or None where Azure did not say. Resource notifications send 1 and 0 (AZURE 5.2)."""
    value = source.get(field)
    if value is None or isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    raise _wrong(field, value, "true or false")


def whole(source: Json, field: str) -> int | None:
    """Return a whole number, or None where it is missing."""
    value = source.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(field, value, "a whole number")
    return value


def moment(source: Json, field: str) -> datetime | None:
    """Return a time that is given as seconds since 1970, in UTC; None where it is missing."""
    seconds = whole(source, field)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadInput("BadArmAnswer", f"{field} is no time: {seconds}") from None


def instant(source: Json, field: str) -> datetime | None:
    """Return a time that is given as text with its zone; None where it is missing."""
    said = text(source, field)
    if not said:
        return None
    try:
        found = datetime.fromisoformat(_TICKS.sub(r".\1", said))
    except ValueError:
        raise BadInput("BadArmAnswer", f"{field} must be a time, not {said[:80]!r}") from None
    if found.tzinfo is None:
        raise BadInput("BadArmAnswer", f"{field} must have a time zone: {said[:80]!r}")
    return found


def tags(source: Json) -> Mapping[str, str]:
    """Return the tags; names in lower case, since Azure compares them without case. Values stay as they are.

    Halves of surrogate pairs are replaced: JSON can carry them and no storage takes them.
    """
    found = obj(source, "tags")
    return MappingProxyType(
        {_whole(name).lower(): "" if value is None else _whole(value) for name, value in found.items()}
    )


def _whole(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def host(uri: str) -> str:
    """Return the host of a vault URI: no scheme, port, slash or case, all of which Azure varies (AZURE 6)."""
    rest = uri.strip().lower().removeprefix("https://").removeprefix("http://")
    return rest.split("/", 1)[0].removesuffix(":443")
