"""A layer on a customer-managed key: which version it uses, which is the newest, and why that may not be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.choices import LAYERS, TITLES, Choices
from shared.core.control import Finding, Memory
from shared.core.facts import Absent, Key, KeyRef, Layer, Snapshot, Unreadable, Vault, Workspace
from shared.core.inuse import version_in_use

FAILED = "the last change of the workspace has failed: what Azure says of its keys is no proof"


@dataclass(frozen=True, slots=True)
class Case:
    """One workspace."""

    workspace: Workspace
    snapshot: Snapshot
    memory: Memory
    choices: Choices
    now: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """One layer and its key. `used` is the version that it is on, `newest` the newest one; they may be the same.

    Where it follows its key by itself, that is the newest, whatever version the workspace shows (AZURE 1.4).
    """

    layer: Layer
    vault: Vault
    used: Key
    newest: Key

    @property
    def title(self) -> str:
        """The layer, for people."""
        return TITLES[self.layer.name]

    @property
    def is_newest(self) -> bool:
        """Whether it uses the newest version."""
        return self.used.version.lower() == self.newest.version.lower()

    def shown(self) -> Mapping[str, Any]:
        """Return it as evidence."""
        return {
            "layer": self.layer.name,
            "vault": self.vault.host,
            "key": self.newest.name,
            "version": self.used.version,
            "made": _day(self.used.created),
            "newest": self.newest.version,
            "newest_made": _day(self.newest.created),
            "follows": self.layer.follows,
        }


@dataclass(frozen=True, slots=True)
class Blank:
    """A layer of whose key nothing can be told, and why."""

    layer: Layer
    finding: Finding


def uses(case: Case) -> tuple[Use | Blank, ...]:
    """Return every layer that is on a customer-managed key, in the order of a migration."""
    found = (case.workspace.layer(name) for name in LAYERS)
    return tuple(_use(case, layer, layer.key) for layer in found if layer.key)


def _use(case: Case, layer: Layer, key: KeyRef) -> Use | Blank:
    at = case.snapshot.vaults.get(key.host)
    if not isinstance(at, Snapshot) or not isinstance(at.vault, Vault):
        why = at.vault if isinstance(at, Snapshot) else at
        said = (
            why.message
            if isinstance(why, Unreadable)
            else "deleted, of another tenant, out of our sight, or no Key Vault"
        )
        return Blank(layer, Finding("VaultNotSeen", f"{TITLES[layer.name]}: no vault {key.host} can be seen: {said}"))
    newest = at.newest.get(key.name)
    used = version_in_use(at, layer, key)
    for it in (newest, used):
        if not isinstance(it, Key):
            return Blank(layer, _untold(layer, it))
    assert isinstance(newest, Key)  # noqa: S101 - the loop has said so
    assert isinstance(used, Key)  # noqa: S101
    if newest.name.lower() != key.name.lower():  # an answer about another key is none
        return Blank(layer, Finding("KeyNotReadable", f"{TITLES[layer.name]}: Azure has answered with another key"))
    return Use(layer, at.vault, used, newest)


def _untold(layer: Layer, key: Key | Unreadable | Absent | None) -> Finding:
    if isinstance(key, Absent):
        said = "its vault has no such key or version: DBX-CMK says what that means"
        return Finding("KeyIsMissing", f"{TITLES[layer.name]}: {said}")
    said = key.message if isinstance(key, Unreadable) else "nobody has asked"
    return Finding("KeyNotReadable", f"{TITLES[layer.name]}: its key could not be read: {said}")


def _day(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
