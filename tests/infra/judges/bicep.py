"""Judges what is deployed by Microsoft's Bicep types: required and unknown properties, read-only ones, kinds, closed lists.

They know the newest version of each type that they had when msmcp-azure was made, whatever version a template names.
A list that ends in `string` is closed here all the same: a value beyond it is mostly a misspelling.
"""

from collections.abc import Iterator
from typing import Any

from tests.infra.judges.complaint import Complaint, step
from tests.infra.judges.evaluate import Later
from tests.infra.judges.expand import Expansion, Resource
from tests.infra.judges.schemas import OURS, knows, without_nulls

Found = Iterator[Complaint]
Type = dict[str, Any]
PLAIN: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "int": int,
    "bool": bool,
    "object": dict,
    "array": list,
    "any": object,
    "null": type(None),
}


def kinds(expansions: list[Expansion]) -> list[str]:
    """Return the resource types that are deployed, for `azmcp.types`."""
    return sorted({resource.kind for expansion in expansions for resource in expansion.resources})


def bicep(expansion: Expansion, types: dict[str, list[Type]]) -> list[Complaint]:
    """Return what the Bicep types refuse, or do not know."""
    found: list[Complaint] = []
    for resource in expansion.resources:
        found += (complaint._replace(kind=resource.kind) for complaint in _resource(resource, types[resource.kind]))
    return found


def _resource(resource: Resource, types: list[Type]) -> Found:
    body = next((one["bodyType"] for one in types if one["$type"] == "Resource"), None)
    if not body:  # azmcp lacks some whole providers, such as most of Microsoft.Insights
        if not knows(resource.kind):
            yield Complaint(step(resource.path, "type"), "neither Bicep types nor official schemas know this type")
        return
    table = {one["name"]: one for one in types if one["$type"] in {"Object", "DiscriminatedObject"}}
    plain = without_nulls(
        {key: value for key, value in resource.body.items() if key not in {*OURS, "type", "apiVersion"}}
    )
    plain["name"] = plain["name"].rsplit("/", 1)[-1]
    yield from _object(plain, body, table, resource.path)


def _object(value: Any, kind: Type, table: dict[str, Type], path: str) -> Found:
    if not isinstance(value, dict):
        yield Complaint(path, f"{value!r} is no {kind['name']}")
        return
    properties = {one["name"]: one for one in kind.get("properties") or kind.get("baseProperties") or []}
    if kind["$type"] == "DiscriminatedObject":
        key = kind["discriminator"]
        element = next((one for one in kind["elements"] if value.get(key) in _literals(one, key)), None)
        if not element:
            yield Complaint(step(path, key), f"{value.get(key)!r} is none of the {kind['name']}")
            return
        properties |= {one["name"]: one for one in element["properties"]}
    yield from _required(value, properties, kind, path)
    more = kind.get("additionalPropertiesType")
    for name, item in value.items():
        known = properties.get(name)
        if known:
            yield from _value(item, known["type"], table, step(path, name))
        elif more:
            yield from _value(item, more, table, step(path, name))
        else:
            yield Complaint(step(path, name), f"unknown property of {kind['name']}")


def _literals(element: Type, key: str) -> list[str]:
    return [text for one in element["properties"] if one["name"] == key for text in one["type"].split(" | ")]


def _required(value: dict[str, Any], properties: dict[str, Type], kind: Type, path: str) -> Found:
    for name, known in properties.items():
        flags = known.get("flags", "")
        if "Required" in flags and name not in value:
            yield Complaint(path, f"missing {name}, which {kind['name']} requires")
        if "ReadOnly" in flags and value.get(name):  # an empty one sets nothing, and some schemas ask for it
            yield Complaint(step(path, name), "is read-only")


def _value(value: Any, kind: str, table: dict[str, Type], path: str) -> Found:
    if isinstance(value, Later):
        return
    if kind.endswith("[]"):
        if not isinstance(value, list):
            yield Complaint(path, f"{value!r} is no list")
            return
        for at, item in enumerate(value):
            yield from _value(item, kind[:-2], table, step(path, at))
        return
    alternatives = kind.split(" | ")
    if isinstance(value, str) and value in alternatives:
        return
    named = [table[one] for one in alternatives if one in table]
    listed = [one for one in alternatives if one not in table and one not in PLAIN]
    if named:
        yield from _object(value, named[0], table, path)
    elif listed:
        yield Complaint(path, f"{value!r} is none of {', '.join(listed)}")
    elif not any(_is(value, one) for one in alternatives):
        yield Complaint(path, f"{value!r} is no {kind}")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, PLAIN[kind]) and not (kind == "int" and isinstance(value, bool))
