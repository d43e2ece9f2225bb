"""The way from platform keys to a key of the workspace's own, in an order in which it works at every moment.

    upgrade tier - protect vault - make key - prepare DBFS - grant who asks - [settle] - managed services, DBFS root,
    managed disks - grant the disks' identity, which only now exists - [settle] - restart compute (a person)

All that can be granted is granted before the first layer moves, so that roles settle once.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from remediators.workspace_cmk.case import Case
from shared.core import refs
from shared.core.effect import Effect, effect
from shared.core.facts import Snapshot, Vault
from shared.core.graph import NEEDED, Plane
from shared.core.keyvaults import drawn, made, purpose
from shared.core.moves import grant, key, vault, workspace
from shared.core.steps import Step

_THREE = ["get", "unwrapKey", "wrapKey"]
_WHO = {"dbfsRoot": refs.STORAGE, "managedDisk": refs.DISKS}


def steps(case: Case) -> tuple[Step, ...]:
    """Return what is left to do; nothing where no vault is chosen, or the chosen one is not to be had."""
    at = case.at
    if at is None or not isinstance(at.vault, Vault):
        return _restart(case)
    return tuple(_steps(case, at, at.vault)) if case.targets or unfinished(case) else _restart(case)


def unfinished(case: Case) -> bool:
    """Whether the disks are on a key of ours whose permissions their identity does not hold: no cluster can start."""
    at, key_ref = case.at, case.workspace.layer("managedDisk").key
    if at is None or not isinstance(at.vault, Vault) or key_ref is None:
        return False
    ours = drawn(case.memory, at.target, purpose("managedDisk", case.choices))
    is_ours = ours is not None and (key_ref.host, key_ref.name) == (at.vault.host, ours.name)
    return is_ours and not _effect(case, at, "managedDisk", "managedDisk").holds


def _steps(case: Case, at: Snapshot, held: Vault) -> Iterator[Step]:
    targets, own, waits = case.targets, case.workspace, unfinished(case)
    if waits:  # no cluster can start: that first
        yield from _grant(case, at, held, "managedDisk", "managedDisk")
    if targets and own.sku not in {workspace.PREMIUM, ""}:  # '' is unknown: the pre-flight stops there
        yield workspace.upgrade(own)
    if not (held.purge_protection and held.soft_delete):
        yield vault.protect(held)
    for layer in dict.fromkeys(purpose(name, case.choices) for name in targets):
        if made(at, case.memory, layer) is None:
            yield key.create(held, layer, case.choices.key_size)
    if "dbfsRoot" in targets and not own.is_prepared:
        yield workspace.prepare(own)
    yield from {it.id: it for it in _first_grants(case, at, held)}.values()
    for layer in targets:
        yield _encrypt(case, at, held, layer)
    if "managedDisk" in targets:
        yield from _grant(case, at, held, "managedDisk", "managedDisk")
    yield from _restart(case, is_due="managedDisk" in targets or waits)


# Who must have the key before the layer moves, by the layer whose identity it is. The disks' own is born with the move
# (AZURE 1.4).
_FIRST = {"managedServices": "managedServices", "dbfsRoot": "dbfsRoot", "managedDisk": "managedServices"}


def _first_grants(case: Case, at: Snapshot, held: Vault) -> Iterator[Step]:
    for who in dict.fromkeys(_FIRST.values()):
        for layer in case.targets:
            if _FIRST[layer] == who:
                yield from _grant(case, at, held, who, layer)


def _encrypt(case: Case, at: Snapshot, held: Vault, layer: str) -> Step:
    which = purpose(layer, case.choices)
    step = workspace.encrypt(
        case.workspace, case.workspace.layer(layer), held.host, refs.key_name(which), refs.key_version(which)
    )
    return replace(step, not_before=_effect(case, at, _FIRST[layer], layer).begins)


def _effect(case: Case, at: Snapshot, who: str, layer: str) -> Effect:
    """Return whether the identity of one layer, `who`, holds the three on the key of a layer."""
    whole = case.graph(at)
    if whole is None:
        return Effect(holds=False)
    name = drawn(case.memory, at.target, purpose(layer, case.choices))
    scope = whole.key_scope(name.name) if name else whole.vault
    return effect(whole, at, case.principal(who), scope, case.choices.settle)


def _grant(case: Case, at: Snapshot, held: Vault, who: str, layer: str) -> Iterator[Step]:
    """Yield what gives the identity of one layer exactly the three on the key of a layer, where it does not hold them."""
    if _effect(case, at, who, layer).holds:
        return
    principal = _WHO.get(who, case.choices.databricks)
    if not held.rbac:
        own = held.policies_of(case.principal(who)) if case.principal(who) else ()
        yield grant.set_policy(held, own, {"keys": _THREE}, principal, grants=True)
        return
    role = grant.STRICT if case.choices.strict_role else grant.NARROW
    step = grant.assign_role(held, str(held.id), role, principal, grants=True)
    if case.choices.grant_at_key:
        step = replace(step, resource=f"{held.id}/keys/{refs.key_name(purpose(layer, case.choices))}")
    yield step


def _restart(case: Case, *, is_due: bool = False) -> tuple[Step, ...]:
    """Return the step that a person confirms, once the disks are on a key and until somebody has."""
    if not is_due and not (case.memory.restart and case.workspace.layer("managedDisk").key):
        return ()
    return (replace(workspace.restart(case.workspace), not_before=_ready(case)),)


def _ready(case: Case) -> datetime | None:
    """Return from when on a cluster can start again: before that nobody must be told to restart one."""
    at = case.at
    return _effect(case, at, "managedDisk", "managedDisk").begins if at else None


assert NEEDED[Plane.POLICIES] == {f"keys/{word.lower()}" for word in _THREE}  # noqa: S101 - one truth, two spellings
