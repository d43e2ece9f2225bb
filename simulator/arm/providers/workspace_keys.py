"""Whether those who need a workspace's keys can use them: the texts with which an operation fails otherwise.

Managed services are tried by Databricks itself, DBFS by the storage account; nobody tries the key of managed disks
(AZURE 0, hazards 1 and 16; AZURE 1.6). It asks and changes nothing.
"""

import json

from simulator.arm.answer import Json
from simulator.arm.keytrial import attempt
from simulator.arm.keyuse import find_vault
from simulator.arm.providers.workspace import dbfs_key, entity, parameter, properties
from simulator.arm.router import fold
from simulator.arm.sim import Sim

APPLICATION = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # AzureDatabricks, the same in every tenant (AZURE 1.4)
NOBODY = "00000000-0000-0000-0000-000000000000"
# PowerShell/PowerShell#20404; both end where the report cuts them off.
AUTHENTICATION = "The operation failed because of authentication issue on the keyvault"
PREREQUISITES = "Missing pre-requisites to enable EncryptionAtRest/Customer Managed Key for this storage account."
# Azure Storage's list of error codes has these two.
NO_KEY = "The key vault key is not found to unwrap the encryption key."
NO_VAULT = "The key vault vault is not found."


def failure(sim: Sim, body: Json) -> str:
    """Why the workspace cannot have these keys; empty when it can."""
    return _managed_services(sim, body) or _dbfs(sim, body)


def _managed_services(sim: Sim, body: Json) -> str:
    """Azure/azure-powershell#22898; purge protection is not asked for (AZURE 0, hazard 16)."""
    named = entity(body, "managedServices").get("keyVaultProperties")
    if not named:
        return ""
    uri = str(named["keyVaultUri"])
    refused = attempt(sim, _databricks(sim), uri, str(named["keyName"]), str(named["keyVersion"]))
    if refused is None:
        return ""
    wrapped = json.dumps(refused.body, separators=(",", ":"))
    return (
        f"PERMISSION_DENIED: Invalid permissions on the specified KeyVault {uri}. Please give Databricks the following "
        "access permissions to the given KeyVault: [Get, Wrap, Unwrap]. "
        f"Wrapped Message: Status code {refused.status}, {wrapped}"
    )


def _databricks(sim: Sim) -> str:
    """The object id of AzureDatabricks in this tenant; nobody's where the configuration has none."""
    return next((each.principal_id for each in sim.config.identities if each.client_id == APPLICATION), NOBODY)


def _dbfs(sim: Sim, body: Json) -> str:
    """The storage account's own refusal, as the workspace passes it on."""
    named = dbfs_key(body)
    if fold(str(named.get("keySource", ""))) != "microsoft.keyvault":
        return ""
    prepared = parameter(body, "prepareEncryption")
    why = _storage(sim, named, properties(body).get("storageAccountIdentity") if prepared else None)
    account = parameter(body, "storageAccountName")
    return f"Unable to update storage account '{account}': '{why}'" if why else ""


def _storage(sim: Sim, named: Json, identity: Json | None) -> str:
    uri = str(named["keyvaulturi"])
    vault = find_vault(sim, uri)
    if vault is None:
        return NO_VAULT
    protected = properties(vault).get("enablePurgeProtection") and properties(vault).get("enableSoftDelete", True)
    if not protected or not identity:
        return PREREQUISITES
    version = str(named.get("keyversion") or "")
    refused = attempt(sim, str(identity["principalId"]), uri, str(named["KeyName"]), version)
    if refused is None:
        return ""
    return NO_KEY if refused.status == 404 else AUTHENTICATION
