"""What frameworks ask for, and which of our controls answer it: a table for auditors, a requirement a row.

A control *speaks of* a requirement where the framework itself, or a published mapping of it, names this very thing. It
*supports* one that names something alike, or only the reason: never to be shown as the rule that was broken. Each row says
where its mapping comes from. The tickets have a shorter table of the same kind (ticket/compliance.py); a test keeps the two
from contradicting each other.
"""

from collections.abc import Mapping, Sequence

from shared.core.frameworks.cloud import CIS, MCSB
from shared.core.frameworks.general import HIPAA, ISO, NIST, PCI
from shared.core.frameworks.model import Framework, Requirement

__all__ = ["FRAMEWORKS", "Framework", "Requirement", "official", "supporting"]

FRAMEWORKS: Mapping[str, Framework] = {it.key: it for it in (CIS, PCI, HIPAA, NIST, ISO, MCSB)}


def official(control: str) -> Sequence[tuple[Framework, Requirement]]:
    """Return the requirements that a control speaks of."""
    return [(it, each) for it in FRAMEWORKS.values() for each in it.requirements if control in each.speak]


def supporting(control: str) -> Sequence[tuple[Framework, Requirement]]:
    """Return the requirements that a control only supports."""
    return [(it, each) for it in FRAMEWORKS.values() for each in it.requirements if control in each.support]
