"""Judges a template as it is written: its expressions, its names, and what must not stand in it."""

import re
from collections.abc import Iterator
from typing import Any

from tests.infra.judges.complaint import Complaint, Fault, step
from tests.infra.judges.evaluate import LISTS, NAMES
from tests.infra.judges.expand import DEPLOYMENT, without_template
from tests.infra.judges.functions import DEFAULTS
from tests.infra.judges.parameters import secure
from tests.infra.judges.syntax import Call, Literal, calls, is_expression, parse

VERSION = re.compile(r"\d{4}-\d\d-\d\d(-preview)?")
# Hosts that differ between clouds: environment() knows them.
HOSTS = re.compile(
    r"management\.(azure|core\.windows)\.(com|net)|login\.(microsoftonline|windows)\.(com|net)", re.IGNORECASE
)
SECRET = re.compile(
    r"password|secret|accountkey|sharedkey|accesskey|sas(token|uri|url)|connectionstring", re.IGNORECASE
)
Found = Iterator[Complaint]


def templates(template: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a template and every one nested in it, each with its path."""
    yield path, template
    for at, resource in enumerate(template.get("resources", [])):
        nests = str(resource.get("type", "")).lower() == DEPLOYMENT
        inner = resource.get("properties", {}).get("template") if nests else None
        if isinstance(inner, dict):
            yield from templates(inner, step(step(path, "resources"), at) + ".properties.template")


def lint(template: dict[str, Any]) -> list[Complaint]:
    """Return what is wrong with a template and with those nested in it, whatever the values of its parameters."""
    found: list[Complaint] = []
    for path, level in templates(template):
        found += _level(path, level)
    return found


def _level(path: str, level: dict[str, Any]) -> Found:
    used: set[tuple[str, str]] = set()
    for place, text in texts(level, path):
        yield from _expression(place, text, level, used)
    for place, text in texts(level.get("variables", {}), step(path, "variables")):
        if any(call.name.lower() == "reference" for call in _calls(text)):
            yield Complaint(place, "reference is known only at run time: no variable can hold it")
    for kind in ("parameters", "variables"):
        for name in sorted(_declared(level, kind)):
            if (kind, name) not in used:
                yield Complaint(step(step(path, kind), name), "nothing uses it")
    for at, resource in enumerate(level.get("resources", [])):
        yield from _resource(step(step(path, "resources"), at), resource)
    yield from _secrets(path, level)


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a template with its path, keys too; not those of nested templates, comments and metadata."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from texts(item, step(path, at))
    elif isinstance(value, dict):
        nests = str(value.get("type", "")).lower() == DEPLOYMENT
        for key, item in value.items():
            if key in {"metadata", "comments", "$schema"}:
                continue
            yield step(path, key), key
            yield from texts(without_template(item, nests and key == "properties"), step(path, key))


def _declared(level: dict[str, Any], kind: str) -> set[str]:
    names = set(level.get(kind, {}))
    if kind == "variables" and "copy" in names:
        names = names - {"copy"} | {loop["name"] for loop in level["variables"]["copy"]}
    return names


def _expression(path: str, text: str, level: dict[str, Any], used: set[tuple[str, str]]) -> Found:
    if HOSTS.search(text):
        yield Complaint(path, f"{text!r} names a host that differs between clouds: environment() knows it")
    if text.startswith("[") and not text.startswith("[[") and not text.endswith("]"):
        yield Complaint(path, f"unbalanced expression: {text!r} begins as one and does not end as one")
    if not is_expression(text):
        return
    try:
        tree = parse(text)
    except Fault as fault:
        yield Complaint(path, str(fault))
        return
    for call in calls(tree):
        yield from _call(path, call, level, used)


def _call(path: str, call: Call, level: dict[str, Any], used: set[tuple[str, str]]) -> Found:
    name = call.name.lower()
    if name in {"parameters", "variables"}:
        key = call.arguments[0] if len(call.arguments) == 1 else None
        if isinstance(key, Literal):
            used.add((name, str(key.value)))
            if key.value not in _declared(level, name):
                yield Complaint(path, f"undefined {name[:-1]} {key.value!r}")
        else:
            yield Complaint(path, f"{call.name} takes one name, written out")
    elif LISTS.fullmatch(name):
        yield Complaint(path, f"{call.name} fetches a secret: identities need none")
    elif name not in NAMES and not (name in DEFAULTS and "parameters" in path):
        yield Complaint(path, f"unknown function {call.name}")


def _resource(path: str, resource: dict[str, Any]) -> Found:
    for key in ("type", "name", "apiVersion"):
        if not resource.get(key):
            yield Complaint(path, f"{key} is missing")
    for key, pattern in (("type", r"[\w.]+(/\w+)+"), ("apiVersion", VERSION)):
        if resource.get(key) and not re.fullmatch(pattern, str(resource[key])):
            yield Complaint(step(path, key), f"{resource[key]!r} is written out, as a {key} is")
    place = str(resource.get("location", "global"))
    if not is_expression(place) and place.lower() != "global":
        yield Complaint(step(path, "location"), f"{place!r} is written out: whoever deploys chooses the region")


def _secrets(path: str, level: dict[str, Any]) -> Found:
    """Yield where a secret would be written down: as a default, or as an output, which anyone who reads deployments sees."""
    kept = {name for name, asked in level.get("parameters", {}).items() if secure(asked)}
    for name in kept:
        if level["parameters"][name].get("defaultValue"):
            yield Complaint(step(step(path, "parameters"), name), "a secret has no default")
    for name, output in level.get("outputs", {}).items():
        place = step(step(path, "outputs"), name)
        told = {
            str(call.arguments[0].value)
            for _, text in texts(output, place)
            if is_expression(text)
            for call in _calls(text)
            if call.name.lower() == "parameters" and call.arguments and isinstance(call.arguments[0], Literal)
        }
        asks = any(LISTS.fullmatch(call.name.lower()) for _, text in texts(output, place) for call in _calls(text))
        if SECRET.search(name) or told & kept or asks or secure(output):
            yield Complaint(place, "a secret is no output: whoever may read deployments reads it")


def _calls(text: str) -> list[Call]:
    try:
        return list(calls(parse(text))) if is_expression(text) else []
    except Fault:
        return []
