"""Which scopes are locked, and what a lock forbids.

CanNotDelete forbids deleting the scope and what is under it; ReadOnly forbids writing as well. A lock on a child
forbids deleting its parents too (recorded: a group with a locked account in it). Locks themselves may always be taken away.
"""

from simulator.arm.answer import Json, locked
from simulator.arm.router import Target, ancestors

LOCKS = "microsoft.authorization/locks"
# ReadOnly stops every POST that acts, such as listing keys [LEARN lock-resources]; a POST that only reads, such as
# checkNameAvailability with its action `.../read`, passes: UNVERIFIED.
ACTING = ("/write", "/delete", "/action")


class Locks:
    """Watches the world for locks."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, str, str]] = {}  # lock id -> scope in lower case, scope as written, level

    def put(self, target: Target, body: Json) -> None:
        """A lock appeared or changed."""
        if target.kind == LOCKS:
            level = str((body.get("properties") or {}).get("level", "")).lower()
            self._held[target.id] = (target.scope.lower(), target.scope, level)

    def drop(self, target: Target) -> None:
        """A lock is gone."""
        self._held.pop(target.id, None)

    def check(self, target: Target, method: str, action: str) -> None:
        """Refuse what a lock forbids. Reading is always free, also by POST: a lock asks what the action is."""
        if not self._held or method in {"GET", "HEAD"} or target.kind == LOCKS or not action.endswith(ACTING):
            return
        path, above = target.id, set(ancestors(target.path))
        hits = []
        for scope, written, level in self._held.values():
            if scope in above:
                hit = method == "DELETE" or level == "readonly"
            else:
                hit = method == "DELETE" and scope.startswith(path + "/")
            if hit and written not in hits:
                hits.append(written)
        if hits:
            raise locked(target.path, "delete" if method == "DELETE" else "write", hits)
