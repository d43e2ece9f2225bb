"""ARM and Resource Graph JSON -> facts. Tolerant of unknown fields, strict on needed ones (BadInput)."""

from shared.core.parse.access import assignments, definitions, denials, locks, timed
from shared.core.parse.contents import contents
from shared.core.parse.deleted import deleted
from shared.core.parse.key import key
from shared.core.parse.logs import log_settings
from shared.core.parse.vault import vault
from shared.core.parse.workspace import workspace

__all__ = [
    "assignments",
    "contents",
    "definitions",
    "deleted",
    "denials",
    "key",
    "locks",
    "log_settings",
    "timed",
    "vault",
    "workspace",
]
