"""The explicit, ordered list of what must hold. One folder a control; they do not know each other."""

from remediators.key_access import KEY_ACCESS
from remediators.key_known import KEY_KNOWN
from remediators.key_rotation import KEY_ROTATION
from remediators.key_shared import KEY_SHARED
from remediators.vault_dedicated import VAULT_DEDICATED
from remediators.vault_deleted import VAULT_DELETED
from remediators.vault_logs import VAULT_LOGS
from remediators.vault_recovery import VAULT_RECOVERY
from remediators.workspace_cmk import WORKSPACE_CMK
from remediators.workspace_tags import WORKSPACE_TAGS
from remediators.workspace_tier import WORKSPACE_TIER
from shared.core.control import Remediator

REMEDIATORS: tuple[Remediator, ...] = (
    VAULT_RECOVERY,
    KEY_ACCESS,
    VAULT_DELETED,
    VAULT_LOGS,
    VAULT_DEDICATED,
    KEY_SHARED,
    KEY_KNOWN,
    WORKSPACE_CMK,
    WORKSPACE_TIER,
    WORKSPACE_TAGS,
    KEY_ROTATION,
)
