"""From the path of a request to what it is about.

Paths are compared without case and `//` is one slash, as ARM does (LOCAL 8); names keep the case in which they were sent.
It knows nothing of any provider: every resource type is reached by splitting, never by a ladder of patterns.
"""

import string
from dataclasses import dataclass
from functools import lru_cache

ROOT = "/"
_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(text: str) -> str:
    """An id or a name for comparing: only A to Z lose their case. `str.lower` would make U+212A, the Kelvin sign, a k."""
    return text.lower() if text.isascii() else text.translate(_ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """One place in the resource tree, or a collection under it."""

    path: str  # as sent, slashes tidied
    scope: str  # what the last `/providers/` hangs on; '/' is the tenant
    subscription: str
    group: str
    namespace: str
    type: str  # namespace and types as sent: 'Microsoft.KeyVault/vaults'
    kind: str  # the same in lower case
    names: tuple[str, ...]
    is_item: bool

    @property
    def id(self) -> str:
        """The key under which the world stores this item."""
        return fold(self.path)

    @property
    def name(self) -> str:
        """The last name in the path."""
        return self.names[-1]

    @property
    def holder(self) -> str:
        """Where a right must be held: the item itself, or what the collection hangs on."""
        if self.is_item:
            return self.path
        if len(self.names) == 0:
            return self.scope
        return self.path.rsplit("/", 1)[0]


def segments(path: str) -> list[str]:
    """The parts of a path; empty ones do not count."""
    return [part for part in path.split("/") if part]


@lru_cache(maxsize=65_536)
def route(path: str) -> Target:
    """Take a path apart. Anything parses; whether it exists is for others to say."""
    parts = segments(path)
    lower = [fold(part) for part in parts]
    split = _last_provider(lower)
    if split < 0:
        namespace, rest, scope = "Microsoft.Resources", parts, ""
    else:
        namespace, rest, scope = parts[split + 1], parts[split + 2 :], "/".join(parts[:split])
    types, names = rest[0::2], rest[1::2]
    return Target(
        path="/" + "/".join(parts),
        scope="/" + scope,
        subscription=parts[1] if lower[:1] == ["subscriptions"] and len(parts) > 1 else "",
        group=parts[3] if lower[2:3] == ["resourcegroups"] and len(parts) > 3 else "",
        namespace=namespace,
        type="/".join([namespace, *types]),
        kind=fold("/".join([namespace, *types])),
        names=tuple(names),
        is_item=len(types) == len(names) > 0,
    )


def _last_provider(lower: list[str]) -> int:
    """Index of the last `providers` segment that has a namespace and a type after it, or -1."""
    for index in range(len(lower) - 3, -1, -1):
        if lower[index] == "providers" and index % 2 == 0:
            return index
    return -1


def ancestors(identity: str) -> list[str]:
    """Every scope from the tenant down to the id itself, in lower case."""
    parts = segments(fold(identity))
    scopes = [ROOT]
    at = 0
    while at < len(parts):
        at += 4 if parts[at] == "providers" and (at + 3) < len(parts) else 2
        scopes.append("/" + "/".join(parts[:at]))
    return scopes


def covers(scope: str, identity: str) -> bool:
    """Whether something that holds at `scope` reaches `identity` (both in lower case)."""
    return scope in {ROOT, identity} or identity.startswith(scope + "/")
