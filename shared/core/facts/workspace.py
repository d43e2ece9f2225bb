"""A Databricks workspace and the keys that its layers use."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.ids import ResourceId


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key in a vault, as a workspace names it. `version` is '' where the workspace follows the newest."""

    host: str  # `name.vault.azure.net`, lower case
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the three places a workspace encrypts; `key` is None while it runs on a platform key.

    `principal` is the object id, in lower case, of the workspace's own identity that asks for the key; '' where Azure
    names none, and always for managed services: those ask as AzureDatabricks itself (AZURE 1.4).
    """

    name: str  # managedServices | managedDisk | dbfsRoot
    key: KeyRef | None
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace."""

    id: ResourceId
    location: str
    tags: Mapping[str, str]
    provisioning: str
    sku: str
    layers: tuple[Layer, ...]

    def hosts(self) -> tuple[str, ...]:
        """The vaults that its layers name, each once, in order."""
        return tuple(dict.fromkeys(layer.key.host for layer in self.layers if layer.key))

    def layers_in(self, host: str) -> tuple[str, ...]:
        """The names of the layers whose key lies in that vault."""
        return tuple(layer.name for layer in self.layers if layer.key and layer.key.host == host)
