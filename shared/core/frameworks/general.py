"""Frameworks that know nothing of Azure: PCI DSS, HIPAA, NIST SP 800-53, ISO/IEC 27001."""

from shared.core.frameworks.model import Framework, Requirement

_NONE = "the text alone; no published mapping names it"
_PCI = "Azure Policy, initiative a06d5deb-24aa-4991-9d58-fa7563154e31"
_HIPAA = "Prowler, hipaa_azure"
_NIST = "Azure Policy, initiative 179d1daa-458f-4e47-8086-2a68d0d6c38f"
_ISO = "Azure Policy, initiative e3030e83-88d5-4f23-8734-6577a2c97a32 (ISO 27002:2022)"

PCI = Framework("pci", "PCI DSS 4.0.1", (
    Requirement(
        "3.5.1.1", "hashes that hide account numbers are keyed, and their keys managed", _PCI + ", for disks encrypted twice",
        support=("DBX-CMK",),
    ),
    Requirement(
        "3.5.1.2", "encryption of disks or partitions is not all that hides account numbers", _PCI + ", for disks encrypted twice",
        support=("DBX-CMK",),
    ),
    Requirement(
        "3.6.1", "keys that protect account data are protected against disclosure and misuse", _PCI,
        speak=("KEY-ROTATION",), support=("DBX-CMK", "KV-RECOVERY", "KV-ACCESS", "KV-DEDICATED"),
    ),
    Requirement(
        "3.7.1", "strong keys are generated, and their life is governed by policy", _NONE,
        support=("KV-RECOVERY", "KEY-KNOWN", "KV-DELETED"),
    ),
    Requirement("3.7.4", "keys are changed at the end of their time", "Prowler, pci_4.0_azure", speak=("KEY-ROTATION",)),
    Requirement(
        "7.2.5", "accounts of applications and systems hold the least they need", "Prowler, pci_4.0_azure, for the access model",
        support=("KV-ACCESS",),
    ),
    Requirement("10.4.2.1", "how often logs are looked through follows from risk", _PCI, speak=("KV-LOGS",)),
))  # fmt: skip

HIPAA = Framework("hipaa", "HIPAA 45 CFR", (
    Requirement("164.308(a)(4)(ii)(B)", "access is granted by rule", _HIPAA + ", for the access model", support=("KV-ACCESS",)),
    Requirement(
        "164.308(a)(7)(ii)(A)", "exact copies of what is protected can be had back", _HIPAA,
        speak=("KV-RECOVERY",), support=("KV-DELETED",),
    ),
    Requirement(
        "164.312(a)(2)(iv)", "there is a way to encrypt and decrypt what is protected", _HIPAA,
        speak=("DBX-CMK", "KEY-ROTATION"), support=("DBX-TIER", "KEY-SHARED"),
    ),
    Requirement("164.312(b)", "what happens to what is protected is recorded and looked at", _NONE, support=("KV-LOGS",)),
    Requirement("164.312(c)(1)", "what is protected is not destroyed by mistake or malice", _HIPAA, speak=("KV-RECOVERY",)),
))  # fmt: skip

NIST = Framework("nist", "NIST SP 800-53 R5", (
    Requirement(
        "AC-3(7)", "access follows from roles", "Azure Policy, initiative 60205a79-6280-4e20-a147-e2011e09dc78 (R5.1.1), for the access model",
        support=("KV-ACCESS",),
    ),
    Requirement("AC-6", "nobody holds more than they need", _NONE, support=("KV-ACCESS", "KV-DEDICATED")),
    Requirement("AU-12", "the system makes the records of an audit", _NIST, speak=("KV-LOGS",)),
    Requirement("CM-8", "there is an inventory of what there is", _NONE, support=("DBX-TAGS", "KEY-KNOWN")),
    Requirement("CP-9", "there are copies of what is needed, and they are protected", _NIST, speak=("KV-RECOVERY",), support=("KV-DELETED",)),
    Requirement(
        "SC-12", "keys are established and managed", _NIST + ", for storage accounts and disks",
        support=("DBX-CMK", "KEY-ROTATION", "KEY-SHARED", "KEY-KNOWN"),
    ),
    Requirement(
        "SC-28", "information at rest is protected", "Azure Policy, initiative 60205a79-6280-4e20-a147-e2011e09dc78 (R5.1.1), for storage accounts and disks",
        support=("DBX-CMK", "DBX-TIER"),
    ),
))  # fmt: skip

ISO = Framework("iso", "ISO/IEC 27001:2022, Annex A", (
    Requirement("A.5.9", "there is an inventory of information and what belongs to it", _NONE, support=("DBX-TAGS", "KEY-KNOWN")),
    Requirement("A.5.15", "access follows from rules", _ISO + ", for the access model", support=("KV-ACCESS",)),
    Requirement("A.7.14", "nothing is lost or left behind when equipment or storage ends", _ISO, speak=("KV-RECOVERY",)),
    Requirement("A.8.2", "privileged rights are few and managed", _ISO + ", for the access model", support=("KV-ACCESS", "KV-DEDICATED")),
    Requirement("A.8.13", "there are copies of information, and they are tested", _NONE, support=("KV-RECOVERY", "KV-DELETED")),
    Requirement("A.8.15", "what happens is logged", _ISO, speak=("KV-LOGS",)),
    Requirement(
        "A.8.24", "cryptography is used by rule, keys included", _ISO + "; for disks encrypted twice and for keys' lives",
        speak=("KEY-ROTATION",), support=("DBX-CMK", "DBX-TIER", "KEY-SHARED", "KEY-KNOWN"),
    ),
    Requirement("A.8.31", "development, test and production are apart", _NONE, support=("KEY-SHARED",)),
))  # fmt: skip
