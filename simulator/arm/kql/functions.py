"""The scalar functions and the aggregates that queries may use."""

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.arm.kql.values import order_key, text


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


def _first(*values: Any) -> Any:
    return next((each for each in values if each is not None and each != ""), None)


def _extracted(pattern: Any, group: Any, source: Any) -> str:
    match = re.search(text(pattern), text(source))
    return (match[int(group)] or "") if match else ""


# name -> (function, fewest arguments, most)
SCALARS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "tolower": (lambda value: text(value).lower(), 1, 1),
    "toupper": (lambda value: text(value).upper(), 1, 1),
    "tostring": (text, 1, 1),
    "tobool": (_boolean, 1, 1),
    "toint": (_whole, 1, 1),
    "tolong": (_whole, 1, 1),
    "todouble": (_number, 1, 1),
    "isempty": (lambda value: text(value) == "", 1, 1),
    "isnotempty": (lambda value: text(value) != "", 1, 1),
    "isnull": (lambda value: value is None, 1, 1),
    "isnotnull": (lambda value: value is not None, 1, 1),
    "not": (lambda value: not value, 1, 1),
    "iff": (_chosen, 3, 3),
    "iif": (_chosen, 3, 3),
    "coalesce": (_first, 2, 64),
    "strcat": (lambda *values: "".join(map(text, values)), 1, 64),
    "strlen": (lambda value: len(text(value)), 1, 1),
    "split": (lambda value, mark: text(value).split(text(mark)), 2, 2),
    "trim_end": (lambda pattern, value: re.sub(f"(?:{pattern})$", "", text(value)), 2, 2),
    "replace_string": (lambda value, old, new: text(value).replace(text(old), text(new)), 3, 3),
    "extract": (_extracted, 3, 3),
    "array_length": (_length, 1, 1),
    "parse_json": (_parsed, 1, 1),
    "todynamic": (_parsed, 1, 1),
    "bag_keys": (lambda value: list(value) if isinstance(value, dict) else None, 1, 1),
}


def _distinct(values: list[Any]) -> list[Any]:
    return list({text(each): each for each in values if each is not None}.values())


# name -> (from the values of a group to one, whether it needs an argument)
AGGREGATES: dict[str, tuple[Callable[[list[Any]], Any], bool]] = {
    "count": (len, False),
    "countif": (lambda values: sum(1 for each in values if each), True),
    "dcount": (lambda values: len(_distinct(values)), True),
    "sum": (lambda values: sum(each for each in values if isinstance(each, (int, float))), True),
    "min": (lambda values: min(values, key=order_key, default=None), True),
    "max": (lambda values: max(values, key=order_key, default=None), True),
    "make_list": (lambda values: [each for each in values if each is not None], True),
    "make_set": (_distinct, True),
}
