"""The functions of template expressions, as far as our templates use them. What is not here is a complaint.

Their meaning: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
`guid` and `uniqueString` are stand-ins: as stable as Azure's, with other results.
"""

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from tests.infra.judges.complaint import Fault

NAMESPACE = uuid.UUID("9c1a37f5-3a0e-4f29-8a8c-6f7f0c6f5a11")  # ours: the ids are examples
NOW = {"yyyy": "2026", "MM": "11", "dd": "25", "HH": "00", "mm": "00", "ss": "00"}


def text(value: Any) -> str:
    """Return a value as string() writes it."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "True" if value else "False"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _concat(first: Any, *rest: Any) -> Any:
    if isinstance(first, list):
        return first + [item for more in rest for item in more]
    if any(isinstance(part, (list, dict)) or part is None for part in (first, *rest)):
        raise Fault("concat takes texts and numbers, or arrays alone")
    return "".join(map(text, (first, *rest)))


def _format(pattern: str, *values: Any) -> str:
    places = {int(place) for place in re.findall(r"(?<!\{)\{(\d+)\}", pattern)}
    if places != set(range(len(values))):
        raise Fault(f"format has the places {sorted(places)} for {len(values)} values")
    filled = re.sub(r"(?<!\{)\{(\d+)\}", lambda place: text(values[int(place[1])]), pattern)
    return filled.replace("{{", "{").replace("}}", "}")


def _object(*pairs: Any) -> dict[str, Any]:
    if len(pairs) % 2:
        raise Fault("createObject takes keys and values in turn")
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def _union(*parts: Any) -> Any:
    if all(isinstance(part, dict) for part in parts):
        whole: dict[str, Any] = {}
        for part in parts:
            for key, value in part.items():
                nested = isinstance(value, dict) and isinstance(whole.get(key), dict)
                whole[key] = _union(whole[key], value) if nested else value
        return whole
    if all(isinstance(part, list) for part in parts):
        whole_list: list[Any] = []
        for item in (item for part in parts for item in part):
            whole_list += [] if item in whole_list else [item]
        return whole_list
    raise Fault("union takes objects alone or arrays alone")


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, dict):
        return str(part).lower() in {key.lower() for key in whole}
    return part in whole


def _split(whole: str, marks: Any) -> list[str]:
    return re.split("|".join(map(re.escape, [marks] if isinstance(marks, str) else marks)), whole)


def _range(start: int, count: int) -> list[int]:
    return list(range(start, start + count))


def _equals(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other) if isinstance(one, bool) else bool(one == other)


def _first(whole: Any) -> Any:
    return whole[0] if whole else ("" if isinstance(whole, str) else None)


def _last(whole: Any) -> Any:
    return whole[-1] if whole else ("" if isinstance(whole, str) else None)


def _unique(*parts: str) -> str:
    digest = hashlib.sha256("-".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower().translate(str.maketrans("234567", "bcdfgh"))[:13]


def _guid(*parts: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "-".join(parts)))


def _items(whole: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": whole[key]} for key in sorted(whole)]


def _now(pattern: str = "yyyyMMddTHHmmssZ") -> str:
    return re.sub("|".join(NOW), lambda part: NOW[part[0]], pattern)


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False}[value.lower()]
    return bool(value)


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault("not takes true or false")
    return not value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: one + other,
    "array": lambda value: value if isinstance(value, list) else [value],
    "bool": _truth,
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "empty": lambda value: value is None or len(value) == 0,
    "endswith": lambda whole, part: whole.lower().endswith(part.lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": _first,
    "format": _format,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "guid": _guid,
    "int": int,
    "items": _items,
    "join": lambda parts, mark: mark.join(map(text, parts)),
    "json": json.loads,
    "last": _last,
    "length": len,
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "not": _not,
    "null": lambda: None,
    "range": _range,
    "replace": lambda whole, old, new: whole.replace(old, new),
    "skip": lambda whole, count: whole[max(count, 0) :],
    "split": _split,
    "startswith": lambda whole, part: whole.lower().startswith(part.lower()),
    "string": text,
    "sub": lambda one, other: one - other,
    "take": lambda whole, count: whole[: max(count, 0)],
    "tolower": lambda value: value.lower(),
    "toupper": lambda value: value.upper(),
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique,
}
# Only in the default value of a parameter.
DEFAULTS: dict[str, Callable[..., Any]] = {"newguid": lambda: _guid("newGuid"), "utcnow": _now}
