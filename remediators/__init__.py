"""The explicit, ordered list of what must hold. One folder a control; they do not know each other."""

from remediators.vault_recovery import VAULT_RECOVERY
from shared.core.control import Remediator

REMEDIATORS: tuple[Remediator, ...] = (VAULT_RECOVERY,)
