"""Bodies of the data plane, made from ARM's form of a key; which fields there are depends on the api-version.

Compared with keyvault_dataplane_keys.jsonl, versions 2016-10-01 to 7.6-preview.2.
"""

import base64
import re

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from simulator.arm.answer import Json
from simulator.arm.keystore import Grave, latest
from simulator.arm.material import Private
from simulator.arm.router import fold, route

NUMBERED = re.compile(r"7\.(\d+)(-preview\.\d+)?")
DATED = re.compile(r"(\d{4})-\d\d-\d\d(-preview)?")
# The first minor version of 7 that shows each attribute.
RECOVERABLE_DAYS, EXPORTABLE, PLATFORM, KEY_SIZE = 1, 3, 5, 6
NEWEST, OLDEST = 99, -1


def rank(version: str) -> int | None:
    """The minor number of a 7.x version; dated ones are older than 7.0 or newer than all. None: not a version."""
    if match := NUMBERED.fullmatch(version):
        return int(match[1])
    if match := DATED.fullmatch(version):
        return NEWEST if int(match[1]) >= 2025 else OLDEST
    return None


def level(vault: Json | None) -> tuple[str, int]:
    """Recovery level and days of everything in a vault: they follow the vault's settings at any time."""
    properties = (vault or {}).get("properties") or {}
    if not properties.get("enableSoftDelete"):
        return "Purgeable", 0
    days = int(properties.get("softDeleteRetentionInDays") or 90)
    word = "Recoverable" if days == 90 else "CustomizedRecoverable"
    return word if properties.get("enablePurgeProtection") else f"{word}+Purgeable", days


def base(key: Json) -> str:
    """The key's address without version."""
    target = route(key["id"])
    return f"https://{fold(target.names[0])}.vault.azure.net/keys/{target.names[1]}"


def attributes(body: Json, vault: Json, version: str, *, listed: bool = False) -> Json:
    """The attributes, as far as this api-version has them."""
    minor = rank(version) or 0
    stored = body["properties"]["attributes"]
    made = {name: stored[name] for name in ("enabled", "nbf", "exp") if stored.get(name) is not None}
    size = body["properties"].get("keySize")
    if minor >= KEY_SIZE and size and not listed:
        made["key_size"] = size
    word, days = level(vault)
    made |= {"created": stored["created"], "updated": stored["updated"], "recoveryLevel": word}
    if minor >= RECOVERABLE_DAYS:
        made["recoverableDays"] = days
    if minor >= EXPORTABLE:
        made["exportable"] = bool(stored.get("exportable"))
    if minor >= PLATFORM:
        made["hsmPlatform"] = "0"
    return made


def bundle(body: Json, vault: Json, version: str, private: Private) -> Json:
    """One version with its public half; `body` is a version or a key, which means its latest."""
    properties = body["properties"]
    name = str(properties["keyUriWithVersion"]).rsplit("/", 1)[-1]
    key: Json = {"kid": f"{base(body)}/{name}", "kty": properties["kty"], "key_ops": properties["keyOps"]}
    return {
        "key": {**key, **_public(properties, private)},
        "attributes": attributes(body, vault, version),
        **_tags(body),
    }


def row(body: Json, vault: Json, version: str, *, with_version: bool) -> Json:
    """One line of a list."""
    kid = f"{base(body)}/{latest(body)}" if with_version else base(body)
    return {"kid": kid, "attributes": attributes(body, vault, version, listed=True), **_tags(body)}


def buried(grave: Grave) -> Json:
    """What a deleted key has more than a living one."""
    where = base(grave.bodies[0]).replace("/keys/", "/deletedkeys/")
    return {"recoveryId": where, "deletedDate": grave.deleted, "scheduledPurgeDate": grave.purge}


def text(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def raw(value: str) -> bytes:
    """The reverse; ValueError when it is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*=*", value):
        raise ValueError("no base64url")
    return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))


def _tags(body: Json) -> Json:
    return {"tags": body["tags"]} if body.get("tags") is not None else {}


def _public(properties: Json, private: Private) -> Json:
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = private.public_key().public_numbers()
        # Key Vault writes the exponent of an HSM key in four bytes (keyvault_dataplane_keys.jsonl: AAEAAQ).
        width = 4 if fold(str(properties["kty"])).endswith("-hsm") else 3
        return {"n": text(numbers.n.to_bytes(private.key_size // 8)), "e": text(numbers.e.to_bytes(width))}
    point: ec.EllipticCurvePublicNumbers = private.public_key().public_numbers()
    width = (private.key_size + 7) // 8
    return {
        "crv": properties.get("curveName"),
        "x": text(point.x.to_bytes(width)),
        "y": text(point.y.to_bytes(width)),
    }
