"""Judges what is deployed by Azure's official JSON schemas, and finds properties that they do not know.

The schemas lie in the reference data and allow any property beside those they list: a misspelt one would be sent and
ignored. What is still an expression (a Later) fits wherever the schemas let an expression stand.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match

from tests.infra.judges.complaint import Complaint, step
from tests.infra.judges.expand import Expansion, Level, Resource
from tests.reference import REFERENCE

Schema = dict[str, Any]
Found = Iterator[Complaint]
FOLDER = REFERENCE / "openapi/azure-resource-manager-schemas/schemas"
COMMON = "https://schema.management.azure.com/schemas/common/definitions.json#/definitions/"
SECTIONS = {
    "resourceGroup": "resourceDefinitions",
    "subscription": "subscription_resourceDefinitions",
    "managementGroup": "managementGroup_resourceDefinitions",
    "tenant": "tenant_resourceDefinitions",
}
ANYWHERE = ("extension_resourceDefinitions", "unknown_resourceDefinitions")
TEMPLATES = {
    "resourceGroup": "2019-04-01/deploymentTemplate.json",
    "subscription": "2018-05-01/subscriptionDeploymentTemplate.json",
    "managementGroup": "2019-08-01/managementGroupDeploymentTemplate.json",
}
# Keys of a resource that are the template's: its type's schema does not list them.
OURS = {"scope", "comments", "subscriptionId", "resourceGroup"}


def schemas(expansion: Expansion) -> list[Complaint]:
    """Return what the official schemas refuse, or do not know."""
    found: list[Complaint] = []
    for level in expansion.levels:
        found += _template(level)
    for resource in expansion.resources:
        found += (complaint._replace(kind=resource.kind) for complaint in _resource(resource))
    return found


@cache
def _document(path: Path) -> Schema:
    # `oneOf` is meant as `anyOf` there: an expression is a text as well, and then fits two of them.
    text = path.read_text().replace(COMMON, "#/definitions/").replace('"oneOf"', '"anyOf"')
    document: Schema = json.loads(text)
    common = json.loads((FOLDER / "common/definitions.json").read_text())
    document["definitions"] = {**common["definitions"], **document.get("definitions", {})}
    return document


@cache
def _index() -> dict[str, dict[str, list[tuple[str, Schema, Schema]]]]:
    """Return, for each type (in lower case) and version: the section it stands in, its schema, and the document of it."""
    index: dict[str, dict[str, list[tuple[str, Schema, Schema]]]] = {}
    for path in sorted(FOLDER.glob("*/Microsoft.*.json")):
        document = _document(path)
        for section in (*SECTIONS.values(), *ANYWHERE):
            for schema in document.get(section, {}).values():
                kind, version = (schema["properties"][key]["enum"][0] for key in ("type", "apiVersion"))
                index.setdefault(kind.lower(), {}).setdefault(version, []).append((section, schema, document))
    return index


def knows(kind: str) -> bool:
    """Say whether a type is judged here, or would be where the schemas lie."""
    return not FOLDER.is_dir() or kind.lower() in _index()


def _resource(resource: Resource) -> Found:
    version = str(resource.body.get("apiVersion"))
    versions = _index().get(resource.kind.lower())
    if not versions:
        return  # the Bicep types judge it alone, and complain of what both do not know
    if version not in versions:
        yield Complaint(resource.path, f"apiVersion {version} is none of {', '.join(sorted(versions))}")
        return
    wanted = {SECTIONS[resource.place.kind], *ANYWHERE}
    fitting = [row for row in versions[version] if row[0] in wanted or resource.body.get("scope")]
    if not fitting:
        yield Complaint(resource.path, f"is not deployed at {resource.place.kind} scope")
        return
    _, schema, document = fitting[0]
    body = without_nulls({key: value for key, value in resource.body.items() if key not in OURS})
    body["name"] = _name(body["name"], schema["properties"].get("name", {}), document)
    yield from _judged(body, schema, document, resource.path)


def without_nulls(value: Any) -> Any:
    """Return JSON without its null properties: that is how Microsoft's own templates leave a property out.

    UNVERIFIED: that every provider takes a null for nothing.
    """
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _name(name: str, schema: Schema, document: Schema) -> str:
    """Return the part of a name that its schema speaks of: of some children it is the last segment, of others the whole."""
    whole = Draft4Validator({**schema, "definitions": document["definitions"]}).is_valid(name)
    return name if whole else name.rsplit("/", 1)[-1]


def _judged(value: Any, schema: Schema, document: Schema, path: str) -> Found:
    validator = Draft4Validator({**schema, "definitions": document["definitions"]})
    for error in validator.iter_errors(value):
        deepest = best_match([error], key=lambda one: (-len(one.path), one.validator == "anyOf")) or error
        place = path
        for key in deepest.absolute_path:
            place = step(place, key)
        yield Complaint(place, deepest.message[:400])
    yield from _unknown(value, schema, document, path)


def _unknown(value: Any, schema: Schema, document: Schema, path: str) -> Found:
    """Yield the properties of a value that no branch of the schema which fits it has."""
    branches = list(_branches(value, schema, document))
    if isinstance(value, list):
        inner: Schema = next((branch["items"] for branch in branches if isinstance(branch.get("items"), dict)), {})
        for at, item in enumerate(value):
            yield from _unknown(item, inner, document, step(path, at))
    if isinstance(value, dict):
        closed = any(branch.get("properties") for branch in branches)
        for key, item in value.items():
            known = [found for branch in branches if (found := _property(branch, key)) is not None]
            if known:
                yield from _unknown(item, known[0], document, step(path, key))
            elif closed:
                yield Complaint(step(path, key), "unknown property")


def _property(branch: Schema, key: str) -> Schema | None:
    """Return the schema of what a branch lets stand under a key, or None where it lists other keys."""
    more = branch.get("additionalProperties", False)
    found: Schema | None = branch.get("properties", {}).get(key)
    return found if found is not None or more is False else more if isinstance(more, dict) else {}


def _branches(value: Any, schema: Schema, document: Schema) -> Iterator[Schema]:
    """Yield the plain schemas that together speak of a value: references followed, of alternatives those that fit."""
    if "$ref" in schema:
        yield from _branches(value, document["definitions"][schema["$ref"].rsplit("/", 1)[-1]], document)
        return
    yield schema
    for part in schema.get("allOf", []):
        yield from _branches(value, part, document)
    for part in schema.get("anyOf", []):
        if Draft4Validator({**part, "definitions": document["definitions"]}).is_valid(value):
            yield from _branches(value, part, document)


def _template(level: Level) -> Found:
    """Hold a template itself, its parameters and its outputs to the schema that it names."""
    path = TEMPLATES.get(level.scope.kind)
    if not path:
        yield Complaint(level.path or "$schema", f"there is no official schema here for {level.scope.kind} scope")
        return
    document = _document(FOLDER / path)
    if str(level.template["$schema"]).rstrip("#") != str(document["id"]).rstrip("#"):
        yield Complaint(step(level.path, "$schema"), f"is not {document['id']}")
    for key in level.template.keys() - document["properties"].keys():
        yield Complaint(step(level.path, key), "unknown property")
    for key in document["required"]:
        if key not in level.template:
            yield Complaint(step(level.path, key), "is missing")
    for section, kind in (("parameters", "parameter"), ("outputs", "output")):
        for name, declared in level.template.get(section, {}).items():
            place = step(step(level.path, section), name)
            yield from _judged(declared, document["definitions"][kind], document, place)
