"""Judges the order of a deployment: whether every resource waits for those that it uses.

`reference` by name makes Azure wait, by id it does not, nor does being a child
(https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#reference and
.../templates/resource-dependency). A resource that does not wait fails on some days and works on others.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.infra.judges.complaint import Complaint, step
from tests.infra.judges.evaluate import Later
from tests.infra.judges.expand import Expansion, Level, Resource, named_by

Found = Iterator[Complaint]


def needs(expansion: Expansion) -> list[Complaint]:
    """Return what does not wait, waits for nothing, waits for itself, or is deployed twice."""
    found: list[Complaint] = []
    count = Counter(resource.id.lower() for resource in expansion.resources)
    for resource in expansion.resources:
        if count[resource.id.lower()] > 1:
            found.append(Complaint(resource.path, f"deployed twice: {_short(resource.id)}"))
    for level in expansion.levels:
        found += _level(level, expansion)
    return found


def _level(level: Level, expansion: Expansion) -> Found:
    owners = dict(_owners(level, expansion))
    loops = {raw["copy"]["name"] for raw in level.template["resources"] if raw.get("copy")}  # one may turn no time
    waits = {id(one): _direct(one, level.resources) for one in level.resources}
    for resource in filter(lambda one: one.deployed, level.resources):
        for at, need in enumerate(resource.needs):
            if not named_by(need, level.resources) and need not in loops:
                yield Complaint(step(resource.path, f"dependsOn[{at}]"), f"waits for what is not here: {need}")
        awaited = _all(resource, waits)
        if resource in awaited:
            yield Complaint(step(resource.path, "dependsOn"), "waits for itself in the end")
        yield from _unawaited(resource, awaited, owners)
        yield from _unversioned(resource.path, resource.laters, owners, level)


def _owners(level: Level, expansion: Expansion) -> Iterator[tuple[str, Resource]]:
    """Yield each id that a level deploys, with the resource of the level that one has to wait for."""
    for deeper in expansion.levels:
        for owner in (one for one in deeper.inside if one in level.resources):
            yield from ((one.id.lower(), owner) for one in deeper.resources if one.deployed)
    yield from ((one.id.lower(), one) for one in level.resources if one.deployed)


def _direct(resource: Resource, siblings: list[Resource]) -> list[Resource]:
    """Return what a resource waits for: what it says, and whom it asks by name."""
    names = [later.target for later in resource.laters if "/providers/" not in later.target]
    return [one for text in [*resource.needs, *names] for one in named_by(text, siblings)]


def _all(resource: Resource, waits: dict[int, list[Resource]]) -> list[Resource]:
    found: list[Resource] = []
    open_ = list(waits[id(resource)])
    while open_:
        one = open_.pop()
        if one not in found:
            found.append(one)
            open_ += waits[id(one)]
    return found


def _unawaited(resource: Resource, awaited: list[Resource], owners: dict[str, Resource]) -> Found:
    mentioned = [resource.id.lower(), *_texts({k: v for k, v in resource.body.items() if k not in {"tags", "name"}})]
    mentioned += [later.target.lower() for later in resource.laters]
    missing = {
        owner.id: text
        for text in mentioned
        for known, owner in owners.items()
        if (text == known or text.startswith(known + "/")) and owner is not resource and owner not in awaited
    }
    for owner in missing:
        yield Complaint(
            resource.path, f"{_short(resource.id)} uses {_short(owner)} and does not wait for it (dependsOn)"
        )


def _short(text: str) -> str:
    return text.rsplit("/providers/", 1)[-1]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Later):
        yield value.lower()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key.lower()
            if key != "template":
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _unversioned(path: str, laters: list[Later], owners: dict[str, Resource], level: Level) -> Found:
    for target in sorted({later.target for later in laters if not later.versioned}):
        if target.lower() not in owners and not named_by(target, level.resources):
            yield Complaint(path, f"{_short(target)} is not deployed here: reference needs an apiVersion")
