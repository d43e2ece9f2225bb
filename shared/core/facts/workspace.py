"""A Databricks workspace and the keys that its layers use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.ids import ResourceId


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key in a vault, as a workspace names it. `version` is '' where the workspace follows the newest."""

    host: str  # `name.vault.azure.net`, lower case; '' where the workspace does not say
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the three places a workspace encrypts; `key` is None while it runs on a platform key.

    `principal` is the object id, in lower case, of the workspace's own identity that asks for the key; '' where Azure
    names none, and always for managed services: those ask as AzureDatabricks itself (AZURE 1.4). `follows`: Azure itself
    puts it on each new version of its key: disks that say so, and a DBFS root that names no version.
    """

    name: str  # managedServices | managedDisk | dbfsRoot
    key: KeyRef | None
    principal: str = ""
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace.

    `sku` is in lower case, '' for a workspace from before there were plans. `tenant` is where its identities live, ''
    while it has none. `is_prepared`: its storage account has an identity; that is no encryption yet (AZURE 1.4).
    `number` is Databricks' own id of it. `raw` is the body as it came: a PUT sends back all of it (AZURE 1.7).
    """

    id: ResourceId
    location: str
    tags: Mapping[str, str]
    provisioning: str
    sku: str
    layers: tuple[Layer, ...]
    is_serverless: bool = False
    is_fedramp: bool = False
    is_prepared: bool = False
    tenant: str = ""
    number: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_settled(self) -> bool:
        """Whether Azure has finished what it was last asked to do, well or badly; until then a GET may lag behind it."""
        return self.provisioning.lower() in {"succeeded", "failed", "canceled", "created", "ready", ""}

    @property
    def has_failed(self) -> bool:
        """Whether what Azure was last asked to do has failed: what it says of the layers is then no proof."""
        return self.provisioning.lower() in {"failed", "canceled"}

    def layer(self, name: str) -> Layer:
        """Return one of its layers."""
        return next(it for it in self.layers if it.name == name)

    def hosts(self) -> tuple[str, ...]:
        """The vaults that its layers name, each once, in order."""
        return tuple(dict.fromkeys(layer.key.host for layer in self.layers if layer.key and layer.key.host))

    def layers_in(self, host: str) -> tuple[str, ...]:
        """The names of the layers whose key lies in that vault."""
        return tuple(layer.name for layer in self.layers if layer.key and layer.key.host == host)
