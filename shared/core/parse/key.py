"""A key's ARM body -> Key. Shapes and their oddities: AZURE 2.3; times are seconds since 1970, addresses carry a port."""

import re

from shared.core.errors import BadInput
from shared.core.facts.key import Key
from shared.core.ids import NAME_OF_A_KEY
from shared.core.parse import wire

_ADDRESS = re.compile(f"[^?#]*/keys/(?P<name>{NAME_OF_A_KEY.pattern})/(?P<version>[0-9A-Za-z]+)/?")


def key(body: object, versions: int = 0) -> Key:
    """Read one key. Raises BadInput where the body is not a key's or a needed field has a wrong type."""
    if not isinstance(body, dict):
        raise BadInput("BadArmAnswer", f"a key must be an object, not {type(body).__name__}")
    properties = wire.obj(body, "properties")
    address = _ADDRESS.fullmatch(wire.text(properties, "keyUriWithVersion"))
    if address is None:
        raise BadInput("BadArmAnswer", "a key came without keyUriWithVersion")
    attributes = wire.obj(properties, "attributes")
    return Key(
        name=address["name"],
        version=address["version"],
        kind=wire.text(properties, "kty"),
        size=wire.whole(properties, "keySize") or 0,
        operations=frozenset(word.lower() for word in wire.words(properties, "keyOps")),
        enabled=wire.flag(attributes, "enabled") is not False,
        created=wire.moment(attributes, "created"),
        not_before=wire.moment(attributes, "nbf"),
        expires=wire.moment(attributes, "exp"),
        versions=versions,
    )
