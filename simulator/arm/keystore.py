"""The keys of all vaults: versions, deleted keys, and what happens to them when their vault goes.

A key and each of its versions is a body in the world, in ARM's form; the key's own shows its latest version, and
`keyUriWithVersion` says which that is. Keys that are merely seeded get their first version here. No rights, no texts.
"""

import time
import uuid
from dataclasses import dataclass

from simulator.arm.answer import Json
from simulator.arm.clock import Clock
from simulator.arm.material import Material, Private
from simulator.arm.router import Target, fold, route, segments
from simulator.arm.world import World

KEYS = "microsoft.keyvault/vaults/keys"
VERSIONS = "microsoft.keyvault/vaults/keys/versions"
OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]
DAY = 86_400


@dataclass(slots=True)
class Grave:
    """A soft-deleted key: its bodies, and when it goes for good."""

    name: str
    bodies: list[Json]  # the key's own first
    deleted: int
    purge: int


@dataclass(frozen=True, slots=True)
class Backup:
    """A key as it was once: its bodies, its own first, and the secret half of each version."""

    bodies: list[Json]
    privates: dict[str, Private]


class KeyStore:
    """Watches the world for keys, and changes them."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world, self._clock = world, clock
        self.material = Material()
        self.backups: dict[str, Backup] = {}
        self._graves: dict[str, Grave] = {}  # by the id that the key had

    def put(self, target: Target, body: Json) -> None:
        """A key may come with no more than an id: then it is completed, and gets the version that it names."""
        if target.kind in {KEYS, VERSIONS} and not _is_whole(body):
            self._world.put(completed(body, self._world.get("/" + "/".join(segments(target.path)[:8]))))
        elif target.kind == KEYS and self._world.get(version_id(body)) is None:
            self._world.put(version_body(body))

    def drop(self, target: Target) -> None:
        """Nothing: what is buried keeps its secrets."""

    def add(self, vault: Json, name: str, properties: Json, tags: Json | None) -> Json:
        """A new version, and with the first one the key; the rotation policy stays."""
        identity = f"{vault['id']}/keys/{name}"
        old = self._world.get(identity)
        kept = (old or {}).get("properties") or {}
        policy = {"rotationPolicy": kept["rotationPolicy"]} if "rotationPolicy" in kept else {}
        written = str(old["id"]) if old else identity
        body = completed({"id": written, "tags": tags, "properties": {**policy, **properties}}, vault, uuid.uuid4().hex)
        self._world.put(body)
        return body

    def change(self, key: Json, version: str, attributes: Json, more: Json) -> Json:
        """Set attributes, operations or tags of a version; the key's own body follows when it is the latest."""
        changed = key
        for body in (self._world.get(f"{key['id']}/versions/{version}"), key):
            if body is None or (body is key and fold(version) != fold(latest(key))):
                continue
            properties = body["properties"]
            merged = {**properties["attributes"], **attributes, "updated": int(time.time())}
            fields = {"keyOps": more["keyOps"]} if more.get("keyOps") is not None else {}
            changed = {**body, "properties": {**properties, **fields, "attributes": merged}}
            if more.get("tags") is not None:
                changed["tags"] = more["tags"]
            self._world.put(changed)
        return changed

    def set_policy(self, key: Json, policy: Json) -> Json:
        """The rotation policy; it belongs to the key and not to a version."""
        changed = {**key, "properties": {**key["properties"], "rotationPolicy": policy}}
        self._world.put(changed)
        return changed

    def versions(self, key_id: str) -> list[Json]:
        """All versions of a key, in the order of their names, as Key Vault lists them."""
        target = route(key_id)
        ids = self._world.ids(VERSIONS, target.subscription, f"{target.id}/versions/")
        return [body for each in ids if (body := self._world.get(each))]

    def keys(self, vault_id: str) -> list[Json]:
        """All keys of a vault, by name."""
        target = route(vault_id)
        ids = self._world.ids(KEYS, target.subscription, f"{target.id}/keys/")
        return [body for each in ids if (body := self._world.get(each))]

    def bury(self, key: Json, days: int) -> Grave:
        """Soft-delete a key with its versions; after so many days it is destroyed."""
        identity, now = route(key["id"]).id, int(time.time())
        grave = Grave(route(key["id"]).name, [key, *self.versions(identity)], now, now + days * DAY)
        self._graves[identity] = grave
        self._world.drop(identity)
        self._clock.later(days * DAY, lambda: self._expire(identity, grave))
        return grave

    def grave(self, key_id: str) -> Grave | None:
        """The soft-deleted key that had this id."""
        return self._graves.get(fold(key_id))

    def graves(self, vault_id: str) -> list[Grave]:
        """The soft-deleted keys of a vault, by name."""
        start = f"{fold(vault_id)}/keys/"
        return [grave for each, grave in sorted(self._graves.items()) if each.startswith(start)]

    def recover(self, key_id: str) -> Json:
        """Bring a soft-deleted key back as it was."""
        return self.restore(self._graves.pop(fold(key_id)).bodies)

    def restore(self, bodies: list[Json]) -> Json:
        """Put bodies of a key back, versions first, so that none is made up."""
        for body in reversed(bodies):
            self._world.put(body)
        return bodies[0]

    def purge(self, key_id: str) -> None:
        """Destroy a key for good, deleted or not."""
        self._graves.pop(fold(key_id), None)
        self.material.forget(key_id)

    def contents(self, vault_id: str) -> list[Json]:
        """Everything that a vault takes into its own grave: keys, each before its versions."""
        return [body for key in self.keys(vault_id) for body in (key, *self.versions(key["id"]))]

    def destroy(self, vault_id: str) -> None:
        """Destroy all keys of a vault, deleted ones too."""
        start = f"{fold(vault_id)}/keys/"
        for identity in [each for each in self._graves if each.startswith(start)]:
            del self._graves[identity]
        self.material.forget(vault_id)

    def _expire(self, identity: str, grave: Grave) -> None:
        if self._graves.get(identity) is grave:
            self.purge(identity)


def latest(key: Json) -> str:
    """The name of a key's latest version."""
    return str(key["properties"]["keyUriWithVersion"]).rsplit("/", 1)[-1]


def version_id(key: Json) -> str:
    """The id of a key's latest version. A key that names none has one that follows from its id."""
    uri = str((key.get("properties") or {}).get("keyUriWithVersion") or "")
    name = uri.rsplit("/", 1)[-1] if uri else uuid.uuid5(uuid.NAMESPACE_URL, fold(key["id"])).hex
    return f"{key['id']}/versions/{name}"


def _is_whole(body: Json) -> bool:
    properties = body.get("properties") or {}
    needed = {"kty", "keyOps", "keyUri", "keyUriWithVersion"}
    return needed <= set(properties) and {"enabled", "created", "updated"} <= set(properties.get("attributes") or {})


def version_body(key: Json) -> Json:
    """A version as ARM shows it: the key without what belongs to the key alone."""
    identity = version_id(key)
    properties = {name: value for name, value in (key.get("properties") or {}).items() if name != "rotationPolicy"}
    return {
        **key,
        "id": identity,
        "name": identity.rsplit("/", 1)[-1],
        "type": "Microsoft.KeyVault/vaults/keys/versions",
        "properties": properties,
    }


def completed(body: Json, vault: Json | None, version: str = "") -> Json:
    """The body of a key or a version with everything that ARM shows (spec example createKey.json); what is there stays."""
    target, now = route(body["id"]), int(time.time())
    sent = body.get("properties") or {}
    kind = str(sent.get("kty") or "RSA")
    is_curve = fold(kind).startswith("ec")
    uri = f"https://{fold(target.names[0])}.vault.azure.net:443/keys/{target.names[1]}"
    name = version or (target.name if target.kind == VERSIONS else version_id(body).rsplit("/", 1)[-1])
    own: Json = {
        "kty": kind,
        "keyOps": ["sign", "verify"] if is_curve else list(OPERATIONS),
        **({"curveName": "P-256"} if is_curve else {"keySize": 2048}),
        "keyUri": uri,
        "keyUriWithVersion": f"{uri}/{name}",
    }
    given = {field: value for field, value in sent.items() if value is not None}
    attributes = {"enabled": True, "created": now, "updated": now, "exportable": False}
    given["attributes"] = {**attributes, **(sent.get("attributes") or {})}
    place = {"location": vault["location"]} if vault and vault.get("location") else {}
    whole = {"name": target.name, "type": target.type, **place, **body}
    if whole.get("tags") is None:
        whole.pop("tags", None)
    return {**whole, "properties": {**own, **given}}
