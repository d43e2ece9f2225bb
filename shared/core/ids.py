"""ARM resource ids: parsed into segments, rebuilt from them, compared without case.

Nothing that arrived from outside is ever used as a path: it is parsed here first and the path is rebuilt, so that
no query string, traversal or stray character survives. Azure itself changes the case of ids at will (AZURE 5.1).
"""

import re
from dataclasses import dataclass, field

from shared.core.errors import BadInput

LONGEST_ID = 2048
VAULT = "Microsoft.KeyVault/vaults"
WORKSPACE = "Microsoft.Databricks/workspaces"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
NAME_OF_A_KEY = re.compile("[0-9A-Za-z-]{1,127}")
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+")
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9]*")
# Resource group names may hold any letter or digit of any script; other names are narrower (a vault's is ASCII).
_NAME = re.compile(r"[\w().~-][\w().~ -]{0,259}")
_FOLD = {ord(upper): ord(upper) + 32 for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_CANONICAL_TYPES = {kind.lower(): kind for kind in (VAULT, WORKSPACE, IDENTITY)}


@dataclass(frozen=True, slots=True)
class ResourceId:
    """One resource. Two ids are equal when they differ only in case.

    `parts` are (type, name) pairs below the provider, from the top: a key of a vault has two.
    """

    subscription: str = field(compare=False)
    group: str = field(compare=False)
    provider: str = field(compare=False)
    parts: tuple[tuple[str, str], ...] = field(compare=False)
    key: str = field(init=False, repr=False)  # the id in lower case: what is compared, hashed and stored

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", fold(str(self)))

    def __str__(self) -> str:
        tail = "".join(f"/{kind}/{name}" for kind, name in self.parts)
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.provider}{tail}"

    @property
    def kind(self) -> str:
        """The full type, in Azure's spelling where it is one of ours: `Microsoft.KeyVault/vaults`."""
        text = "/".join([self.provider, *(kind for kind, _ in self.parts)])
        return _CANONICAL_TYPES.get(text.lower(), text)

    @property
    def name(self) -> str:
        """The last name: the vault's, the workspace's, the key's."""
        return self.parts[-1][1]

    def is_below(self, scope: str) -> bool:
        """Whether this resource is, or lies under, a subscription, group or resource id in lower case."""
        return self.key == scope or self.key.startswith(scope + "/")


def fold(text: str) -> str:
    """Return a text in lower case as Azure compares ids: A to Z only. U+212A would otherwise become a plain k."""
    return text.translate(_FOLD)


def parse(text: object) -> ResourceId:
    """Read the id of a top-level resource, or of the resource that a child or an extension belongs to.

    `…/vaults/v/keys/k` and `…/vaults/v/providers/Microsoft.Authorization/roleAssignments/g` both give the vault:
    an event about either concerns it. Raises BadInput for anything else.
    """
    if not isinstance(text, str):
        raise BadInput("BadResourceId", f"a resource id must be a string, not {type(text).__name__}")
    if len(text) > LONGEST_ID:
        raise BadInput("BadResourceId", f"a resource id has at most {LONGEST_ID} characters, this has {len(text)}")
    words = text.strip("/").split("/")
    fixed = [word.lower() for word in words[0:5:2]]
    if len(words) < 8 or fixed != ["subscriptions", "resourcegroups", "providers"]:
        raise BadInput(
            "BadResourceId",
            "expected /subscriptions/{id}/resourceGroups/{group}/providers/{provider}/{type}/{name}, "
            f"got {text[:200]!r}",
        )
    subscription, group, provider, kind, name = words[1], words[3], words[5], words[6], words[7]
    for pattern, word, what in (
        (GUID, subscription, "subscription id (a GUID)"),
        (_NAME, group, "resource group name"),
        (_PROVIDER, provider, "provider namespace"),
        (_TYPE, kind, "resource type"),
        (_NAME, name, "resource name"),
    ):
        if not pattern.fullmatch(word) or set(word) == {"."}:
            raise BadInput("BadResourceId", f"{word[:80]!r} is not a {what}")
    return ResourceId(subscription, group, provider, ((kind, name),))
