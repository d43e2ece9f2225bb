"""What a service inside Azure meets when it gets, wraps and unwraps with a key: Key Vault's refusal, or none.

Databricks, a storage account and a disk encryption set use keys without a request of ours; here their attempt is made
in the order of Key Vault's checks. All three are trusted services of a vault's firewall (AZURE 1.5).
"""

import time

from simulator.arm.answer import Json, Refused
from simulator.arm.dataplane import texts
from simulator.arm.dataplane.firewall import blocked
from simulator.arm.keyuse import find_vault, is_rbac, key, refusal
from simulator.arm.router import fold
from simulator.arm.sim import Sim

VERBS = ("get", "wrapkey", "unwrapkey")
OPERATIONS = ("wrapKey", "unwrapKey")


def attempt(sim: Sim, oid: str, uri: str, name: str, version: str) -> Refused | None:
    """Try the key that a URI, a name and perhaps a version mean."""
    vault = find_vault(sim, uri)
    if vault is None:
        return Refused(404, "VaultNotFound", f"No such host is known. ({uri})")  # no answer of Key Vault's: no host
    tenant = str((vault.get("properties") or {}).get("tenantId") or sim.config.tenant)
    if fold(tenant) != fold(sim.config.tenant):
        return texts.unauthorised(tenant, texts.wrong_issuer(tenant, sim.tokens.v1_issuer))
    closed = blocked(sim, vault, oid, trusted=True)
    if closed:
        return closed
    for verb in VERBS:
        sim.meter.note(str(vault["id"]))
        why = refusal(sim, oid, vault["id"], verb, name)
        if why:
            return texts.forbidden(why, "ForbiddenByRbac" if is_rbac(vault) else "AccessDenied")
    found = key(sim, uri, name, version)
    return _unusable(found) if found else texts.no_key(f"{name}/{version}" if version else name)


def _unusable(found: Json) -> Refused | None:
    """An expired or early key still unwraps but no longer wraps (AZURE 1.8); every layer has to wrap."""
    properties = found.get("properties") or {}
    attributes, now = properties.get("attributes") or {}, time.time()
    if attributes.get("enabled") is False:
        return texts.not_now("wrapKey", "disabled")
    if attributes.get("nbf") and now < attributes["nbf"]:
        return texts.not_now("wrapKey", "early")
    if attributes.get("exp") and now >= attributes["exp"]:
        return texts.not_now("wrapKey", "expired")
    listed = {fold(str(each)) for each in properties.get("keyOps") or OPERATIONS}
    missing = [each for each in OPERATIONS if fold(each) not in listed]
    return texts.not_meant(missing[0]) if missing else None
