"""The official documents as JSON Schemas: references followed across files, `allOf` merged, objects closed.

An object that declares properties is closed here, so that a property nobody declares is seen; swagger itself would let
it pass. `jsonschema` does the checking.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator

Schema = dict[str, Any]
KEPT = ("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "maxItems", "minItems")
NAMES = {str: "str", int: "int", bool: "bool", float: "float", dict: "dict", list: "list", type(None): "NoneType"}


class Book:
    """All files under a folder, read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[Path, Any] = {}
        self._names: dict[tuple[Path, str], str] = {}
        self._definitions: dict[str, Schema] = {}

    def file(self, path: Path) -> Any:
        """The content of a file."""
        if path not in self._files:
            self._files[path] = json.loads(path.read_text())
        return self._files[path]

    def validator(self, schema: Schema, base: Path) -> Draft4Validator:
        """A validator for a schema that stands in a file."""
        return Draft4Validator({**self.flat(schema, base), "definitions": self._definitions})

    def resolved(self, schema: Schema, base: Path) -> tuple[Schema, Path]:
        """What a schema's reference leads to, and where that stands; the schema itself without one."""
        while "$ref" in schema:
            name, _, pointer = schema["$ref"].partition("#")
            base = (base.parent / name).resolve() if name else base
            schema = self.file(base)
            for part in pointer.strip("/").split("/"):
                schema = schema[part.replace("~1", "/").replace("~0", "~")]
        return schema, base

    def flat(self, schema: Schema, base: Path) -> Schema:
        """A schema that needs no other file."""
        if "$ref" in schema:
            target, where = self.resolved(schema, base)
            key = (where, json.dumps(target, sort_keys=True)[:2000])
            if key not in self._names:
                name = self._names[key] = f"d{len(self._names)}"
                self._definitions[name] = self.flat(target, where)
            return {"$ref": f"#/definitions/{self._names[key]}"}
        whole = self._merged(schema, base)
        if whole.get("properties") and "additionalProperties" not in whole and "discriminator" not in schema:
            whole["additionalProperties"] = False
        return whole

    def _merged(self, schema: Schema, base: Path) -> Schema:
        found: Schema = {name: schema[name] for name in KEPT if name in schema}
        if schema.get("x-nullable") and isinstance(found.get("type"), str):
            found["type"] = [found["type"], "null"]
        for part in schema.get("allOf", []):
            inherited = self._merged(*self.resolved(part, base))
            found = {**inherited, **found, **_both(inherited, found)}
        own: Schema = {}
        if "properties" in schema:
            own["properties"] = {name: self.flat(each, base) for name, each in schema["properties"].items()}
        if "required" in schema:
            own["required"] = list(schema["required"])
        if "items" in schema:
            found["items"] = self.flat(schema["items"], base)
        if "additionalProperties" in schema:
            more = schema["additionalProperties"]
            found["additionalProperties"] = self.flat(more, base) if isinstance(more, dict) and more else True
        return {**found, **own, **_both(found, own)}


def _both(one: Schema, other: Schema) -> Schema:
    """Properties and requirements of two parts together."""
    joined: Schema = {}
    if "properties" in one or "properties" in other:
        joined["properties"] = {**one.get("properties", {}), **other.get("properties", {})}
    if "required" in one or "required" in other:
        joined["required"] = sorted({*one.get("required", []), *other.get("required", [])})
    return joined


@dataclass(frozen=True)
class Operation:
    """One method of one path in one document."""

    method: str
    template: str
    version: str
    file: Path
    responses: dict[str, Any]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The template as an expression; a scope may be the root, and the version of a key is the latest without one."""
        text = re.escape(self.template).replace(r"/\{scope\}", "(?:/.+)?").replace(r"/\{key\-version\}", "(?:/[^/]*)?")
        return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", text) + "/?", re.IGNORECASE)

    @property
    def family(self) -> str:
        """The document without its version: what Azure gets wrong in one version it does in the others."""
        return family(str(self.file))

    def __hash__(self) -> int:
        return hash((self.method, self.template, self.file))


def operations(book: Book) -> Iterator[Operation]:
    """Every operation in the folder."""
    for path in sorted(book.root.rglob("*.json")):
        if "examples" in path.parts or "eventgrid" in path.parts:
            continue
        content = book.file(path)
        version = path.parent.name
        for template, methods in {**content.get("paths", {}), **content.get("x-ms-paths", {})}.items():
            if re.fullmatch(r"/\{\w+\}", template.split("?")[0]):
                continue  # "/{roleAssignmentId}" would match everything
            for method, operation in methods.items():
                if isinstance(operation, dict) and "responses" in operation:
                    yield Operation(method.upper(), template.split("?")[0], version, path, operation["responses"])


def family(path: str) -> str:
    """The path of a document below `specification/` without its version."""
    return re.sub(r"/(stable|preview)/[^/]+/", "/", path.rpartition("specification/")[2])


def deviations(validator: Draft4Validator, body: Any) -> set[str]:
    """What is wrong with a body, in words that compare: the place without indexes, and what is wrong there."""
    found = set()
    for error in validator.iter_errors(body):
        place = ".".join("[]" if isinstance(part, int) else str(part) for part in error.absolute_path)
        found |= {f"{place}: {what}" for what in _words(error)}
    return found


def _words(error: Any) -> Iterator[str]:
    value = error.instance
    if error.validator == "additionalProperties":
        for name in sorted(set(value) - set(error.schema.get("properties", {}))):
            yield f"undeclared property {name}"
    elif error.validator == "required":
        for name in sorted(set(error.validator_value) - set(value)):
            yield f"required: '{name}' is a required property"
    elif error.validator == "enum":
        yield f"value '{value}' not in the spec's list" if value is not None else "null not in the spec's list"
    elif error.validator == "type":
        kind = NAMES.get(type(value), "?")
        yield f"{kind} where {error.validator_value} is declared" + (" (null)" if value is None else "")
    else:
        yield f"{error.validator}: {error.message[:120]}"
