"""Route templates of HTTP functions: which function answers a path, and with which parameters.

Follows ASP.NET: case-insensitive, constraints, optional parameters, catch-all; the most specific route wins
(literal, then constrained, then any parameter, then catch-all). Pure: no I/O.
"""

import re
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from simulator.host.bindings import Function
from simulator.host.config import Refusal

type Test = Callable[[str], bool]

PARAM = re.compile(
    r"\{(?P<all>\*{0,2})(?P<name>[^{}:=?*]+)(?P<rules>(?::[^{}]+?)?)(?P<default>=[^{}?]*)?(?P<opt>\?)?\}"
)
PLAIN: dict[str, str] = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "bool": r"(?i:true|false)",
    "guid": r"(?i:\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?)",
    "alpha": r"[A-Za-z]*",
    "decimal": r"-?\d+(\.\d+)?",
    "double": r"-?\d+(\.\d+)?([eE][-+]?\d+)?",
    "float": r"-?\d+(\.\d+)?([eE][-+]?\d+)?",
    "required": r".+",
}


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a template."""

    name: str
    tests: tuple[Test, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """A compiled template."""

    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    params: tuple[Param, ...]
    rank: tuple[int, ...]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Give the parameters when the request is this route's."""
        found = self.pattern.fullmatch(path) if not self.methods or method in self.methods else None
        if found is None:
            return None
        values = {}
        for number, param in enumerate(self.params):
            value = found[f"p{number}"] or param.default
            if value is None:
                continue
            if not all(test(value) for test in param.tests):
                return None
            values[param.name] = value
        return values


class Table:
    """All routes of the app, most specific first."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        routes = [_compile(function, prefix) for function in functions if function.kind == "http"]
        self._routes = sorted(routes, key=lambda route: route.rank)

    def find(self, method: str, raw_path: str) -> tuple[Function, dict[str, str]] | None:
        """Find who answers; a wrong method is as unknown as a wrong path."""
        # An encoded slash stays encoded, as Kestrel leaves it, so that it never splits a segment.
        path = urllib.parse.unquote(re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE))
        for route in self._routes:
            values = route.match(method, path)
            if values is not None:
                return route.function, values
        return None


def _compile(function: Function, prefix: str) -> Route:
    template = function.trigger.get("route") or function.name
    parts = [part for part in f"{prefix}/{template}".split("/") if part]
    if parts and parts[0].lower() in {"admin", "runtime"}:
        raise Refusal(f"function '{function.name}': route '{template}' conflicts with the host's own routes")
    pattern, rank, params = "", [], list[Param]()
    for part in parts:
        piece, kind = _segment(part, params, f"function '{function.name}', route '{template}'")
        pattern += piece
        rank.append(kind)
    methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
    compiled = re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)
    return Route(function, methods, compiled, tuple(params), tuple(rank))


def _segment(part: str, params: list[Param], where: str) -> tuple[str, int]:
    whole = PARAM.fullmatch(part)
    if whole is None:
        return "/" + _mixed(part, params, where), 2 if "{" in part else 1
    group = f"p{len(params)}"
    params.append(_param(whole, where))
    any_rank = 2 if whole["rules"] else 3
    if whole["all"]:
        return f"(?:/(?P<{group}>.*))?", any_rank + 2
    optional = whole["opt"] or whole["default"] is not None
    return (f"(?:/(?P<{group}>[^/]+))?" if optional else f"/(?P<{group}>[^/]+)"), any_rank


def _mixed(part: str, params: list[Param], where: str) -> str:
    pattern, end = "", 0
    for found in PARAM.finditer(part):
        pattern += re.escape(part[end : found.start()]) + f"(?P<p{len(params)}>[^/]+?)"
        params.append(_param(found, where))
        end = found.end()
    rest = part[end:]
    if "{" in rest or "}" in rest:
        raise Refusal(f"{where}: '{part}' cannot be read")
    return pattern + re.escape(rest)


def _param(found: re.Match[str], where: str) -> Param:
    rules = re.findall(r":([^:(]+)(?:\(([^)]*)\))?", found["rules"])
    default = found["default"]
    tests = tuple(_test(name, argument, where) for name, argument in rules)
    return Param(found["name"].strip(), tests, default[1:] if default else None)


def _test(name: str, argument: str, where: str) -> Test:
    if name in PLAIN and not argument:
        rule = re.compile(PLAIN[name])
        return lambda value: rule.fullmatch(value) is not None
    try:
        if name == "regex":
            custom = re.compile(argument, re.IGNORECASE)
            return lambda value: custom.search(value) is not None
        bounds = [int(number) for number in argument.split(",")]
        low, high = bounds[0], bounds[-1]
    except (ValueError, re.error) as wrong:
        raise Refusal(f"{where}: unknown constraint '{name}'") from wrong
    tests: dict[str, Test] = {
        "minlength": lambda value: len(value) >= low,
        "maxlength": lambda value: len(value) <= low,
        "length": lambda value: low <= len(value) <= high,
        "min": lambda value: _int(value) is not None and int(value) >= low,
        "max": lambda value: _int(value) is not None and int(value) <= low,
        "range": lambda value: _int(value) is not None and low <= int(value) <= high,
    }
    if name not in tests:
        raise Refusal(f"{where}: unknown constraint '{name}'")
    return tests[name]


def _int(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?\d{1,19}", value) else None
