"""Lists of what a vault holds -> Contents. Resource Manager shows names and times, never a value (AZURE 2.3)."""

from collections.abc import Iterable

from shared.core.errors import BadInput
from shared.core.facts.contents import Contents, HeldKey
from shared.core.ids import NAME_OF_A_KEY
from shared.core.parse import wire
from shared.core.parse.wire import Json


def contents(keys: Iterable[Json], secrets: Iterable[Json]) -> Contents:
    """Read both lists. Raises BadInput for what has no name: nobody could say then whether a workspace uses it."""
    return Contents(tuple(_key(body) for body in keys), tuple(_name(body) for body in secrets))


def _key(body: Json) -> HeldKey:
    attributes = wire.obj(wire.obj(body, "properties"), "attributes")
    return HeldKey(_name(body), wire.moment(attributes, "created"))


def _name(body: Json) -> str:
    """Return the name of a key or secret: letters, digits and hyphens."""
    name = wire.text(body, "name")
    if not NAME_OF_A_KEY.fullmatch(name):
        raise BadInput("BadArmAnswer", f"{name[:130]!r} is not the name of a key or secret")
    return name
