"""Frameworks written for Azure: CIS Microsoft Azure Foundations and the Microsoft cloud security benchmark."""

from shared.core.frameworks.model import Framework, Requirement

_CIS = "the benchmark's own text, as Prowler (cis_5.0_azure, cis_6.0_azure) and Powerpipe (cis_v500) carry it"
_MCSB = "Azure Policy, initiative 1f3afdf9-d0c9-4c3d-847f-89da613e70a8"

CIS = Framework("cis", "CIS Microsoft Azure Foundations 5.0", (
    Requirement(
        "2.1.8", "critical data in Azure Databricks is encrypted with customer-managed keys", _CIS,
        speak=("DBX-CMK",), support=("DBX-TIER", "KEY-SHARED"), elsewhere="6.0: 2.1.8; 4.0: 3.1.8",
    ),
    Requirement(
        "6.1.1.4", "logging for Azure Key Vault is enabled", "the benchmark's own text (5.0.0, section 6.1.1)",
        speak=("KV-LOGS",), elsewhere="3.0: 6.1.4; 2.0: 5.1.5",
    ),
    Requirement(
        "8.3.1", "keys in vaults with RBAC have an expiration date", _CIS,
        support=("KEY-ROTATION",), elsewhere="6.0: 8.3.1; 4.0: 9.3.1; 3.0: 3.3.1",
    ),
    Requirement(
        "8.3.5", "the key vault is recoverable: soft delete and purge protection", _CIS,
        speak=("KV-RECOVERY",), support=("KV-DELETED",), elsewhere="6.0: 8.3.5; 4.0: 9.3.5; 3.0: 3.3.5; 2.0: 8.5",
    ),
    Requirement(
        "8.3.6", "access to a key vault goes by role-based access control", _CIS + "; it speaks of the model, we of who holds what",
        support=("KV-ACCESS", "KV-DEDICATED"), elsewhere="6.0: 8.3.6; 4.0: 9.3.6; 3.0: 3.3.6; 2.0: 8.6",
    ),
    Requirement(
        "8.3.9", "keys are rotated by themselves", _CIS,
        speak=("KEY-ROTATION",), elsewhere="6.0: 8.3.9; 4.0: 9.3.9; 3.0: 3.3.8; 2.0: 8.8",
    ),
))  # fmt: skip

MCSB = Framework("mcsb", "Microsoft cloud security benchmark v1", (
    Requirement(
        "AM-1", "assets are known, and their risks", "the benchmark's guidance on tags",
        speak=("DBX-TAGS",), support=("KEY-KNOWN",),
    ),
    Requirement(
        "DP-5", "data at rest is under customer-managed keys where that is required", _MCSB + ", for storage accounts; v2 (preview, e3ec7e09-768c-4b64-882c-fcada3772047) maps the Premium tier of Databricks",
        support=("DBX-CMK", "DBX-TIER"),
    ),
    Requirement(
        "DP-6", "keys are managed by a secure process", _MCSB,
        speak=("KEY-ROTATION",), support=("KEY-SHARED", "KEY-KNOWN"),
    ),
    Requirement(
        "DP-8", "the repository of keys is secure", _MCSB,
        speak=("KV-RECOVERY", "KV-LOGS"), support=("KV-DELETED", "KV-DEDICATED"),
    ),
    Requirement("LT-3", "what an investigation needs is logged", _MCSB, speak=("KV-LOGS",)),
    Requirement("PA-7", "nobody holds more than they need", _MCSB, speak=("KV-ACCESS",), support=("KV-DEDICATED",)),
))  # fmt: skip
