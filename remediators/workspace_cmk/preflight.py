"""What must be so before a workspace is migrated: each fact as pass, fail or unknown, with what to do about it.

A check that `stops` lets no step run, whoever says yes: half a migration is worse than none. What the plan itself puts
right does not stop it. Unknown is no pass.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remediators.workspace_cmk.case import Case
from shared.core.control import Finding
from shared.core.facts import Hindrances, Snapshot, Unreadable, Vault
from shared.core.fitness import ending
from shared.core.fitness import unfit as unfit_key
from shared.core.graph import Plane
from shared.core.keyvaults import foreign, made, proposed, purpose, unfit, unreadable
from shared.core.moves.workspace import PREMIUM


@dataclass(frozen=True, slots=True)
class Check:
    """One fact. `stops` is the reason for which nothing is done, '' where something may be."""

    name: str
    result: str  # pass | fail | unknown
    message: str
    todo: str = ""
    stops: str = ""

    def shown(self) -> Mapping[str, Any]:
        """Return it as evidence."""
        return {"check": self.name, "result": self.result, "message": self.message, "todo": self.todo}


def checks(case: Case) -> tuple[Check, ...]:
    """Return every check for a workspace that is to be migrated."""
    return tuple(_checks(case))


def stops(found: tuple[Check, ...]) -> Finding | None:
    """Return the first thing that stops a plan."""
    it = next((check for check in found if check.stops), None)
    return Finding(it.stops, f"{it.name}: {it.message}. {it.todo}".strip()) if it else None


def _checks(case: Case) -> Iterator[Check]:
    yield _tier(case)
    mode = "serverless: managed services only" if case.workspace.is_serverless else "hybrid"
    yield Check("compute mode", "pass", mode)
    yield _provisioning(case)
    yield _lock("workspace locks", case.snapshot)
    yield from _identities(case)
    at = case.at
    if at is None:
        yield _no_vault(case)
        return
    yield Check("vault", "pass", f"{at.target}")
    if not isinstance(at.vault, Vault):
        (why,) = unfit(at.vault, case.workspace, case.choices)
        yield Check("vault is there", "fail", why[1], "pick another, or give the reader its rights", why[0])
        return
    yield from _vault(case, at.vault)
    yield _lock("vault locks", at)
    yield _grants(case, at)
    yield from _keys(case, at)


def _tier(case: Case) -> Check:
    if case.workspace.sku == PREMIUM:
        return Check("tier", "pass", "Premium")
    if not case.workspace.sku:
        todo = "set the tier to Premium by hand, then retry"
        return Check("tier", "unknown", "the workspace is from before there were tiers", todo, "TierUnknown")
    return Check("tier", "fail", f"{case.workspace.sku}: it needs Premium", "the plan's first step upgrades it")


def _provisioning(case: Case) -> Check:
    if not case.workspace.has_failed:
        return Check("other changes", "pass", "none is running")
    said = "the last change of the workspace has failed"
    if case.has_begun:
        return Check("other changes", "fail", said, "the next step of the plan writes it anew")
    todo = "have its owner repeat that change or put it right, then retry"
    return Check("other changes", "fail", said, todo, "WorkspaceHasFailed")


def _lock(name: str, snapshot: Snapshot) -> Check:
    if not isinstance(snapshot.hindrances, Hindrances):
        why = snapshot.hindrances.message if isinstance(snapshot.hindrances, Unreadable) else "nobody has asked"
        return Check(name, "unknown", why, "give the reader its rights, then retry", "LocksUnknown")
    shut = [it.name for it in snapshot.hindrances.locks if it.level.lower() == "readonly"]
    if shut:
        todo = "take it off for the time of the migration, then retry"
        return Check(name, "fail", f"a ReadOnly lock stands against every write: {', '.join(shut[:5])}", todo, "Locked")
    return Check(name, "pass", "none that stops a write")


def _identities(case: Case) -> Iterator[Check]:
    if not {"managedServices", "managedDisk"} & set(case.targets):
        return
    if case.choices.databricks:
        yield Check("AzureDatabricks", "pass", f"object id {case.choices.databricks}")
        return
    todo = "set CMK_DATABRICKS_PRINCIPAL_ID: az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --query id"
    yield Check("AzureDatabricks", "unknown", "its object id is not set", todo, "DatabricksPrincipalUnknown")


def _no_vault(case: Case) -> Check:
    proposal = proposed(case.workspace, case.choices)
    more = f" (its tag proposes {proposal})" if proposal else ""
    todo = f"pick one of the vaults under `eligible`{more}, or name one for its place in CMK_KEY_VAULTS"
    return Check("vault", "fail", "none is chosen for this workspace's keys", todo, "NoVaultChosen")


def _vault(case: Case, vault: Vault) -> Iterator[Check]:
    found = dict(unfit(vault, case.workspace, case.choices))
    todo = "pick another vault"
    for name, reason, fine in (
        ("tenant", "TenantUnknown" if "TenantUnknown" in found else "VaultInAnotherTenant", vault.tenant),
        ("region", "VaultInAnotherRegion", vault.location),
        ("network", "VaultUnreachable", "Azure's own services get in"),
    ):
        if reason in found:
            is_unknown = reason == "TenantUnknown" or (reason == "VaultUnreachable" and vault.trusts_azure is None)
            yield Check(name, "unknown" if is_unknown else "fail", found[reason], todo, reason)
        else:
            yield Check(name, "pass", fine)
    if vault.purge_protection and vault.soft_delete:
        yield Check("recovery", "pass", "soft delete and purge protection are on")
    else:
        yield Check("recovery", "fail", "soft delete or purge protection is off", "the plan turns both on")


def _grants(case: Case, at: Snapshot) -> Check:
    """Say who may do what with the keys of the vault: whoever approves should know in whose company a key would be."""
    whole = case.graph(at)
    if whole is None or isinstance(at.roles, Unreadable) or (at.roles is None and whole.plane is Plane.ROLES):
        said = at.roles.message if isinstance(at.roles, Unreadable) else "nobody has asked"
        return Check("who holds what", "unknown", said, "give the reader its rights, then retry", "GrantsUnknown")
    held = sorted({it.principal for it in whole.grants if it.plane is whole.plane and it.allows})
    named = f": {', '.join(held[:10])}" if held else ""
    return Check("who holds what", "pass", f"the vault goes by {whole.plane}; {len(held)} hold something there{named}")


def _keys(case: Case, at: Snapshot) -> Iterator[Check]:
    for layer in dict.fromkeys(purpose(name, case.choices) for name in case.targets):
        name = f"key of {layer}" if layer else "key"
        strange, key = foreign(at, case.memory, layer, case.choices), made(at, case.memory, layer, case.choices)
        unread = unreadable(at, case.memory, layer)
        if unread:
            yield Check(name, "unknown", unread.message, "give the reader its rights, then retry", "KeyNotReadable")
        elif strange:
            said = f"there is a key {strange.name} in the vault that cmkwarden did not make"
            yield Check(name, "fail", said, "retry: another name is drawn", "KeyNotOurs")
        elif key is None:
            yield Check(name, "pass", f"a new one is made: RSA {case.choices.key_size}, wrapKey and unwrapKey")
        else:
            found = (*unfit_key(key, case.now), *ending(key, case.choices, case.now))
            reason, said = next(iter(found), ("", f"{key.name}: {key.kind} {key.size}"))
            todo = "put the key right, then retry" if reason else ""
            yield Check(name, "fail" if reason else "pass", said, todo, reason)
