"""The way from platform keys to a key of the workspace's own, in an order in which it works at every moment.

    upgrade tier - protect vault - make key - prepare DBFS - grant who asks - [settle] - managed services, DBFS root,
    managed disks - grant the disks' identity, which only now exists - [settle] - restart compute (a person)

All that can be granted is granted before the first layer moves, so that roles settle once.
"""

from collections.abc import Iterator
from dataclasses import replace

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
    waiting = tuple(_let_in(case))
    if case.targets and at is not None and isinstance(at.vault, Vault):
        return (*waiting, *_steps(case, at, at.vault))
    return waiting or _restart(case)


def unfinished(case: Case) -> bool:
    """Whether a migration of ours has put the disks on a key that their identity does not hold yet: no cluster can start."""
    at = _of_the_disks(case)
    return at is not None and isinstance(at.vault, Vault) and not _of_their_key(case, at).holds


def _of_the_disks(case: Case) -> Snapshot | None:
    """Return what was read of the vault that the disks are on since our migration; by what they say, not by what was planned."""
    key_ref = case.workspace.layer("managedDisk").key
    found = case.snapshot.vaults.get(key_ref.host) if key_ref and case.memory.restart else None
    return found if isinstance(found, Snapshot) else None


def _of_their_key(case: Case, at: Snapshot) -> Effect:
    whole, key_ref = case.graph(at), case.workspace.layer("managedDisk").key
    if whole is None or key_ref is None:
        return Effect(holds=False)
    scope = whole.key_scope(key_ref.name)
    return effect(whole, at, case.principal("managedDisk"), scope, case.choices.settle)


def _let_in(case: Case) -> Iterator[Step]:
    """Yield the grant that the disks wait for, and then the restart: that first, whatever else is left."""
    at, key_ref = _of_the_disks(case), case.workspace.layer("managedDisk").key
    if at is None or key_ref is None or not isinstance(at.vault, Vault) or _of_their_key(case, at).holds:
        return
    step = _granted(case, at.vault, "managedDisk", "managedDisk")
    yield replace(step, urgent=True)
    if not case.targets:
        yield workspace.restart(case.workspace)


def _steps(case: Case, at: Snapshot, held: Vault) -> Iterator[Step]:
    targets, own = case.targets, case.workspace
    if own.sku not in {workspace.PREMIUM, ""}:  # '' is unknown: the pre-flight stops there
        yield workspace.upgrade(own)
    if not (held.purge_protection and held.soft_delete):
        yield vault.protect(held)
    for layer in dict.fromkeys(purpose(name, case.choices) for name in targets):
        if made(at, case.memory, layer, case.choices) is None:
            yield key.create(held, layer, case.choices.key_size)
    if "dbfsRoot" in targets and not own.is_prepared:
        yield workspace.prepare(own)
    yield from {it.id: it for it in _first_grants(case, at, held)}.values()
    for layer in targets:
        yield _encrypt(case, at, held, layer)
    if "managedDisk" in targets:
        yield from _grant(case, at, held, "managedDisk", "managedDisk")
    if "managedDisk" in targets or case.memory.restart:
        yield workspace.restart(own)


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
    if _WHO.get(who, case.choices.databricks) and not _effect(case, at, who, layer).holds:
        yield _granted(case, held, who, layer)


def _granted(case: Case, held: Vault, who: str, layer: str) -> Step:
    principal = _WHO.get(who, case.choices.databricks)
    if not held.rbac:
        own = held.policies_of(case.principal(who)) if case.principal(who) else ()
        return grant.set_policy(held, own, {"keys": _THREE}, principal, grants=True)
    role = grant.STRICT if case.choices.strict_role else grant.NARROW
    step = grant.assign_role(held, str(held.id), role, principal, grants=True)
    if not case.choices.grant_at_key:
        return step
    return replace(step, resource=f"{held.id}/keys/{refs.key_name(purpose(layer, case.choices))}")


def _restart(case: Case) -> tuple[Step, ...]:
    """Return the step that a person confirms, once a cluster could start and until somebody has restarted them."""
    at = _of_the_disks(case)
    found = _of_their_key(case, at) if at else Effect(holds=False)
    return (replace(workspace.restart(case.workspace), not_before=found.begins),) if found.holds else ()


assert NEEDED[Plane.POLICIES] == {f"keys/{word.lower()}" for word in _THREE}  # noqa: S101 - one truth, two spellings
