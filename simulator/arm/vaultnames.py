"""Which vault has which name: names are global, so a host name alone must lead to the vault.

Soft-deleted vaults are not in it: their names do not resolve (AZURE 2.2).
"""

from simulator.arm.answer import Json
from simulator.arm.router import Target, fold

VAULTS = "microsoft.keyvault/vaults"


class VaultNames:
    """Watches the world for vaults. Seeds may give one name twice: the later one has it, the other when that is gone."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, str]] = {}

    def put(self, target: Target, body: Json) -> None:
        """A vault appeared or changed."""
        if target.kind == VAULTS:
            self._ids.setdefault(fold(target.name), {})[target.id] = str(body["id"])

    def drop(self, target: Target) -> None:
        """A vault is gone."""
        if target.kind == VAULTS:
            self._ids.get(fold(target.name), {}).pop(target.id, None)

    def get(self, name: str) -> str | None:
        """The id of the vault with this name, in any case."""
        return next(reversed(self._ids.get(fold(name), {}).values()), None)
