"""Expands a template as Azure would: every resource with its loops turned, its expressions evaluated, its id, its needs.

Nested deployments are expanded with it, each with its own names (`expressionEvaluationOptions.scope: inner`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.infra.judges.complaint import Complaint, Fault, step
from tests.infra.judges.evaluate import Evaluator, Later
from tests.infra.judges.ids import own
from tests.infra.judges.parameters import fill, handed
from tests.infra.judges.scope import Scope, kind_of

DEPLOYMENT = "microsoft.resources/deployments"
HEAD = ("type", "name", "scope", "subscriptionId", "resourceGroup")  # what a resource's id is made from
APART = {"condition", "copy", "dependsOn"}  # of a resource's keys: the template's business, no part of the resource


@dataclass(eq=False)
class Resource:
    """One resource as Azure gets it. `body` holds only what goes to Azure; `deployed` is what its condition says."""

    path: str
    id: str
    raw: dict[str, Any]
    body: dict[str, Any]
    evaluator: Evaluator
    needs: list[str]
    loop: str
    deployed: bool
    laters: list[Later] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The resource type."""
        return str(self.body["type"])

    @property
    def nested(self) -> bool:
        """Say whether it is a deployment of its own."""
        return self.kind.lower() == DEPLOYMENT

    @property
    def place(self) -> Scope:
        """Where it is deployed: a deployment may name another place than its template's."""
        return self.evaluator.scope.nested(self.body) if self.nested else self.evaluator.scope


@dataclass
class Level:
    """One template, the outer or a nested one, in its scope; `inside` are the deployments that it is nested in."""

    path: str
    template: dict[str, Any]
    scope: Scope
    inside: tuple[Resource, ...] = ()
    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass
class Expansion:
    """A template with values: its levels, the outer one first, and what is wrong with its expressions."""

    levels: list[Level] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def resources(self) -> Iterator[Resource]:
        """Yield what is deployed, on all levels."""
        return (resource for level in self.levels for resource in level.resources if resource.deployed)


def expand(template: dict[str, Any], values: dict[str, Any]) -> Expansion:
    """Return what a template deploys with these values. What Azure would refuse is a complaint."""
    found = Expansion()
    try:
        _expand(found, Level("", template, Scope(kind_of(template))), values)
    except Fault as fault:
        found.complaints.append(Complaint("$schema", str(fault)))
    return found


def _expand(found: Expansion, level: Level, values: dict[str, Any]) -> None:
    found.levels.append(level)
    template, path = level.template, level.path
    evaluator = Evaluator(level.scope, {}, template.get("variables", {}), path)
    evaluator.complaints = found.complaints
    fill(template, values, evaluator)
    if not isinstance(template.get("resources"), list):
        raise Fault("resources that are no list are not judged here")
    for at, raw in enumerate(template["resources"]):
        level.resources += _resources(evaluator, raw, step(step(path, "resources"), at))
    for resource in ordered(level.resources):
        _finish(found, level, resource)
    level.outputs = _outputs(evaluator, template.get("outputs", {}), step(path, "outputs"))


def _resources(evaluator: Evaluator, raw: dict[str, Any], path: str) -> Iterator[Resource]:
    """Yield the resources that one entry makes: as many as its loop turns."""
    loop = raw.get("copy")
    if not loop:
        yield from _resource(evaluator, raw, path, "")
        return
    for index in range(evaluator.count(loop, step(path, "copy"))):
        yield from _resource(evaluator.inside(loop["name"], index), raw, path, loop["name"])


def _resource(evaluator: Evaluator, raw: dict[str, Any], path: str, loop: str) -> Iterator[Resource]:
    """Yield a resource, of which only what names it is evaluated so far."""
    if "resources" in raw:
        evaluator.complaints.append(Complaint(path, "children stand beside their parent, not in it"))
    head: dict[str, Any] = {key: evaluator.tree(raw[key], step(path, key)) for key in HEAD if key in raw}
    deployed = evaluator.tree(raw.get("condition", True), step(path, "condition"))
    for key, value in {**head, "condition": deployed}.items():
        if isinstance(value, Later) or not isinstance(value, bool if key == "condition" else str):
            evaluator.complaints.append(Complaint(step(path, key), f"{value!r} must be known before the deployment"))
            return
    needs = [str(need) for need in evaluator.tree(raw.get("dependsOn", []), step(path, "dependsOn")) or [] if need]
    try:
        nests = head["type"].lower() == DEPLOYMENT
        place, extends = (evaluator.scope.nested(head), "") if nests else (evaluator.scope, head.get("scope", ""))
        own_id = own(place, head["type"], head["name"], extends)
    except (Fault, KeyError) as fault:
        evaluator.complaints.append(Complaint(step(path, "name"), str(fault)))
        return
    yield Resource(path, own_id, raw, head, evaluator, needs, loop, deployed)


def _finish(found: Expansion, level: Level, resource: Resource) -> None:
    """Evaluate the rest of a resource, now that what it needs is through; expand it where it is a deployment."""
    if not resource.deployed:
        return
    evaluator = resource.evaluator
    seen = len(evaluator.laters)
    for key, value in resource.raw.items():
        if key not in APART | resource.body.keys():
            resource.body[key] = evaluator.tree(
                without_template(value, resource.nested and key == "properties"), step(resource.path, key)
            )
    resource.laters = evaluator.laters[seen:]
    if resource.nested:
        _nested(found, level, resource, resource.raw["properties"].get("template"))


def without_template(value: Any, nested: bool) -> Any:
    """Return a resource's properties without the template in them, whose expressions are its own business."""
    if nested and isinstance(value, dict):
        return {name: part for name, part in value.items() if name != "template"}
    return value


def _nested(found: Expansion, level: Level, resource: Resource, template: Any) -> None:
    path = step(resource.path, "properties")
    try:
        inner = Level(step(path, "template"), template, _inner(resource, template), (*level.inside, resource))
        _expand(found, inner, handed(resource.body, step(path, "parameters")))
        for key in (resource.id, resource.body["name"]):  # reference takes either
            resource.evaluator.outputs[key.lower()] = inner.outputs
    except Fault as fault:
        found.complaints.append(Complaint(path, str(fault)))
    resource.body["properties"]["template"] = template


def _inner(resource: Resource, template: Any) -> Scope:
    """Return where a nested template goes. Raises Fault for one that is not judged here, or not made for that place."""
    if not isinstance(template, dict):
        raise Fault("a nested deployment brings its template; a linked one is not judged here")
    options = resource.body["properties"].get("expressionEvaluationOptions") or {}
    if str(options.get("scope")).lower() != "inner":
        raise Fault("a nested template evaluates its own expressions (expressionEvaluationOptions.scope inner)")
    options["scope"] = "Inner"  # as the schemas write it; Microsoft's documents do not
    inner = resource.evaluator.scope.nested(resource.body)
    if kind_of(template) != inner.kind:
        raise Fault(f"a template for {kind_of(template)} scope is deployed at {inner.kind} scope")
    return inner


def _outputs(evaluator: Evaluator, raw: dict[str, Any], path: str) -> dict[str, Any]:
    values = {}
    for name, output in raw.items():
        if output.get("condition") and evaluator.tree(output["condition"], step(path, name)) is not True:
            continue
        if output.get("copy"):
            loop = {"name": "", **output["copy"]}
            values[name] = evaluator.repeated(loop, step(path, name))
        else:
            values[name] = evaluator.tree(output.get("value"), step(step(path, name), "value"))
    return values


def named_by(need: str, siblings: list[Resource]) -> list[Resource]:
    """Return the resources that an entry of `dependsOn` means: by id, by name, or by the name of their loop."""
    by_id = [one for one in siblings if one.id.lower() == need.lower()]
    return by_id or [one for one in siblings if need.lower() in {one.loop.lower(), str(one.body["name"]).lower()}]


def ordered(siblings: list[Resource]) -> list[Resource]:
    """Return resources so that what one needs comes before it. In a circle the order is that of the template."""
    placed: list[Resource] = []
    waiting = list(siblings)
    while waiting:
        ready = [
            one
            for one in waiting
            if not any(need in waiting for text in one.needs for need in named_by(text, siblings) if need is not one)
        ] or waiting
        placed += ready
        waiting = [one for one in waiting if one not in ready]
    return placed
