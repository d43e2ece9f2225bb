"""A plan as the page shows it: for each step what is there now and what will be there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core import refs
from shared.core.moves import grant, workspace
from shared.core.parse.access import GROUPS
from shared.core.record import PlannedStep

# What a kind of step does, for people; a kind that is not here is shown by its name.
_SAYS = {
    "vault.protect": "Turn on soft delete and purge protection",
    "policy.set": "Set what {who} may do, in the access policies",
    "policy.remove": "Take {who} out of the access policies",
    "role.assign": "Give {who} a role",
    "role.delete": "Take a role from {who}",
    "key.create": "Make a key for this workspace",
    "workspace.upgrade": "Raise the workspace to Premium",
    "workspace.prepare": "Give the workspace's storage account an identity",
    "compute.restart": "Restart clusters, pools and SQL warehouses",
}

_WHO = {refs.STORAGE: "the workspace's storage account", refs.DISKS: "the workspace's disk encryption"}
_LAYERS = {"managedServices": "managed services", "managedDisk": "managed disks", "dbfsRoot": "the DBFS root"}


@dataclass(frozen=True, slots=True)
class Change:
    """One property of a step's resource: its value now, and after the step."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step for people. `mark` is done, sent or '': how far it has come."""

    number: int
    title: str
    step: PlannedStep
    mark: str
    changes: tuple[Change, ...]


def shown(steps: Sequence[PlannedStep]) -> tuple[ShownStep, ...]:
    """Return the steps of a plan as the page shows them."""
    return tuple(
        ShownStep(number, _title(step), step, _mark(step), tuple(_changes(step)))
        for number, step in enumerate(steps, 1)
    )


def _title(step: PlannedStep) -> str:
    if step.kind == workspace.ENCRYPT:
        layer = str(step.after.get("layer", ""))
        return f"Put {_LAYERS.get(layer, layer)} on the key"
    who = str(step.after.get("objectId") or step.after.get("principalId") or step.before.get("principalId") or "")
    return _SAYS.get(step.kind, step.kind).format(who=_WHO.get(who, who) or "an identity")


def _mark(step: PlannedStep) -> str:
    return "done" if step.done else "sent" if step.sent else ""


def _changes(step: PlannedStep) -> Iterator[Change]:
    before, after = _sides(step)
    names = [*after, *(name for name in before if name not in after)]
    changed = [name for name in names if before.get(name) != after.get(name)] or names
    for name in changed:
        yield Change(name, before.get(name), after.get(name))


def _sides(step: PlannedStep) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the resource is now and what it will be, in the same words on both sides.

    A before-image holds what an undo needs; people want to see what changes for them.
    """
    before, after = dict(_flat(step.before)), dict(_flat(step.after))
    if step.kind == workspace.ENCRYPT:
        key = " in ".join(str(after.pop(name, "")) for name in ("key", "vault"))
        return {"key": "Microsoft's own"}, {"key": key, **{name: after[name] for name in after if name != "layer"}}
    if step.kind in grant.ON_POLICIES:
        entries = before.pop("entries", None) or []
        held = {group: grant.joined(entries, group) for group in GROUPS}
        who: dict[str, Any] = {name: after[name] for name in ("tenantId", "objectId") if name in after}
        return {**who, **{group: words for group, words in held.items() if words}}, after
    if step.kind in grant.ON_ROLES:
        return before, after
    return {name: value for name, value in before.items() if name in after}, after


def _flat(side: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested values, each with its path: that is what two sides can be compared by."""
    for name, value in side.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
