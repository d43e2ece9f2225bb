"""Who may reach a vault over the network at all, before anybody asks what they may do there.

Every caller comes from the one address that events show, too. A trusted service passes while the vault lets such
services by (AZURE 1.5); the first-party Databricks application is the only caller here that is one.
"""

import ipaddress

from simulator.arm.answer import Json, Refused
from simulator.arm.config import CLIENT_ADDRESS
from simulator.arm.dataplane.texts import firewall, private_only
from simulator.arm.keyuse import NAMED, place, shown
from simulator.arm.router import fold
from simulator.arm.sim import Sim


def blocked(sim: Sim, vault: Json, oid: str, *, trusted: bool | None = None) -> Refused | None:
    """The refusal for a caller from outside, if there is one. `trusted` speaks for services that act inside Azure."""
    properties = vault.get("properties") or {}
    rules = properties.get("networkAcls") or {}
    is_trusted = _is_trusted(sim, oid) if trusted is None else trusted
    if is_trusted and fold(str(rules.get("bypass") or "AzureServices")) == "azureservices":
        return None
    if fold(str(properties.get("publicNetworkAccess") or "Enabled")) == "disabled":
        return private_only(shown(sim, oid), place(vault))
    if fold(str(rules.get("defaultAction") or "Allow")) == "allow" or _is_named(rules):
        return None
    return firewall(CLIENT_ADDRESS, shown(sim, oid), place(vault))


def _is_named(rules: Json) -> bool:
    address = ipaddress.ip_address(CLIENT_ADDRESS)
    for rule in rules.get("ipRules") or []:
        try:
            if address in ipaddress.ip_network(str(rule.get("value")), strict=False):
                return True
        except ValueError:
            continue
    return False


def _is_trusted(sim: Sim, oid: str) -> bool:
    return any(fold(each.principal_id) == fold(oid) and each.client_id in NAMED for each in sim.config.identities)
