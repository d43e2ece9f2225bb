"""Where each layer stands. Azure's own word proves nothing: a disk may be put on a key that does not exist (AZURE 0.1).

So a layer counts as encrypted under a customer's key only where that key was found, works, cannot be purged, and is
open to whoever asks for it. Rules are named for the violation; the first that holds is the reason.
"""

from collections.abc import Iterator

from remediators.workspace_cmk.case import Case, Standing, State
from shared.core.choices import LAYERS
from shared.core.control import Finding
from shared.core.demand import excluded
from shared.core.effect import effect
from shared.core.facts import Absent, Key, KeyRef, Layer, Snapshot, Unreadable, Vault
from shared.core.fitness import unfit
from shared.core.graph import Plane
from shared.core.moves.workspace import PREMIUM


def assess(case: Case) -> tuple[State, ...]:
    """Return where each layer stands."""
    return tuple(_assess(case, case.workspace.layer(name)) for name in LAYERS)


def _assess(case: Case, layer: Layer) -> State:
    why = excluded(case.workspace, layer.name)
    if why:
        return State(layer.name, Standing.EXCLUDED, Finding("LayerNotThere", why))
    if layer.key is None:
        return _on_a_platform_key(case, layer)
    evidence = {"vault": layer.key.host, "key": layer.key.name, "version": layer.key.version}
    standing, reason, message = next(_rules(case, layer, layer.key))
    return State(layer.name, standing, Finding(reason, message, evidence))


def _on_a_platform_key(case: Case, layer: Layer) -> State:
    if layer.name not in case.targets:
        why = "no rule asks for a customer-managed key here"
        return State(layer.name, Standing.EXCLUDED, Finding("NotRequired", why))
    if case.workspace.sku not in {PREMIUM, ""}:
        why = f"it is under a platform key, and the {case.workspace.sku} plan offers no other: it needs Premium"
        return State(layer.name, Standing.PLATFORM, Finding("NeedsPremium", why))
    prepared = layer.name == "dbfsRoot" and case.workspace.is_prepared
    more = "; it is prepared for another, which is no encryption yet" if prepared else ""
    return State(layer.name, Standing.PLATFORM, Finding("PlatformKey", f"it is under a platform key{more}"))


def _rules(case: Case, layer: Layer, key: KeyRef) -> Iterator[tuple[Standing, str, str]]:
    at = case.snapshot.vaults.get(key.host)
    if not isinstance(at, Snapshot):
        said = at.message if isinstance(at, Unreadable) else "deleted, of another tenant, or out of our sight"
        yield Standing.UNKNOWN, "VaultNotSeen", f"no vault {key.host} can be seen: {said}"
        return
    if not isinstance(at.vault, Vault):
        yield from _without_a_vault(at.vault)
        return
    yield from _of_the_vault(case, layer, at.vault)
    named = f"{key.name}/{key.version}" if key.version else key.name
    yield from _of_the_key(case, named, at.keys.get(named))
    yield from _of_the_grant(case, layer, key, at)
    if case.workspace.has_failed:
        said = "the last change of the workspace has failed: what Azure says of its layers is no proof"
        yield Standing.UNKNOWN, "WorkspaceHasFailed", said
    yield Standing.SOUND, "OnCustomerKey", "it is under a customer-managed key that was found sound"


def _without_a_vault(vault: Unreadable | Absent | None) -> Iterator[tuple[Standing, str, str]]:
    if isinstance(vault, Unreadable):
        yield Standing.UNKNOWN, vault.reason, f"its vault could not be read: {vault.message}"
    else:
        yield Standing.DEFECT, "VaultIsGone", "Azure says that its vault does not exist: deleted, or never there"


def _of_the_vault(case: Case, layer: Layer, vault: Vault) -> Iterator[tuple[Standing, str, str]]:
    ours = case.workspace.tenant or case.choices.tenant
    if vault.tenant and ours and vault.tenant != ours:
        yield Standing.DEFECT, "VaultInAnotherTenant", f"its vault belongs to tenant {vault.tenant}"
    if layer.name != "managedServices" and vault.location != case.workspace.location:
        yield Standing.DEFECT, "VaultInAnotherRegion", f"its vault is in {vault.location}, the workspace is not"
    if not vault.purge_protection or vault.soft_delete is not True:
        yield Standing.DEFECT, "VaultNotProtected", "its key can be purged, and all data under it lost for ever"
    if vault.trusts_azure is False:
        yield Standing.DEFECT, "VaultUnreachable", "the firewall of its vault does not let Azure's own services in"
    # What is certainly wrong comes before what cannot be told.
    if not (vault.tenant and ours):
        yield Standing.UNKNOWN, "TenantUnknown", "whether its vault is of the workspace's tenant cannot be told"
    if vault.trusts_azure is None:
        yield Standing.UNKNOWN, "ReachUnknown", "whether Azure's own services get through to its vault cannot be told"


def _of_the_key(case: Case, named: str, key: Key | Unreadable | Absent | None) -> Iterator[tuple[Standing, str, str]]:
    if isinstance(key, Unreadable) or key is None:
        said = key.message if key else "nobody has asked"
        yield Standing.UNKNOWN, "KeyNotReadable", f"its key could not be read: {said}"
        return
    if isinstance(key, Absent):
        said = (
            f"its vault has no key {named}: its data cannot be read. Recover the key, if it was deleted, or restore it"
        )
        yield Standing.DEFECT, "KeyIsMissing", said
        return
    for reason, message in unfit(key, case.now):
        yield Standing.DEFECT, reason, message


def _of_the_grant(case: Case, layer: Layer, key: KeyRef, at: Snapshot) -> Iterator[tuple[Standing, str, str]]:
    principal, whole = case.principal(layer.name), case.graph(at)
    if isinstance(at.roles, Unreadable):
        yield Standing.UNKNOWN, at.roles.reason, f"who may use its key could not be read: {at.roles.message}"
        return
    if isinstance(at.hindrances, Unreadable):
        yield (
            Standing.UNKNOWN,
            at.hindrances.reason,
            f"what stands against its grant is not known: {at.hindrances.message}",
        )
        return
    if at.roles is None and whole is not None and whole.plane is Plane.ROLES:
        yield Standing.UNKNOWN, "GrantsUnknown", "who may use its key is not known: nobody has asked"
        return
    if not principal or whole is None:
        named = "CMK_DATABRICKS_PRINCIPAL_ID is not set" if layer.name == "managedServices" else "Azure names none"
        yield Standing.UNKNOWN, "IdentityUnknown", f"who asks for its key is not known: {named}"
        return
    scope = whole.key_scope(key.name)
    found = effect(whole, at, principal, scope, case.choices.settle)
    if found.by(case.now):
        return
    if found.holds:
        yield (
            Standing.UNKNOWN,
            "GrantIsYoung",
            f"its grant is young: it counts from {found.begins:%Y-%m-%d %H:%M} UTC on",
        )
    if layer.name == "managedDisk" and case.memory.restart:  # a migration of ours is about to let them in
        yield Standing.UNKNOWN, "GrantOutstanding", "its identity is not let in yet: the next step of the migration is"
    use = next((it for it in whole.uses if it.layer == layer.name), None)
    if use is None or whole.lacks(use):
        lacks = ", ".join(sorted(whole.lacks(use))) if use else "all"
        yield (
            Standing.DEFECT,
            "KeyPermissionMissing",
            (f"{principal} lacks {lacks} on its key: nothing under it can be read or written"),
        )
    yield Standing.UNKNOWN, "GrantNotSure", "its grant hangs on a group, a condition or a time: it may not hold"
