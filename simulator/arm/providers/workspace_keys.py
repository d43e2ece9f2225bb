"""Whether those who need a workspace's keys can use them: the texts with which an operation fails otherwise.

Managed services are tried by Databricks itself, DBFS by the storage account; nobody tries the key of managed disks
(AZURE 0, hazards 1 and 16; AZURE 1.6). It asks and changes nothing.
"""

from simulator.arm.answer import Json
from simulator.arm.keyuse import find_vault, key, refusal
from simulator.arm.providers.workspace import entity, parameter, properties
from simulator.arm.router import fold
from simulator.arm.sim import Sim

APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # AzureDatabricks, the same in every tenant (AZURE 1.4)
NOBODY = "00000000-0000-0000-0000-000000000000"
VERBS = ("get", "wrapkey", "unwrapkey")
MISSING_KEY = "The key vault key is not found to unwrap the encryption key."  # Azure Storage's error codes
MISSING_VAULT = "The key vault vault is not found."  # the same list


def failure(sim: Sim, body: Json) -> str:
    """Why the workspace cannot have these keys; empty when it can."""
    return _managed_services(sim, body) or _dbfs(sim, body)


def unusable(sim: Sim, oid: str, uri: str, name: str, version: str) -> tuple[str, str]:
    """Why a principal cannot use a key, as code and text of Key Vault; empty texts when it can."""
    vault = find_vault(sim, uri)
    if vault is None:
        return "VaultNotFound", f"No such host is known. ({uri})"
    tenant = str(properties(vault).get("tenantId") or sim.config.tenant)
    if fold(tenant) != fold(sim.config.tenant):
        expected = f"https://sts.windows.net/{tenant}/"
        text = f"AKV10032: Invalid issuer. Expected one of {expected}, found {sim.tokens.v1_issuer}."
        return "Unauthorized", text
    for verb in VERBS:
        why = refusal(sim, oid, vault["id"], verb, name)
        if why:
            return "Forbidden", why
    found = key(sim, uri, name, version)
    if found is None:
        # keyvault_dataplane_keys.jsonl
        return "KeyNotFound", f"A key with (name/id) {name}/{version} was not found in this key vault."
    if (properties(found).get("attributes") or {}).get("enabled") is False:
        return "Forbidden", "Operation get is not allowed on a disabled key."
    return "", ""


def databricks(sim: Sim) -> str:
    """The object id of AzureDatabricks in this tenant; nobody's where the configuration has none."""
    return next((each.principal_id for each in sim.config.identities if each.client_id == APPLICATION), NOBODY)


def _managed_services(sim: Sim, body: Json) -> str:
    """Azure/azure-powershell#22898; purge protection is not asked for (AZURE 0, hazard 16)."""
    named = entity(body, "managedServices").get("keyVaultProperties")
    if not named:
        return ""
    uri = str(named["keyVaultUri"])
    code, text = unusable(sim, databricks(sim), uri, str(named["keyName"]), str(named["keyVersion"]))
    if not code:
        return ""
    status = {"Forbidden": 403, "Unauthorized": 401}.get(code, 404)
    inner = ',"innererror":{"code":"AccessDenied"}' if code == "Forbidden" else ""
    wrapped = f'Status code {status}, {{"error":{{"code":"{code}","message":"{text}"{inner}}}}}'
    return (
        f"PERMISSION_DENIED: Invalid permissions on the specified KeyVault {uri}. Please give Databricks the following "
        f"access permissions to the given KeyVault: [Get, Wrap, Unwrap]. Wrapped Message: {wrapped}"
    )


def _dbfs(sim: Sim, body: Json) -> str:
    """PowerShell/PowerShell#20404: the storage account's own refusals, as the workspace passes them on."""
    named = parameter(body, "encryption") or {}
    if fold(str(named.get("keySource", ""))) != "microsoft.keyvault":
        return ""
    prepared = parameter(body, "prepareEncryption")
    why = _storage(sim, named, properties(body).get("storageAccountIdentity") if prepared else None)
    account = parameter(body, "storageAccountName")
    return f"Unable to update storage account '{account}': '{why}'" if why else ""


def _storage(sim: Sim, named: Json, identity: Json | None) -> str:
    uri, name, version = str(named["keyvaulturi"]), str(named["KeyName"]), str(named.get("keyversion") or "")
    vault = find_vault(sim, uri)
    if vault is None:
        return MISSING_VAULT
    protected = properties(vault).get("enablePurgeProtection") and properties(vault).get("enableSoftDelete", True)
    if not protected or not identity:
        return "Missing pre-requisites to enable EncryptionAtRest/Customer Managed Key for this storage account."
    code, _ = unusable(sim, str(identity["principalId"]), uri, name, version)
    if code == "KeyNotFound":
        return MISSING_KEY
    return "The operation failed because of authentication issue on the keyvault" if code else ""
