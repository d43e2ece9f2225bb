"""How the text of a setting is read: each returns the value, or raises ValueError that says what would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.core import ids
from shared.core.choices import LAYERS, Freeze, KeyVault
from shared.core.errors import BadInput
from shared.core.ids import ResourceId
from shared.core.parse.logs import is_log_workspace

if TYPE_CHECKING:
    from shared.core.prices import Prices


def one_of(*words: str) -> Callable[[str], str]:
    """Return a reader of one of these words, whatever its case."""

    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return value.lower()

    return read


def words(value: str) -> tuple[str, ...]:
    """Read words between commas, in lower case."""
    return tuple(word.strip().lower() for word in value.split(",") if word.strip())


def names(value: str) -> tuple[str, ...]:
    """Words whose case counts."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def scopes(value: str) -> tuple[str, ...]:
    """Subscriptions, groups or resource ids; a bare GUID is a subscription."""
    scopes = []
    for word in words(value):
        scope = word.rstrip("/") if word.startswith("/") else f"/subscriptions/{word}"
        if not scope.startswith("/subscriptions/") or len(scope.split("/")) < 3 or not scope.split("/")[2]:
            raise ValueError(f"{word!r} is neither a subscription id nor an id that begins with /subscriptions/")
        scopes.append(scope)
    return tuple(scopes)


def url(value: str) -> str:
    """Read an address that begins with https://."""
    if value and not value.startswith("https://"):
        raise ValueError("must begin with https://")
    return value.rstrip("/")


def text(value: str) -> str:
    """Read any text."""
    return value.strip()


def flag(value: str) -> bool:
    """Read true or false."""
    return one_of("true", "false")(value) == "true"


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of a whole number within limits."""

    def read(value: str) -> int:
        if not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def seconds(value: str) -> timedelta:
    """Read seconds, 30 days at most."""
    return timedelta(seconds=whole(0, 30 * 86_400)(value))


def age(value: str) -> timedelta:
    """Read the seconds of an age: 60 days at least, so that a warning 30 days before can be planned; ten years at most."""
    return timedelta(seconds=whole(60 * 86_400, 3650 * 86_400)(value))


def guid(value: str) -> str:
    """Read a GUID; empty is none."""
    if value and not ids.GUID.fullmatch(value):
        raise ValueError("must be a GUID")
    return value.lower()


def identities(value: str) -> tuple[ResourceId, ...]:
    """Read ids of user-assigned identities between commas."""
    found = []
    for word in filter(None, (word.strip() for word in value.split(","))):
        try:
            identity = ids.parse(word)
        except BadInput as error:
            raise ValueError(error.message) from None
        if identity.kind != ids.IDENTITY:
            raise ValueError(f"{word} is no user-assigned identity")
        found.append(identity)
    return tuple(found)


def log_workspace(value: str) -> ResourceId | None:
    """Read the id of a Log Analytics workspace; empty is none."""
    if not value.strip():
        return None
    try:
        found = ids.parse(value.strip())
    except BadInput as error:
        raise ValueError(error.message) from None
    if not is_log_workspace(found):
        raise ValueError(f"{value} is no Log Analytics workspace")
    return found


def key_vaults(value: str) -> tuple[KeyVault, ...]:
    """Read vaults between commas, each as its id, or as `subscription/region=id` where it is the one for such workspaces."""
    found: list[KeyVault] = []
    for word in filter(None, (word.strip() for word in value.split(","))):
        place, equals, path = word.rpartition("=")
        subscription, _, region = place.strip().lower().partition("/")
        if equals and not (ids.GUID.fullmatch(subscription) and re.fullmatch("[a-z0-9]+", region)):
            raise ValueError(f"{place!r} must be subscription/region, as 11111111-.../westeurope")
        try:
            vault = ids.parse(path.strip())
        except BadInput as error:
            raise ValueError(error.message) from None
        if vault.kind != ids.VAULT:
            raise ValueError(f"{path} is no key vault")
        if equals and any((it.subscription, it.region) == (subscription, region) for it in found):
            raise ValueError(f"there are two vaults for {subscription}/{region}")
        found.append(KeyVault(vault, subscription, region))
    return tuple(found)


def layers(value: str) -> frozenset[str]:
    """Read layers between commas."""
    by_name = {layer.lower(): layer for layer in LAYERS}
    strange = [word for word in words(value) if word not in by_name]
    if strange or not words(value):
        raise ValueError(f"must be some of {', '.join(LAYERS)}" + (f", not {strange[0]!r}" if strange else ""))
    return frozenset(by_name[word] for word in words(value))


def version(value: str) -> str:
    """Read an api-version."""
    if not re.fullmatch("20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?", value):
        raise ValueError("must be an api-version, as 2026-01-01")
    return value


def tag(value: str) -> tuple[str, str]:
    """Read name=value."""
    name, equals, content = value.partition("=")
    if not (name.strip() and equals and content.strip()):
        raise ValueError("must be name=value")
    return name.strip(), content.strip()


def freezes(value: str) -> tuple[Freeze, ...]:
    """Read spans of time between commas."""
    freezes = []
    for span in filter(None, (word.strip() for word in value.split(","))):
        ends = [datetime.fromisoformat(moment) for moment in span.split("/")]
        if len(ends) != 2 or any(moment.tzinfo is None for moment in ends) or ends[0] >= ends[1]:
            raise ValueError("must be begin/end in ISO 8601 with a time zone, as 2026-12-20T00:00Z/2027-01-03T00:00Z")
        freezes.append(Freeze(*ends))
    return tuple(freezes)


GOALS = ("compliance", "remediation", "approval")  # the figures that can have one


def goals(value: str) -> dict[str, int]:
    """Read what figures should be: compliance in whole percent, the others in seconds, as `compliance=95,approval=86400`."""
    found = dict[str, int]()
    for word in words(value):
        name, _, number = word.partition("=")
        most = 100 if name.strip() == "compliance" else 31_536_000
        if name.strip() not in GOALS or not (number.strip().isascii() and number.strip().isdigit()):
            raise ValueError(f"{word!r} must be one of {', '.join(GOALS)}, then = and a whole number")
        if int(number) > most:
            raise ValueError(f"{word!r} must be at most {most}")
        found[name.strip()] = int(number)
    return found


def strangers(given: Iterable[str], known: Sequence[str]) -> list[str]:
    """Say which names beginning with CMK_ are no setting: a misspelt one would silently be the default."""
    found = []
    for name in sorted(given):
        if name.startswith("CMK_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            found.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def prices(value: str) -> Prices | None:
    """Read what keys cost (core/prices.py); empty: nobody has said."""
    if not value.strip():
        return None
    from shared.core.prices import prices as read  # noqa: PLC0415 - decimals are loaded where there are prices, only

    return read(value)
