"""A plan as the page shows it: for each step what is there now and what will be there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core import refs
from shared.core.control import Drawn
from shared.core.moves import grant, workspace
from shared.core.parse.access import GROUPS
from shared.core.record import PlannedStep

# What a kind of step does, for people; a kind that is not here is shown by its name.
_SAYS = {
    "vault.protect": "Turn on soft delete and purge protection",
    "vault.recover": "Take the deleted vault back, with its keys and policies",
    "policy.set": "Set what {who} may do, in the access policies",
    "policy.remove": "Take {who} out of the access policies",
    "role.assign": "Give {who} the role {role}",
    "role.delete": "Take the role {role} from {who}",
    "key.create": "Make a key for this workspace",
    "workspace.upgrade": "Raise the workspace to Premium",
    "workspace.prepare": "Give the workspace's storage account an identity",
    "compute.restart": "Restart clusters, pools and SQL warehouses",
}

_ON_KEYS = {
    workspace.ENCRYPT: "Put {layer} on the key",
    workspace.REPOINT: "Put {layer} on the newest version of its key",
}

# Roles at a vault, as the portal names them (AZURE 3.1).
_ROLES = {
    grant.NARROW: "Key Vault Crypto Service Encryption User",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": "Key Vault Crypto Officer",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
}
_WHO = {refs.STORAGE: "the workspace's storage account", refs.DISKS: "the workspace's disk encryption"}
_LAYERS = {"managedServices": "managed services", "managedDisk": "managed disks", "dbfsRoot": "the DBFS root"}


def called(kind: str) -> str:
    """Return what a kind of step does, whoever it is about."""
    return _SAYS.get(kind, kind).replace("{who}", "somebody").replace("the role {role}", "a role")


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


def shown(
    steps: Sequence[PlannedStep], names: Mapping[str, str] | None = None, made: Mapping[str, str] | None = None
) -> tuple[ShownStep, ...]:
    """Return the steps of a plan as the page shows them.

    `names` are what people call an object id, `made` what references stand for by now.
    """
    known = {**_ROLES, **_WHO, **(names or {})}
    return tuple(
        ShownStep(number, _title(step, known), step, _mark(step), tuple(_changes(step, known, made or {})))
        for number, step in enumerate(steps, 1)
    )


def made_of(drawn: Sequence[Drawn]) -> Mapping[str, str]:
    """Return what the references to keys stand for, as far as the keys are there."""
    names = {refs.key_name(it.layer): it.name for it in drawn if it.version}
    return {**names, **{refs.key_version(it.layer): it.version for it in drawn if it.version}}


def _title(step: PlannedStep, known: Mapping[str, str]) -> str:
    if step.kind in _ON_KEYS:
        layer = str(step.after.get("layer", ""))
        return _ON_KEYS[step.kind].format(layer=_LAYERS.get(layer, layer))
    whole = {**step.before, **step.after}
    who = str(whole.get("objectId") or whole.get("principalId") or "")
    role = str(whole.get("roleDefinitionId") or "").rsplit("/", 1)[-1]
    words = {"who": known.get(who, who) or "an identity", "role": known.get(role, role) or "a role"}
    return _SAYS.get(step.kind, step.kind).format(**words)


def _mark(step: PlannedStep) -> str:
    return "done" if step.done else "sent" if step.sent else ""


def _changes(step: PlannedStep, known: Mapping[str, str], made: Mapping[str, str]) -> Iterator[Change]:
    before, after = _sides(step)
    names = [*after, *(name for name in before if name not in after)]
    changed = [name for name in names if before.get(name) != after.get(name)] or names
    for name in changed:
        yield Change(name, _named(before.get(name), known), _named(_filled(after.get(name), made), known))


def _named(value: Any, known: Mapping[str, str]) -> Any:
    """Return an id with what people call it."""
    name = known.get(value.rsplit("/", 1)[-1]) if isinstance(value, str) else None
    return f"{name} ({value})" if name and not value.startswith("${") else name or value


def _filled(value: Any, made: Mapping[str, str]) -> Any:
    for reference, stands_for in made.items():
        value = value.replace(reference, stands_for) if isinstance(value, str) else value
    return value


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
