"""Living keys: read, list, create, update, rotate, wrap and unwrap.

A key that is disabled does nothing; outside its days it still unwraps and decrypts, so that nobody is locked out, and
refuses the rest (AZURE 1.8).
"""

import time

from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.arm.answer import Answer, Json
from simulator.arm.dataplane import shapes, texts
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.dataplane.rotation import seconds
from simulator.arm.keystore import OPERATIONS, latest
from simulator.arm.material import ALGORITHMS, CURVES, close, open_
from simulator.arm.router import fold

CARRIER = 2 * 86_400  # seconds that a key exchange key lives (azure-cli test_keyvault_key)
SIZES = (2048, 3072, 4096)
KINDS = {"rsa": "RSA", "rsa-hsm": "RSA-HSM", "ec": "EC", "ec-hsm": "EC-HSM"}
# The word in the path and the operation as the key's list has it; then those that work outside a key's days, too.
USES = {"wrapkey": "wrapKey", "unwrapkey": "unwrapKey", "encrypt": "encrypt", "decrypt": "decrypt"}
OPENING = {"unwrapkey", "decrypt", "verify"}


async def read(call: VaultCall) -> Answer:
    """GET of a key or a version. A disabled one can be read, too."""
    call.need("get")
    return Answer(200, await call.bundle(call.one(call.parts[2] if len(call.parts) > 2 else "")))


async def list_keys(call: VaultCall) -> Answer:
    """GET of all keys: the latest attributes, no material."""
    call.need("list")
    keys = call.sim.keys.keys(call.vault["id"])
    return call.page([shapes.row(each, call.vault, call.version, with_version=False) for each in keys])


async def list_versions(call: VaultCall) -> Answer:
    """GET of a key's versions; for an unknown key the list is refused, as a key that is not there."""
    call.need("list")
    versions = call.sim.keys.versions(call.key()["id"])
    return call.page([shapes.row(each, call.vault, call.version, with_version=True) for each in versions])


async def create(call: VaultCall) -> Answer:
    """POST …/create: a key, or a new version of one."""
    call.need("create")
    sent = call.body()
    if call.sim.keys.grave(call.key_id):
        raise texts.held(call.name)
    properties = wanted(call.vault, sent)
    if properties.get("keyOps") == [
        "import"
    ]:  # only carries others into a hardware module, and not for long (recorded)
        properties["attributes"].setdefault("exp", int(time.time()) + CARRIER)
    made = call.sim.keys.add(call.vault, call.name, properties, sent.get("tags"))
    return Answer(200, await call.bundle(made))


async def rotate(call: VaultCall) -> Answer:
    """POST …/rotate: a new version like the latest; the policy says when it ends."""
    call.need("rotate")
    key = call.key()
    old = key["properties"]
    attributes: Json = {"enabled": True, "exportable": bool(old["attributes"].get("exportable"))}
    span = ((old.get("rotationPolicy") or {}).get("attributes") or {}).get("expiryTime")
    if span:
        attributes["exp"] = int(time.time()) + seconds(span)
    shape = {name: old[name] for name in ("kty", "keyOps", "keySize", "curveName") if name in old}
    made = call.sim.keys.add(call.vault, call.name, {**shape, "attributes": attributes}, key.get("tags"))
    return Answer(200, await call.bundle(made))


async def update(call: VaultCall) -> Answer:
    """PATCH: attributes, operations and tags of one version, the latest if none is named."""
    call.need("update")
    sent = call.body()
    body = call.one(call.parts[2] if len(call.parts) > 2 else "")
    given = {name: value for name, value in (sent.get("attributes") or {}).items() if name in {"enabled", "nbf", "exp"}}
    more = {"keyOps": sent.get("key_ops"), "tags": sent.get("tags")}
    changed = call.sim.keys.change(call.key(), latest(body), given, more)
    return Answer(200, await call.bundle(changed))


async def use(call: VaultCall) -> Answer:
    """POST …/wrapkey and its like: `{alg, value}` in, `{kid, value}` out."""
    word = fold(call.parts[-1])
    call.need(word)
    body, sent = call.one(call.parts[2] if len(call.parts) > 3 else ""), call.body()
    check_usable(body, word)
    private, algorithm = await call.private(body), str(sent.get("alg"))
    if not isinstance(private, rsa.RSAPrivateKey) or algorithm not in ALGORITHMS:
        raise texts.bad(f"Key and signing key algorithm mismatch: '{algorithm}' is not supported by this key.")
    try:
        value = shapes.raw(str(sent.get("value", "")))
        made = open_(private, algorithm, value) if word in OPENING else close(private, algorithm, value)
    except ValueError:
        raise texts.bad("The parameter is incorrect.") from None
    kid = f"{shapes.base(body)}/{latest(body)}"
    return Answer(200, {"kid": kid, "value": shapes.text(made)})


def check_usable(body: Json, word: str) -> None:
    """Refuse what a key may not do now, or at all."""
    operation, attributes = USES.get(word, word), body["properties"]["attributes"]
    now = time.time()
    if not attributes.get("enabled", True):
        raise texts.not_now(operation, "disabled")
    if word not in OPENING and attributes.get("nbf") and now < attributes["nbf"]:
        raise texts.not_now(operation, "early")
    if word not in OPENING and attributes.get("exp") and now >= attributes["exp"]:
        raise texts.not_now(operation, "expired")
    if fold(operation) not in {fold(str(each)) for each in body["properties"]["keyOps"]}:
        raise texts.not_meant(operation)


def wanted(vault: Json, sent: Json) -> Json:
    """The properties of a new version in ARM's form, from the body of a create; refuses what Key Vault cannot make."""
    kind = KINDS.get(fold(str(sent.get("kty"))))
    if kind is None:
        raise texts.bad(f"Property kty has invalid value '{sent.get('kty')}'.")
    sku = fold(str(((vault.get("properties") or {}).get("sku") or {}).get("name")))
    if kind.endswith("-HSM") and sku == "standard":
        raise texts.bad(f"A key of type {kind} needs a vault with the premium sku.")
    shape: Json = {"kty": kind}
    if kind.startswith("RSA"):
        shape["keySize"] = sent.get("key_size") or SIZES[0]
        if shape["keySize"] not in SIZES:
            raise texts.bad(f"Property key_size has invalid value '{sent.get('key_size')}'.")
    else:
        shape["curveName"] = sent.get("crv") or "P-256"
        if shape["curveName"] not in CURVES:
            raise texts.bad(f"Property crv has invalid value '{sent.get('crv')}'.")
    known = {fold(each): each for each in (*OPERATIONS, "import", "export")}
    operations = [known.get(fold(str(each)), str(each)) for each in sent.get("key_ops") or []]
    if operations:
        shape["keyOps"] = operations
    allowed = {"enabled", "nbf", "exp", "exportable"}
    shape["attributes"] = {
        name: value for name, value in (sent.get("attributes") or {}).items() if name in allowed and value is not None
    }
    return shape
