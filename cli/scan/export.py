"""Exported JSON -> bodies as Resource Manager has them: what the Azure CLI prints, rows of Resource Graph, saved answers.

One object, an array, `{"value": [...]}`, `{"data": [...]}`, several of them one after the other (JSON lines). The Azure
CLI prints some resources flattened, without `properties`, and older versions spell names with underscores.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ids import ResourceId

Json = Mapping[str, Any]
_DEEPEST = 8  # lists in lists; nobody exports more
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What stands beside `properties` in a body, and so is none of them where the Azure CLI has flattened it.
_BESIDE = frozenset({
    "id", "name", "type", "location", "tags", "sku", "systemData", "identity", "kind", "etag", "plan", "managedBy",
    "resourceGroup", "subscriptionId", "tenantId", "zones", "extendedLocation", "createdTime", "changedTime",
})  # fmt: skip
# A flattened body has one of these. A row of `az resource list` has none, and says nothing of any protection.
_TELLING = frozenset({
    "managedResourceGroupId", "workspaceId", "workspaceUrl", "computeMode", "parameters",
    "vaultUri", "accessPolicies", "enableRbacAuthorization",
})  # fmt: skip
_UNDERSCORE = re.compile("_([a-z0-9])")


class BadExportError(Exception):
    """The file is not what a scan can read. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A vault or workspace of the export, and the line where its id stands."""

    target: ResourceId
    body: Json
    at: int


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds. `strangers` are objects that are neither vaults nor workspaces, `broken` those without an id."""

    found: tuple[Found, ...]
    strangers: int
    broken: tuple[str, ...]


def decoded(raw: bytes) -> str:
    """Return a file as text: UTF-8, or the UTF-16 that a redirection in Windows PowerShell writes. Raises BadExportError."""
    coding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(coding)
    except UnicodeDecodeError as error:
        raise BadExportError(f"byte {error.start}: this is no {coding} text") from None


def exported(text: str) -> Export:
    """Read an export. Raises BadExportError where it is no JSON, or there is nothing in it to judge."""
    try:
        return _exported(text)
    except RecursionError:  # JSON itself goes deeper than whoever walks through it
        raise BadExportError("its values are nested too deep") from None


def _exported(text: str) -> Export:
    found, strangers, broken = [], 0, []
    rows = [row for whole in _documents(text) for row in _rows(whole, _DEEPEST)]
    for row in rows:
        kind = _kind(row)
        if not kind:
            strangers += 1
            continue
        try:
            target = ids.parse(row.get("id"))
        except BadInput as error:
            broken.append(f"a {kind} without a sound id: {error.message}")
            continue
        found.append(Found(target, _whole(row), _line_of(text, str(row["id"]))))
    if rows and not found and not broken:
        raise BadExportError(f"there is no vault and no workspace in it, only {strangers} other objects")
    return Export(tuple(found), strangers, tuple(broken))


def _documents(text: str) -> Iterator[Any]:
    """Yield one JSON value after the other."""
    decoder, at = json.JSONDecoder(), _blank(text, 0)
    if at == len(text):
        raise BadExportError("it is empty")
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            said = f"line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}"
            raise BadExportError(said) from None
        except (RecursionError, ValueError) as error:  # nested too deep, or a number of thousands of digits
            line = text.count("\n", 0, at) + 1
            raise BadExportError(f"the value that begins on line {line} is no export: {error}") from None
        yield value
        at = _blank(text, at)


def _blank(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _rows(value: Any, deeper: int) -> Iterator[Any]:
    """Yield every object that is no list of others."""
    if isinstance(value, list) and deeper:
        for each in value:
            yield from _rows(each, deeper - 1)
    elif isinstance(value, dict) and not _kind(value) and _listed(value) is not None:
        yield from _rows(_listed(value), deeper - 1)
    else:
        yield value


def _listed(value: Json) -> Any:
    """Return the rows of an answer with a list in it; of a table as Resource Graph had them, made into objects."""
    inner = value.get("value", value.get("data"))
    if isinstance(inner, dict) and isinstance(inner.get("columns"), list) and isinstance(inner.get("rows"), list):
        names = [str(each.get("name", "")) for each in inner["columns"] if isinstance(each, dict)]
        return [dict(zip(names, row, strict=False)) for row in inner["rows"] if isinstance(row, list)]
    return inner if isinstance(inner, list) else None


def _kind(row: Any) -> str:
    """Return what an object is by its id, or by its type where it has no id that can be read; '' for neither of ours."""
    if not isinstance(row, dict):
        return ""
    told = str(row.get("type", "")).lower()
    try:
        target = ids.parse(row.get("id"))
    except BadInput:
        return next((kind for kind in (ids.VAULT, ids.WORKSPACE) if kind.lower() == told), "")
    is_itself = ids.fold(str(row["id"]).rstrip("/")) == target.key  # and no key, grant or list below it
    is_told = told in {"", target.kind.lower()}
    return target.kind if is_itself and is_told and target.kind in {ids.VAULT, ids.WORKSPACE} else ""


def _whole(row: Json) -> Json:
    """Return a body with `properties`, its names spelt as Resource Manager spells them."""
    body = {name: value if name == "tags" else _spelt(value) for name, value in _respelt(row).items()}
    if body.get("properties") is not None or not _TELLING & set(body):
        return body
    properties = {name: value for name, value in body.items() if name not in _BESIDE}
    return {**{name: value for name, value in body.items() if name in _BESIDE}, "properties": properties}


def _spelt(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: each if name == "resourceTags" else _spelt(each) for name, each in _respelt(value).items()}
    return [_spelt(each) for each in value] if isinstance(value, list) else value


def _respelt(row: Json) -> dict[str, Any]:
    """Return an object with `like_this` spelt `likeThis`. A name that is there in both spellings stays as it was."""
    names = {name: _UNDERSCORE.sub(lambda found: found[1].upper(), name) for name in row}
    return {(name if spelt in row else spelt): row[name] for name, spelt in names.items()}


def _line_of(text: str, identity: str) -> int:
    """Return the line on which an id stands; 1 where the file spells it in another way."""
    at = text.find(json.dumps(identity))
    return text.count("\n", 0, at) + 1 if at >= 0 else 1
