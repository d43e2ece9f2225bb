"""The rules of one vault's properties: what a PUT and a PATCH make of them, and what Key Vault refuses.

Pure: from what is stored and what was sent to what will be stored (AZURE 2.2 and recordings). Texts marked so in
AZURE are verbatim; the others are ours, in Key Vault's manner, because nobody recorded them.
"""

import re
from typing import Any

from simulator.arm.answer import Json, Refused
from simulator.arm.router import fold

NAME = re.compile(r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
PURGE_IS_FINAL = (
    'The property "enablePurgeProtection" cannot be set to false. '
    "Enabling the purge protection for a vault is an irreversible action."
)
SOFT_DELETE_IS_FINAL = (
    'The property "enableSoftDelete" can be set to false only for creating new vault. '
    "Enabling the 'soft delete' functionality is an irreversible action."
)
RETENTION_IS_FINAL = 'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.'
# From this version on a new vault that says nothing uses RBAC (AZURE 0, hazard 13).
RBAC_SINCE = "2026-02-01"
OPEN_NETWORK = {"bypass": "AzureServices", "defaultAction": "Allow"}
# Shown when somebody has set them; `enabledForDeployment` always is (keyvault_vaults.jsonl, 74 creations).
FLAGS = ("enabledForDiskEncryption", "enabledForTemplateDeployment")
# What an older api-version does not show: first version of each field (the same recordings; the newest that lack it).
SINCE = {
    "enableRbacAuthorization": "2019-09-01",
    "softDeleteRetentionInDays": "2019-09-01",
    "publicNetworkAccess": "2021-06-01",
}
# From this version on a new vault has soft delete unless it is refused; before it was not even shown (recorded).
SOFT_DELETE_SINCE = "2019-09-01"
# From this version on the retention period is shown although nobody has set it (2019-09-01 does not: recorded; later
# recordings always set it).
DAYS_SINCE = "2021-04-01"
SYSTEM_SINCE = "2021-04-01"
MOST_POLICIES = 1024
RECOVERY = ("delete", "backup", "restore", "recover", "purge")
# What may be permitted, in lower case (AZURE 2.2).
WORDS = {
    "keys": {
        *("all", "encrypt", "decrypt", "wrapkey", "unwrapkey", "sign", "verify", "get", "list", "create", "update"),
        *("import", *RECOVERY, "release", "rotate", "getrotationpolicy", "setrotationpolicy"),
    },
    "secrets": {"all", "get", "list", "set", *RECOVERY},
    "certificates": {
        *("all", "get", "list", "create", "import", "update", *RECOVERY, "managecontacts", "getissuers"),
        *("listissuers", "setissuers", "deleteissuers", "manageissuers"),
    },
    "storage": {
        *("all", "get", "list", "set", "update", "regeneratekey", *RECOVERY),
        *("setsas", "listsas", "getsas", "deletesas"),
    },
}


def check_name(name: str) -> None:
    """Refuse what cannot be a host name under vault.azure.net."""
    if not NAME.fullmatch(name):
        raise Refused(
            400,
            "VaultNameNotValid",
            f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
            "The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. "
            "Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742",
        )


def shown(body: Json, version: str) -> Json:
    """A vault as this api-version shows it."""
    day = version[:10]
    if day >= max(SINCE.values()):
        return body
    properties = {name: value for name, value in (body.get("properties") or {}).items() if day >= SINCE.get(name, "")}
    rest = {name: value for name, value in body.items() if name != "systemData" or day >= SYSTEM_SINCE}
    return {**rest, "properties": properties}


def replaced(old: Json | None, sent: Json, version: str) -> Json:
    """Properties after a PUT: as sent, save what cannot go back or keeps its value when it is left out."""
    before = old or {}
    _need(sent)
    _check(before, sent)
    made: Json = {
        "sku": sent["sku"],
        "tenantId": sent["tenantId"],
        "accessPolicies": sent.get("accessPolicies") or [],
        "enabledForDeployment": bool(sent.get("enabledForDeployment")),
        **{flag: sent[flag] for flag in FLAGS if sent.get(flag) is not None},
        **_recovery(before, sent, version, fresh=old is None and version >= SOFT_DELETE_SINCE),
    }
    rbac = _rbac(before, sent, version, fresh=old is None)
    if rbac is not None:
        made["enableRbacAuthorization"] = rbac
    acls = sent.get("networkAcls")
    if acls and {name: value for name, value in acls.items() if value} != OPEN_NETWORK:
        made["networkAcls"] = {**acls, "ipRules": acls.get("ipRules") or []}
        made["networkAcls"]["virtualNetworkRules"] = acls.get("virtualNetworkRules") or []
    made["publicNetworkAccess"] = sent.get("publicNetworkAccess") or "Enabled"
    return made


def patched(old: Json, sent: Json, version: str) -> Json:
    """Properties after a PATCH: only what was sent changes; a list is replaced whole (AZURE 2.2)."""
    _check(old, sent)
    own = {"vaultUri", "provisioningState", "createMode", "privateEndpointConnections"}
    given = {name: value for name, value in sent.items() if value is not None and name not in own}
    return {**old, **given, **_recovery(old, sent, version, fresh=False)}


def _recovery(old: Json, sent: Json, version: str, *, fresh: bool) -> Json:
    """Soft delete and purge protection: on for good once on; purge protection is true or not there at all."""
    soft = sent.get("enableSoftDelete")
    if soft is None:
        soft = True if fresh else old.get("enableSoftDelete")
    made: Json = {} if soft is None else {"enableSoftDelete": soft}
    days = old.get("softDeleteRetentionInDays") or sent.get("softDeleteRetentionInDays")
    if soft and version[:10] >= DAYS_SINCE:
        days = days or 90
    if days:
        made["softDeleteRetentionInDays"] = days
    if old.get("enablePurgeProtection") or sent.get("enablePurgeProtection"):
        made["enablePurgeProtection"] = True
    return made


def _rbac(old: Json, sent: Json, version: str, *, fresh: bool) -> bool | None:
    """The access model; None while nobody has said it: then it is not shown (recorded, 2016-10-01 to 2021-04-01)."""
    if sent.get("enableRbacAuthorization") is not None:
        return bool(sent["enableRbacAuthorization"])
    return True if fresh and version[:10] >= RBAC_SINCE else old.get("enableRbacAuthorization")


def _need(sent: Json) -> None:
    sku: Any = sent.get("sku")
    if not isinstance(sku, dict) or fold(str(sku.get("name", ""))) not in {"standard", "premium"}:
        raise _bad("The parameter sku has an invalid value.")
    if not sent.get("tenantId"):
        raise _bad('The property "tenantId" is missing.')


def _check(old: Json, sent: Json) -> None:
    """What Key Vault refuses, in PUT and PATCH alike."""
    if sent.get("enablePurgeProtection") is False:
        raise _bad(PURGE_IS_FINAL)
    if sent.get("enableSoftDelete") is False and old.get("enableSoftDelete"):
        raise _bad(SOFT_DELETE_IS_FINAL)
    asked = sent.get("enableSoftDelete")
    soft = old.get("enableSoftDelete", not old) if asked is None else asked
    if sent.get("enablePurgeProtection") and not soft:
        raise _bad('The property "enablePurgeProtection" can be set to true only together with "enableSoftDelete".')
    _check_days(old.get("softDeleteRetentionInDays"), sent.get("softDeleteRetentionInDays"))
    policies = sent.get("accessPolicies")
    if policies is not None:
        check_policies(policies)


def _check_days(old: Any, sent: Any) -> None:
    if sent is None:
        return
    if old is not None and sent != old:
        raise _bad(RETENTION_IS_FINAL)
    if old is None and (not isinstance(sent, int) or not 7 <= sent <= 90):
        raise _bad('The property "softDeleteRetentionInDays" must be between 7 and 90.')


def check_policies(policies: Any) -> None:
    """Shape and words: any casing of a permission is taken, as recorded; an unknown word is not."""
    if not isinstance(policies, list) or len(policies) > MOST_POLICIES:
        raise _bad(f"The parameter accessPolicies must be a list of at most {MOST_POLICIES} entries.")
    for entry in policies:
        if not isinstance(entry, dict) or not entry.get("objectId") or not entry.get("tenantId"):
            raise _bad("An access policy needs a tenantId and an objectId.")
        if not isinstance(entry.get("permissions"), dict):
            raise _bad("An access policy needs permissions.")
        if not _are_words(entry["permissions"]):
            raise _bad("An invalid value was provided for 'accessPolicies'.")


def _are_words(permissions: Json) -> bool:
    return all(
        group in WORDS and isinstance(words or [], list) and {fold(str(each)) for each in words or []} <= WORDS[group]
        for group, words in permissions.items()
    )


def _bad(message: str) -> Refused:
    return Refused(400, "BadRequest", message)
