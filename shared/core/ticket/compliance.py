"""Why a control matters, in the words of the frameworks: their ids, and whether they speak of it or only support it.

Official: the framework itself, or a published mapping of it, names this very thing. Supporting: it names something
alike (the key of a disk, say) or only the reason for it; never to be shown to an auditor as the rule that was broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a framework. `supports`: it does not speak of the control itself."""

    framework: str
    id: str
    supports: bool = False


RULES: Mapping[str, tuple[Rule, ...]] = {
    "KV-RECOVERY": (
        Rule("CIS Microsoft Azure Foundations 6.0", "8.3.5"),
        Rule("CIS Microsoft Azure Foundations 5.0", "8.3.5"),
        Rule("Microsoft cloud security benchmark v1", "DP-8"),
        Rule("NIST SP 800-53 R5", "CP-9"),
        Rule("FINOS CCC v2025.10", "KeyMgmt.CN01.AR01", supports=True),  # speaks of an alert when a key is disabled
        Rule("PCI DSS 4.0.1", "3.6.1, 3.7.1", supports=True),
    ),
    "KV-ACCESS": (
        Rule("Microsoft cloud security benchmark v1", "PA-7"),
        Rule("FINOS CCC v2025.10", "KeyMgmt.CN02.AR01"),
        Rule(
            "CIS Microsoft Azure Foundations 6.0", "8.3.6", supports=True
        ),  # speaks of the model, not of who holds what
        Rule("NIST SP 800-53 R5.1.1", "AC-2(1), AC-3(7)", supports=True),
    ),
    "KV-DELETED": (
        Rule("FINOS CCC v2025.10", "KeyMgmt.CN01.AR01"),  # an alert within five minutes of a deletion
        Rule("NIST SP 800-53 R5", "CP-9, SC-12(1)", supports=True),  # availability of information when keys are lost
        Rule("Microsoft cloud security benchmark v1", "DP-8", supports=True),  # the key vault is recoverable
    ),
    "KV-LOGS": (
        Rule("CIS Microsoft Azure Foundations 3.0", "6.1.4"),
        Rule("Microsoft cloud security benchmark v1", "LT-3"),
        Rule("NIST SP 800-53 R5", "AU-12"),
        Rule("PCI DSS 4.0.1", "10.2.1", supports=True),
    ),
    # No framework speaks of what else lies in a vault, or of whose keys are whose; these give the reason.
    "KV-DEDICATED": (
        Rule("Microsoft cloud security benchmark v1", "DP-8", supports=True),
        Rule("NIST SP 800-53 R5", "AC-6", supports=True),
    ),
    "KEY-SHARED": (
        Rule("NIST SP 800-53 R5", "SC-12", supports=True),
        Rule("PCI DSS 4.0.1", "3.6.1", supports=True),
    ),
    "KEY-KNOWN": (
        Rule("NIST SP 800-53 R5", "CM-8, SC-12", supports=True),
        Rule("PCI DSS 4.0.1", "3.7.1", supports=True),
    ),
    "DBX-CMK": (
        Rule("CIS Microsoft Azure Foundations 6.0", "2.1.8"),
        Rule("CIS Microsoft Azure Foundations 5.0", "2.1.8"),
        Rule("CIS Microsoft Azure Foundations 4.0", "3.1.8"),
        Rule("HIPAA 45 CFR", "164.312(a)(2)(iv)"),
        Rule("FINOS CCC v2025.10", "CN11.AR03"),
        Rule("Microsoft cloud security benchmark v1", "DP-5", supports=True),  # by what it says of storage accounts
        Rule("NIST SP 800-53 R5", "SC-12", supports=True),  # mapped for storage accounts and disks
        Rule("PCI DSS 4.0.1", "3.5.1.1, 3.5.1.2, 3.6.1", supports=True),
    ),
    "DBX-TIER": (
        Rule("Microsoft cloud security benchmark v2 (preview)", "DP-5, NS-2"),  # by the built-in policy 2cc2c3b5
        Rule("HIPAA 45 CFR", "164.312(a)(2)(iv)", supports=True),  # what Premium makes possible
    ),
    "DBX-TAGS": (
        Rule("Microsoft cloud security benchmark v1", "AM-1"),  # assets are organised by tags
        Rule("NIST SP 800-53 R4", "CM-8, PM-5", supports=True),  # the benchmark's own mapping of AM-1: an inventory
    ),
    "KEY-ROTATION": (
        Rule("CIS Microsoft Azure Foundations 6.0", "8.3.9"),
        Rule("CIS Microsoft Azure Foundations 5.0", "8.3.9"),
        Rule("CIS Microsoft Azure Foundations 4.0", "9.3.9"),
        Rule("Microsoft cloud security benchmark v1", "DP-6"),
        Rule("CIS Microsoft Azure Foundations 6.0", "8.3.1", supports=True),  # asks for an expiry date, which we do not
        Rule("NIST SP 800-53 R5", "SC-12", supports=True),
    ),
}
