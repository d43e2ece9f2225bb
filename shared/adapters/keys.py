"""Keys as Resource Manager shows them: what they are and whether they work, behind no firewall (AZURE 1.5, 2.3)."""

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.adapters.clients import Clients, raw
from shared.adapters.translate import missing, translated
from shared.core.errors import BadInput
from shared.core.ids import NAME_OF_A_KEY, ResourceId


class ArmKeys:
    """Reads of keys below a vault."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def key(self, vault: ResourceId, name: str, version: str = "") -> Mapping[str, Any] | None:
        """Return the raw body of a key at a version, the newest where none is named; None where there is none."""
        keys, at = self._clients.keys(vault.subscription), (vault.group, vault.name, _word(name))
        with translated(f"reading key {name} of {vault}"):
            try:
                found: Mapping[str, Any] = (
                    keys.get_version(*at, _word(version), cls=raw) if version else keys.get(*at, cls=raw)
                )
            except HttpResponseError as error:
                if missing(error):
                    return None
                raise
        return found

    def versions(self, vault: ResourceId, name: str) -> int:
        """Return how many versions a key has."""
        with translated(f"reading the versions of key {name} of {vault}"):
            listed = self._clients.keys(vault.subscription).list_versions(vault.group, vault.name, _word(name))
            return sum(1 for _ in listed)


def _word(word: str) -> str:
    """Return a name or version: it comes from what a workspace says, and becomes part of an address."""
    if not NAME_OF_A_KEY.fullmatch(word):
        raise BadInput("BadKeyName", f"{word[:130]!r} is not the name or the version of a key")
    return word
