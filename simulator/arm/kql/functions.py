"""The scalar functions that queries may use."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.arm.kql import moments
from simulator.arm.kql.values import computed, order_key, text

Function = tuple[Callable[..., Any], int, int]  # what it does, fewest arguments, most


def _boolean(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text(value).lower())


def _number(value: Any) -> float | None:
    try:
        return float(text(value))
    except ValueError:
        return None


def _whole(value: Any) -> int | None:
    number = _number(value) if not isinstance(value, bool) else float(value)
    return None if number is None else int(number)


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _chosen(condition: Any, then: Any, otherwise: Any) -> Any:
    return then if condition else otherwise


def _case(*arguments: Any) -> Any:
    for at in range(0, len(arguments) - 1, 2):
        if arguments[at]:
            return arguments[at + 1]
    return arguments[-1]


def _first(*values: Any) -> Any:
    return next((each for each in values if each is not None and each != ""), None)


def _extracted(pattern: Any, group: Any, source: Any) -> str:
    match = re.search(text(pattern), text(source))
    return (match[int(group)] or "") if match else ""


def _split(value: Any, mark: Any, index: Any = None) -> Any:
    parts = text(value).split(text(mark)) if text(mark) else [text(value)]
    if index is None:
        return parts
    return [parts[index]] if isinstance(index, int) and 0 <= index < len(parts) else []


def _substring(value: Any, start: Any, length: Any = None) -> str:
    first = max(0, int(start))
    return text(value)[first:] if length is None else text(value)[first : first + max(0, int(length))]


def _bag(*pairs: Any) -> dict[str, Any]:
    return {text(pairs[at]): pairs[at + 1] for at in range(0, len(pairs) - 1, 2)}


def _keys(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, dict) else None


def _holds(bag: Any, key: Any) -> bool | None:
    return text(key) in bag if isinstance(bag, dict) else None


def _concat(*lists: Any) -> list[Any]:
    return [member for each in lists if isinstance(each, list) for member in each]


def _joined(values: Any, mark: Any) -> str:
    return text(mark).join(map(text, values)) if isinstance(values, list) else ""


def _index(values: Any, wanted: Any) -> int | None:
    if not isinstance(values, list):
        return None
    return next((at for at, each in enumerate(values) if text(each) == text(wanted)), -1)


def _binned(value: Any, size: Any) -> Any:
    """Round down to a multiple of a size."""
    if isinstance(value, datetime):
        return moments.binned(value, size)
    rest = computed("%", value, size)
    return None if rest is None else value - rest


def _trim(front: str, back: str) -> Callable[[Any, Any], str]:
    def trim(pattern: Any, value: Any) -> str:
        whole = text(value)
        whole = re.sub(f"^(?:{text(pattern)})", "", whole) if front else whole
        return re.sub(f"(?:{text(pattern)})$", "", whole) if back else whole

    return trim


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "long", float: "real", str: "string", list: "array", dict: "dictionary"}
    return "null" if value is None else kinds.get(type(value), "datetime")


SCALARS: dict[str, Function] = {
    **moments.FUNCTIONS,
    "tolower": (lambda value: text(value).lower(), 1, 1),
    "toupper": (lambda value: text(value).upper(), 1, 1),
    "tostring": (text, 1, 1),
    "toguid": (lambda value: text(value).lower() or None, 1, 1),
    "tobool": (_boolean, 1, 1),
    "toboolean": (_boolean, 1, 1),
    "toint": (_whole, 1, 1),
    "tolong": (_whole, 1, 1),
    "todouble": (_number, 1, 1),
    "toreal": (_number, 1, 1),
    "isempty": (lambda value: text(value) == "", 1, 1),
    "isnotempty": (lambda value: text(value) != "", 1, 1),
    "isnull": (lambda value: value is None, 1, 1),
    "isnotnull": (lambda value: value is not None, 1, 1),
    "not": (lambda value: None if value is None else not value, 1, 1),
    "iff": (_chosen, 3, 3),
    "iif": (_chosen, 3, 3),
    "case": (_case, 3, 64),
    "coalesce": (_first, 2, 64),
    "strcat": (lambda *values: "".join(map(text, values)), 1, 64),
    "strcat_delim": (lambda mark, *values: text(mark).join(map(text, values)), 2, 64),
    "strcat_array": (_joined, 2, 2),
    "strlen": (lambda value: len(text(value)), 1, 1),
    "substring": (_substring, 2, 3),
    "indexof": (lambda value, part: text(value).find(text(part)), 2, 2),
    "countof": (lambda value, part: text(value).count(text(part)), 2, 2),
    "split": (_split, 2, 3),
    "trim": (_trim("^", "$"), 2, 2),
    "trim_start": (_trim("^", ""), 2, 2),
    "trim_end": (_trim("", "$"), 2, 2),
    "replace_string": (lambda value, old, new: text(value).replace(text(old), text(new)), 3, 3),
    "replace_regex": (lambda value, old, new: re.sub(text(old), text(new), text(value)), 3, 3),
    "extract": (_extracted, 3, 3),
    "array_length": (_length, 1, 1),
    "array_concat": (_concat, 1, 64),
    "array_index_of": (_index, 2, 2),
    "pack_array": (lambda *values: list(values), 1, 64),
    "pack": (_bag, 2, 64),
    "bag_pack": (_bag, 2, 64),
    "bag_keys": (_keys, 1, 1),
    "bag_has_key": (_holds, 2, 2),
    "set_has_element": (lambda values, one: None if _length(values) is None else _index(values, one) != -1, 2, 2),
    "parse_json": (_parsed, 1, 1),
    "todynamic": (_parsed, 1, 1),
    "gettype": (_kind, 1, 1),
    "bin": (_binned, 2, 2),
    "floor": (_binned, 2, 2),
    "abs": (lambda value: abs(value) if isinstance(value, (int, float)) else None, 1, 1),
    "round": (lambda value, digits=0: round(value, digits) if isinstance(value, (int, float)) else None, 1, 2),
    "min_of": (lambda *values: min((each for each in values if each is not None), key=order_key, default=None), 2, 64),
    "max_of": (lambda *values: max((each for each in values if each is not None), key=order_key, default=None), 2, 64),
}
# Functions whose answer may be of any type: to group or join by it, Kusto asks for a cast.
DYNAMIC = frozenset({"parse_json", "todynamic", "split", "pack_array", "pack", "bag_pack", "bag_keys", "array_concat"})
