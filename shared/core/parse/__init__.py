"""ARM and Resource Graph JSON -> facts. Tolerant of unknown fields, strict on needed ones (BadInput)."""

from shared.core.parse.access import assignments, definitions, denials, locks, timed
from shared.core.parse.key import key
from shared.core.parse.vault import vault
from shared.core.parse.workspace import workspace

__all__ = ["assignments", "definitions", "denials", "key", "locks", "timed", "vault", "workspace"]
