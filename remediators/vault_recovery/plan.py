"""How to put it right: one PATCH with both flags, whichever is missing."""

from shared.core.facts import Snapshot, Vault
from shared.core.moves import vault as moves
from shared.core.steps import Step


def steps(snapshot: Snapshot) -> tuple[Step, ...]:
    """Return the write, or nothing where there is no vault that lacks it."""
    vault = snapshot.vault
    if not isinstance(vault, Vault) or (vault.soft_delete and vault.purge_protection):
        return ()
    return (moves.protect(vault),)
