"""What is wrong with a key itself, whoever asks for it: as it is now, and where it is near its end."""

from collections.abc import Iterator
from datetime import datetime

from shared.core.choices import Choices
from shared.core.facts import Key

_KINDS = frozenset({"rsa", "rsa-hsm"})
_SIZES = frozenset({2048, 3072, 4096})
_OPERATIONS = frozenset({"wrapkey", "unwrapkey"})


def unfit(key: Key, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield why a key cannot protect a layer today, as a reason and a sentence; nothing where it can (AZURE 1.5, 1.8)."""
    if not key.enabled:
        yield "KeyIsDisabled", "its key is disabled: nothing under it can be read or written"
    if key.expires and key.expires <= now:
        yield "KeyHasExpired", f"its key has expired on {key.expires:%Y-%m-%d}: it wraps nothing any more"
    if key.not_before and key.not_before > now:
        yield "KeyNotYetValid", f"its key is valid from {key.not_before:%Y-%m-%d} on only"
    if key.kind.lower() not in _KINDS or key.size not in _SIZES or not key.operations >= _OPERATIONS:
        can = ", ".join(sorted(key.operations)) or "nothing"
        said = f"its key is {key.kind} {key.size} for {can}: it takes RSA of 2048, 3072 or 4096 bits for wrapKey and unwrapKey"
        yield "KeyUnfit", said


def ending(key: Key, choices: Choices, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield that a key is near its end; nothing where it is not, or is past it."""
    if key.expires and now < key.expires <= now + choices.expiring:
        yield "KeyExpires", f"its key expires on {key.expires:%Y-%m-%d}: take a new version into use"
