"""Judges the thin Bicep file around a template: its syntax, its names, and that it fits the template that it deploys.

There is no Bicep compiler to be had here: the grammar is tree-sitter's, and it knows no types. What is compared with
the template is therefore compared here.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.judges.azmcp import need
from tests.infra.judges.complaint import Complaint
from tests.infra.judges.evaluate import NAMES

Node = dict[str, Any]
Found = Iterator[Complaint]


def wrapper(source: Path, parameters: dict[str, Any]) -> list[Complaint]:
    """Return what is wrong with a Bicep file; `parameters` is the file of values that azd fills in."""
    command = [need("python"), str(Path(__file__).with_name("tree.py")), str(source)]
    root = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    wrong = [node for node in _all(root) if node["wrong"]]
    if wrong:
        return [_at(node, f"cannot be read: {node['text'][:60]!r}") for node in wrong]
    return [*_names(root), *_module(root, source.parent), *_given(root, parameters["parameters"])]


def _at(node: Node, text: str) -> Complaint:
    return Complaint(f"line {node['line']}", text)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        yield from _all(child)


def _of(root: Node, kind: str) -> list[Node]:
    return [node for node in _all(root) if node["type"] == kind]


def _used(node: Node) -> Iterator[Node]:
    """Yield the identifiers that are asked for: not those that name a declaration, a property or a decorator."""
    if node["type"] == "identifier":
        yield node
    if node["type"] in {"decorators", "type"}:
        return
    names = node["type"].endswith("_declaration") or node["type"] == "object_property"
    for child in node["children"][1 if names else 0 :]:
        yield from _used(child)


def _names(root: Node) -> Found:
    kinds = ("parameter_declaration", "variable_declaration", "module_declaration")
    declared = {node["children"][0]["text"]: node for kind in kinds for node in _of(root, kind)}
    used = list(_used(root))
    for node in used:
        if node["text"] not in declared and node["text"].lower() not in NAMES:
            yield _at(node, f"undeclared name {node['text']!r}")
    for name in declared.keys() - {node["text"] for node in used}:
        yield _at(declared[name], f"nothing uses {name!r}")


def _module(root: Node, folder: Path) -> Found:
    """Hold what a module is given, and what is taken from it, to the template."""
    for module in _of(root, "module_declaration"):
        name, path = (child["text"] for child in module["children"][:2])
        if not (folder / path.strip("'")).exists():
            yield _at(module, f"there is no {path}")
            continue
        template = json.loads((folder / path.strip("'")).read_text())
        yield from _inputs(root, module, template["parameters"])
        for node in _of(root, "member_expression"):
            whole, _, output = node["text"].rpartition(".")
            if whole == f"{name}.outputs" and output not in template["outputs"]:
                yield _at(node, f"{path} has no output {output!r}")


def _inputs(root: Node, module: Node, wanted: dict[str, Any]) -> Found:
    given = _keys(module["children"][2], "params")
    for key in given.keys() - wanted.keys():
        yield _at(given[key], f"the template has no parameter {key!r}")
    for key in wanted.keys() - given.keys():
        if "defaultValue" not in wanted[key]:
            yield _at(module, f"the template needs a value for {key!r}")
    types = {node["children"][0]["text"]: node["children"][1]["text"] for node in _of(root, "parameter_declaration")}
    for key in given.keys() & wanted.keys():
        kind = types.get(given[key]["children"][-1]["text"])
        if kind and kind != wanted[key]["type"]:
            yield _at(given[key], f"{key!r} is {kind} here and {wanted[key]['type']} in the template")


def _keys(body: Node, wanted: str) -> dict[str, Node]:
    """Return the properties of the object that lies under a key of another."""
    for node in body["children"]:
        if node["type"] == "object_property" and node["children"][0]["text"] == wanted:
            return {one["children"][0]["text"]: one for one in node["children"][1]["children"] if one["children"]}
    return {}


def _given(root: Node, values: dict[str, Any]) -> Found:
    declared = {node["children"][0]["text"]: node for node in _of(root, "parameter_declaration")}
    for name in values.keys() - declared.keys():
        yield Complaint("parameters", f"{name!r} is given and not declared")
    for name in declared.keys() - values.keys():
        yield _at(declared[name], f"azd gives no value for {name!r}")
