"""A key of a vault, as Resource Manager shows it. Never its material: that never leaves the vault."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Key:
    """One key at one version. Times are UTC; None where Azure names none. `size` is in bits, 0 for keys that have none.

    `versions` counts all versions of the key, 0 where nobody has asked. `has_policy`: the key has a rotation policy;
    `rotates`: that policy makes new versions by itself. Both belong to the key: Azure tells them of the newest version.
    """

    name: str
    version: str
    kind: str  # RSA, RSA-HSM, EC, ...; as Azure spells it
    size: int
    operations: frozenset[str]  # in lower case
    enabled: bool
    created: datetime | None
    not_before: datetime | None
    expires: datetime | None
    versions: int = 0
    has_policy: bool = False
    rotates: bool = False
