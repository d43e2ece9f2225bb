"""What must hold of the rotation of a workspace's keys. Pure.

subject    speaks of                                                      what follows
''         the versions in use: which layers are on an older one          asked for; the grace of a new version comes first
a layer    the key of the layer: policy, age, end                         ticket, with the command
"""

from datetime import datetime

from remediators.key_rotation import keys, versions
from remediators.key_rotation.use import Case, uses
from shared.core.choices import Choices
from shared.core.control import Finding, Memory, NotApplicable, Verdict
from shared.core.facts import Snapshot
from shared.core.unjudged import judged, unjudged

ID = "KEY-ROTATION"


def assess(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
    """Return every verdict on one workspace. What could not be read is Unknown."""
    said = unjudged(snapshot, memory, ID)
    if said:
        return said
    case = Case(judged(snapshot), snapshot, memory, choices, now)
    found = uses(case)
    none = Finding("NoCustomerKey", "it is under a platform key: Azure rotates that")
    spoken = {it.layer.name for it in found}
    silent = tuple(NotApplicable(none, it) for it in memory.subjects_of(ID) if it and it not in spoken)
    whole = versions.whole(case, found) if found else NotApplicable(none)
    return whole, *keys.each(case, found), *silent
