"""What a field of a rule names on a resource: its own properties, its tags, and the properties behind aliases.

An alias is read as `type/path`: below `properties`, save for what stands at the root of a resource or of an object of a data
plane. That is the rule, not Azure's list of aliases: whether an alias exists is for the tests of the definitions to say.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

type Json = Mapping[str, Any]

_OWN = frozenset({"name", "type", "kind", "id", "location", "fullname", "tags", "identity.type"})
_TAG = re.compile(r"tags(?:\['(?P<quoted>.*)'\]|\[(?P<bare>.*)\]|\.(?P<dotted>.*))", re.IGNORECASE)
_AT_ROOT = frozenset({"microsoft.databricks/workspaces/sku.name"})


def read(resource: Json, field: str) -> Any:
    """Return what a field names; None where there is nothing, a tuple where it stands for many values, each to be compared."""
    tag = _TAG.fullmatch(field)
    if tag:
        name = next(it for it in tag.groups() if it is not None)
        return folded(resource.get("tags") or {}, name)
    if field.lower() in _OWN:
        return _own(resource, field.lower())
    kind = str(resource["type"])
    if not field.lower().startswith(f"{kind.lower()}/"):
        return () if "[*]" in field else None  # an alias of another type names nothing here
    path = field[len(kind) + 1 :].split(".")
    at_root = field.lower() in _AT_ROOT or ".data/" in kind.lower()
    found = follow([resource if at_root else resource.get("properties") or {}], path)
    if "[*]" in field or len(found) > 1:
        return tuple(found)
    return found[0] if found else None


def _own(resource: Json, field: str) -> Any:
    if field == "identity.type":
        return (resource.get("identity") or {}).get("type")
    if field == "location":
        return str(resource.get("location", "")).lower().replace(" ", "")
    return resource.get("name" if field == "fullname" else field)


def follow(values: Sequence[Any], path: Sequence[str], *, inside: bool = False) -> list[Any]:
    """Go down a path. `name[*]` goes to each member; an array without it is gone through too (`logs.enabled`).

    An array that is missing gives no values, as Microsoft's page says; a member that lacks a property gives None for it,
    of which the page says nothing. `inside`: the values are such members.
    """
    found = list(values)
    for at, step in enumerate(path):
        name = step.removesuffix("[*]")
        found = [folded(it, name) if isinstance(it, Mapping) else None for it in found]
        if step.endswith("[*]") or (at < len(path) - 1 and any(isinstance(it, list) for it in found)):
            found = [member for it in found for member in (it if isinstance(it, list) else [])]
            inside = True
        elif not inside:
            found = [it for it in found if it is not None]
    return found


def folded(values: Json, name: str) -> Any:
    """Return the value of a name, compared without case."""
    return next((value for key, value in values.items() if key.lower() == name.lower()), None)
