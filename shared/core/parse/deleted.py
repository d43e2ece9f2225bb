"""The list of deleted vaults -> the one that is meant. Shapes: AZURE 2.2 and the recorded deleted vaults."""

from collections.abc import Iterable

from shared.core.facts.deleted import Deleted
from shared.core.facts.snapshot import Absent
from shared.core.ids import ResourceId, fold
from shared.core.parse import wire
from shared.core.parse.wire import Json


def deleted(bodies: Iterable[Json], vault: ResourceId) -> Deleted | Absent:
    """Return what the list says of one vault. By its whole id: names are global, another group's vault may bear this one.

    Raises BadInput where its entry makes no sense.
    """
    found = (wire.obj(body, "properties") for body in bodies)
    entry = next((it for it in found if fold(wire.text(it, "vaultId")).rstrip("/") == vault.key), None)
    if entry is None:
        return Absent()
    return Deleted(
        location=wire.text(entry, "location").lower().replace(" ", ""),
        tags=wire.tags(entry),
        deleted=wire.instant(entry, "deletionDate"),
        purged=wire.instant(entry, "scheduledPurgeDate"),
        purge_protection=wire.flag(entry, "purgeProtectionEnabled") is True,
    )
