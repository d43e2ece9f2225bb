"""Seeding: put ARM bodies into the world as if they had always been there. No events, no rules, no refusals.

Recorded bodies with odd shapes are the point, so whatever has an id that parses is stored as it is; missing
subscriptions and groups are made.
"""

from typing import Any

from simulator.arm.answer import Json
from simulator.arm.router import Target, fold, route, segments
from simulator.arm.sim import Sim
from simulator.arm.world import SUBSCRIPTION, ensure, subscription_body

DELETED_VAULTS = "microsoft.keyvault/locations/deletedvaults"


def seed(sim: Sim, resources: list[Any], principals: list[Any] | None = None) -> Json:
    """Store bodies and principals; says how many, and which were none."""
    with sim.settled():
        people = sim.directory.seed(principals or [])
        return {**_stored(sim, resources), **({"principals": people} if principals else {})}


def _stored(sim: Sim, resources: list[Any]) -> Json:
    refused = []
    stored = 0
    for body in resources:
        identity = body.get("id") if isinstance(body, dict) else None
        if not isinstance(identity, str) or not _parses(identity):
            refused.append(identity)
            continue
        target = route(identity)
        if target.kind == DELETED_VAULTS:
            sim.world.deleted[fold(target.name)] = _grave(target, body)
            stored += 1
            continue
        ensure(sim.world, target, sim.config.tenant)
        sim.world.put(_completed(sim, target, body))
        sim.samples.seeded(target.id)
        stored += 1
    return {"seeded": stored, "refused": refused, "resources": len(sim.world)}


def _grave(target: Target, shown: Json) -> Json:
    """A vault that was deleted before anything else happened: what its deleted form shows, and no keys."""
    kept = shown.get("properties") or {}
    properties = {"enableSoftDelete": True, "accessPolicies": [], "sku": {"family": "A", "name": "standard"}}
    if kept.get("purgeProtectionEnabled"):
        properties["enablePurgeProtection"] = True
    vault = {"id": kept.get("vaultId"), "name": target.name, "type": "Microsoft.KeyVault/vaults"}
    place = {name: kept[name] for name in ("location", "tags") if name in kept}
    return {"vault": {**vault, **place, "properties": properties}, "keys": [], "shown": shown}


def _parses(identity: str) -> bool:
    parts = segments(identity)
    return identity.startswith("/") and bool(route(identity).is_item) and len(parts) >= 2


def _completed(sim: Sim, target: Target, body: Json) -> Json:
    """A subscription may be seeded by its id and name alone; anything else stays as it came."""
    if target.kind == SUBSCRIPTION:
        name = str(body.get("displayName") or body.get("name") or target.name)
        return {**subscription_body(target.name, name, sim.config.tenant), **body}
    return {"name": target.name, "type": target.type, **body} if "name" not in body else body
