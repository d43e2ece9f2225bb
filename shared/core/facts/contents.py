"""What a Key Vault holds beside its settings: the names of its keys, and some of its secrets. Never a value of either."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key by its name, and when it was made, in UTC; None where Azure does not say."""

    name: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Contents:
    """All keys of a vault, and the names of the first secrets: whether there are any is what counts.

    A certificate is not listed by Resource Manager. In the vault it shows as a key and a secret of its own name; that
    Resource Manager lists those two as well is UNVERIFIED, so that a certificate may stay unseen.
    """

    keys: tuple[HeldKey, ...]
    secrets: tuple[str, ...]

    @property
    def certificates(self) -> tuple[str, ...]:
        """The names that a key and a secret share: certificates, in all likelihood."""
        keys = {it.name.lower() for it in self.keys}
        return tuple(name for name in self.secrets if name.lower() in keys)
