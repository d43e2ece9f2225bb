"""The recorded sequences: which requests there are, and which of them concern a provider that is imitated.

Nothing in here is taken from the simulator: paths are read with rules of their own.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.reference import REFERENCE

MANAGEMENT = "management.azure.com"
SCRUBBED = "mock_body"  # what the recorder of Cloud Custodian leaves of a request's body
VAULT_SUFFIX = ".vault.azure.net"
# Whole providers that are imitated, and where only some types of a provider are, those.
PROVIDERS = (
    "microsoft.databricks",
    "microsoft.keyvault",
    "microsoft.managedidentity",
    "microsoft.authorization",
    "microsoft.resourcegraph",
    "microsoft.resources",
)
TYPES = ("microsoft.compute/diskencryptionsets", "microsoft.compute/locations/diskoperations")
# Other services that live under the same namespaces: template deployments, policy, managed HSM's own API.
FOREIGN = re.compile(
    r"microsoft\.resources/(deployments|templatespecs|deploymentscripts|tags|changes)"
    r"|microsoft\.authorization/polic"
    r"|microsoft\.keyvault/(managedhsms/|hsmpools)",
)


@dataclass(frozen=True)
class Interaction:
    """One recorded request and what Azure said."""

    source: str
    index: int
    method: str
    url: str
    status: int
    sent: Any
    headers: dict[str, str]
    body: Any
    repeat: int = 1

    @property
    def is_single(self) -> bool:
        """Whether it comes from no sequence."""
        return self.source.startswith("single ")

    @property
    def host(self) -> str:
        """The host that was asked."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The path, unquoted."""
        return unquote(urlsplit(self.url).path)

    @property
    def query(self) -> dict[str, str]:
        """The query, its names in lower case."""
        return {name.lower(): value for name, value in parse_qsl(urlsplit(self.url).query)}

    @property
    def is_data_plane(self) -> bool:
        """Whether a vault itself was asked, and not Resource Manager."""
        return self.host.endswith(VAULT_SUFFIX)

    @property
    def kind(self) -> str:
        """The resource type as sent, or the form of a data-plane path."""
        if self.is_data_plane:
            return "vault " + plane_form(self.path)
        return resource_type(self.path)

    @property
    def provider(self) -> str:
        """The provider's name for the statistics; '' for one that is not imitated, and for a scrubbed request."""
        if self.sent == SCRUBBED:
            return ""
        if self.is_data_plane:
            return "Key Vault data plane" if re.match(r"/(deleted)?keys\b", self.path) else ""
        kind = self.kind.lower()
        if FOREIGN.match(kind) or not (kind.startswith(PROVIDERS) or kind in TYPES):
            return ""
        return self.kind.split("/")[0]

    @property
    def label(self) -> str:
        """What was asked, without names: the handle by which differences are listed."""
        return f"{self.method} {self.kind}"


def resource_type(path: str) -> str:
    """`Microsoft.KeyVault/vaults` for a path in Resource Manager."""
    parts = [part for part in path.split("/") if part]
    lower = [part.lower() for part in parts]
    for at in range(len(parts) - 3, -1, -1):
        if lower[at] == "providers" and at % 2 == 0:
            return "/".join([parts[at + 1], *parts[at + 2 :: 2]])
    return "/".join(["Microsoft.Resources", *parts[0::2]])


def plane_form(path: str) -> str:
    """`/keys/{}/create`: a data-plane path with its names taken out."""
    parts = [part for part in path.split("/") if part]
    verbs = {"keys", "deletedkeys", "create", "restore", "backup", "recover", "rotationpolicy", "rotate", "versions"}
    return "/" + "/".join(part if part in verbs else "{}" for part in parts)


def interaction(source: str, raw: dict[str, Any]) -> Interaction:
    """A stored record as an Interaction."""
    return Interaction(
        source=source,
        index=raw["index"],
        method=raw["method"],
        url=restored(raw["url"], raw["response_body"]),
        status=raw["status"],
        sent=unwrapped(raw["request_body"]),
        headers={name.lower(): value for name, value in (raw["headers"] or {}).items()},
        body=raw["response_body"] or None,
        repeat=raw.get("repeat", 1),
    )


def restored(url: str, body: Any) -> str:
    """A URL with the whole name: a recorder has cut `name.<guid>` to `name` in URLs, and not in bodies."""
    identity = str(body.get("id", "")) if isinstance(body, dict) else ""
    head, tail = urlsplit(url).path, identity.rpartition(".")[0]
    return url.replace(head, identity) if head and tail == head else url


def unwrapped(sent: Any) -> Any:
    """A request body out of the quotes that some recorders have put around it, one pair over the other."""
    if not isinstance(sent, str) or "{" not in sent:
        return sent
    try:
        return json.loads(sent[sent.index("{") : sent.rindex("}") + 1].replace("\\", ""))
    except ValueError:
        return sent


def one_subscription(raws: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with one id for one subscription: a recorder has put another one into URLs, and left links and bodies."""
    text = json.dumps(raws)
    for raw in raws:
        link = raw["response_body"].get("nextLink") if isinstance(raw["response_body"], dict) else None
        asked, linked = (re.search(r"/subscriptions/([^/]+)/", str(url)) for url in (raw["url"], link))
        if asked and linked:
            text = text.replace(linked[1], asked[1])
    healed: list[dict[str, Any]] = json.loads(text)
    return healed


def sequences() -> Iterator[tuple[str, list[Interaction]]]:
    """Every sequence in which a provider of ours takes part, by name."""
    for path in sorted((REFERENCE / "arm_traffic/sequences").glob("*.json")):
        rows = [interaction(path.stem, raw) for raw in one_subscription(json.loads(path.read_text())["interactions"])]
        if any(row.provider for row in rows):
            yield path.stem, rows
