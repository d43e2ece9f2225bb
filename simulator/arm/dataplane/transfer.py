"""Keys that come from outside or leave a vault: import, backup, restore.

A backup is a sealed lump, as in Azure; only a vault of the same subscription takes it back, with all versions, and the
copy then lives a life of its own (AZURE 2.3).
"""

import json
import secrets
from typing import Any

from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.dataplane import operations, shapes, texts
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.keystore import Backup, latest, version_id
from simulator.arm.material import Private
from simulator.arm.router import fold, route

MARK = b"&AzureKeyVaultKeyBackupV1.microsoft.com"  # keyvault_dataplane_keys.jsonl, decoded


async def import_key(call: VaultCall) -> Answer:
    """PUT of a key with its secret half: a new version that is this key."""
    call.need("import")
    sent = call.body()
    if call.sim.keys.grave(call.key_id):
        raise texts.held(call.name)
    jwk: Json = sent.get("key") or {}
    private = _private(jwk)
    kind = str(jwk.get("kty"))
    if sent.get("Hsm") and not fold(kind).endswith("-hsm"):
        kind += "-HSM"
    asked = {"kty": kind, "crv": jwk.get("crv"), "key_ops": jwk.get("key_ops"), "attributes": sent.get("attributes")}
    properties = operations.wanted(call.vault, asked)
    if "keySize" in properties:
        properties["keySize"] = private.key_size
    made = call.sim.keys.add(call.vault, call.name, properties, sent.get("tags"))
    call.sim.keys.material.keep(version_id(made), private)
    return Answer(200, await call.bundle(made))


async def backup(call: VaultCall) -> Answer:
    """POST …/backup: the key with all its versions, sealed."""
    call.need("backup")
    key = call.key()
    versions = call.sim.keys.versions(key["id"])
    privates = {latest(each): await call.private(each) for each in versions}
    value = shapes.text(MARK + secrets.token_bytes(256))
    call.sim.keys.backups[value] = Backup([key, *versions], privates)
    return Answer(200, {"value": value})


async def restore(call: VaultCall) -> Answer:
    """POST /keys/restore: a backup becomes a key again, under its old name and versions."""
    if fold(call.name) != "restore":
        raise texts.not_imitated(call.method, "/".join(call.parts))
    call.need("restore", at_vault=True)
    found = call.sim.keys.backups.get(str(call.body().get("value")))
    if found is None:
        raise texts.bad("Backup blob is corrupted.")
    old = route(found.bodies[0]["id"])
    if fold(old.subscription) != fold(route(call.vault["id"]).subscription):
        raise texts.bad("A key can be restored only in the subscription in which it was backed up.")
    identity = f"{call.vault['id']}/keys/{old.name}"
    if call.sim.keys.grave(identity):
        raise texts.held(old.name)
    if call.sim.world.get(identity):
        raise Refused(409, "Conflict", f"A key with the name {old.name} already exists in this key vault.")
    bodies = [_moved(each, old.path, identity) for each in found.bodies]
    for version, private in found.privates.items():
        call.sim.keys.material.keep(f"{identity}/versions/{version}", private)
    return Answer(200, await call.bundle(call.sim.keys.restore(bodies)))


def _private(jwk: Json) -> Private:
    kind = fold(str(jwk.get("kty"))).partition("-")[0]
    curve = {"P-256K": "secp256k1"}.get(str(jwk.get("crv")), jwk.get("crv"))
    plain = json.dumps({**jwk, "kty": kind.upper(), "crv": curve, "key_ops": None})
    try:
        made: Any = ECAlgorithm.from_jwk(plain) if kind == "ec" else RSAAlgorithm.from_jwk(plain)
    except (InvalidKeyError, KeyError, ValueError) as error:
        raise texts.bad(f"The key cannot be imported: {error}") from None
    if not isinstance(made, Private):
        raise texts.bad("The key cannot be imported: it has no private half.")
    return made


def _moved(body: Json, old: str, new: str) -> Json:
    """A body under another vault: id and addresses change, versions do not."""
    host = f"https://{fold(route(new).names[0])}.vault.azure.net:443/"
    addresses = {
        field: host + str(body["properties"][field]).split("/", 3)[3] for field in ("keyUri", "keyUriWithVersion")
    }
    return {
        **body,
        "id": new + route(body["id"]).path[len(old) :],
        "properties": {**body["properties"], **addresses},
    }
