"""A key's ARM body -> Key. Shapes and their oddities: AZURE 2.3; times are seconds since 1970, addresses carry a port."""

import re

from shared.core.errors import BadInput
from shared.core.facts.key import Key
from shared.core.ids import NAME_OF_A_KEY
from shared.core.parse import wire
from shared.core.parse.wire import Json

_ADDRESS = re.compile(f"[^?#]*/keys/(?P<name>{NAME_OF_A_KEY.pattern})/(?P<version>[0-9A-Za-z]+)/?")


def key(body: object, versions: int = 0) -> Key:
    """Read one key. Raises BadInput where the body is not a key's or a needed field has a wrong type."""
    if not isinstance(body, dict):
        raise BadInput("BadArmAnswer", f"a key must be an object, not {type(body).__name__}")
    properties = wire.obj(body, "properties")
    address = _ADDRESS.fullmatch(wire.text(properties, "keyUriWithVersion"))
    if address is None:
        raise BadInput("BadArmAnswer", "a key came without keyUriWithVersion")
    attributes, policy = wire.obj(properties, "attributes"), wire.obj(properties, "rotationPolicy")
    expires = wire.moment(attributes, "exp")
    return Key(
        name=address["name"],
        version=address["version"],
        kind=wire.text(properties, "kty"),
        size=wire.whole(properties, "keySize") or 0,
        operations=frozenset(word.lower() for word in wire.words(properties, "keyOps")),
        enabled=wire.flag(attributes, "enabled") is not False,
        created=wire.moment(attributes, "created"),
        not_before=wire.moment(attributes, "nbf"),
        expires=expires,
        versions=versions,
        has_policy=bool(wire.rows(policy, "lifetimeActions")),
        rotates=_rotates(policy, ends=expires is not None),
    )


def _rotates(policy: Json, *, ends: bool) -> bool:
    """Whether a rotation policy ever makes a new version: a notice is none (AZURE 2.3).

    What is to be done before the end of a version is never done to one that has no end.
    """
    ends = ends or bool(wire.text(wire.obj(policy, "attributes"), "expiryTime"))
    for it in wire.rows(policy, "lifetimeActions"):
        trigger = wire.obj(it, "trigger")
        is_due = wire.text(trigger, "timeAfterCreate") or (ends and wire.text(trigger, "timeBeforeExpiry"))
        if is_due and wire.text(wire.obj(it, "action"), "type").lower() == "rotate":
            return True
    return False
