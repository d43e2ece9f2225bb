"""When a grant was first seen. Azure keeps no time for an access policy, so that we must remember it ourselves."""

import hashlib
import json
from datetime import datetime

from shared.core.control import Memory, Sight
from shared.core.facts import Policy, Snapshot, Vault
from shared.core.graph import Graph

_MOST = 1024  # as many policies as a vault can have (AZURE 2.1)


def sight_of(policy: Policy) -> str:
    """Return a name of what a policy says: the same as long as it says the same."""
    said = [policy.tenant, policy.principal, {group: sorted(names) for group, names in policy.permissions.items()}]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def sights(snapshot: Snapshot, graph: Graph | None, memory: Memory, now: datetime) -> tuple[Sight, ...]:
    """Return the policies of identities that use keys, each with when it was first seen. Those that went are forgotten."""
    if graph is None or not isinstance(snapshot.vault, Vault):
        return memory.sights
    before = {it.grant: it for it in memory.sights}
    used = {it.principal for it in graph.identities}
    names = [sight_of(it) for it in snapshot.vault.policies if it.principal in used]
    return tuple(before.get(name, Sight(name, now)) for name in dict.fromkeys(names))[:_MOST]
