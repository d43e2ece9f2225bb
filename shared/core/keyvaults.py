"""Where the keys of a workspace live: the vault that the deployment or a person has chosen, and the keys drawn for it.

A tag on the workspace only proposes. What authorises is CMK_KEY_VAULTS, and a person's pick among its vaults (DESIGN 5).
"""

from collections.abc import Iterator, Mapping

from shared.core import ids, refs
from shared.core.choices import LAYERS, Choices
from shared.core.control import Drawn, Memory
from shared.core.errors import BadInput
from shared.core.facts import Absent, Key, Snapshot, Unreadable, Vault, Workspace
from shared.core.ids import ResourceId
from shared.core.moves.key import is_ours

MOST = 20  # vaults of CMK_KEY_VAULTS that are looked at where none is chosen


def chosen(workspace: Workspace, memory: Memory, choices: Choices) -> ResourceId | None:
    """Return the vault for a workspace's keys: a person's pick, else the one that the deployment names for its place."""
    allowed = {it.vault.key: it.vault for it in choices.key_vaults}
    if memory.picked and memory.picked.vault.lower() in allowed:
        return allowed[memory.picked.vault.lower()]
    place = (workspace.id.subscription.lower(), workspace.location)
    return next((it.vault for it in choices.key_vaults if (it.subscription, it.region) == place), None)


def proposed(workspace: Workspace, choices: Choices) -> str:
    """Return the vault that the workspace's tag proposes, where it is an id of one; '' else."""
    try:
        vault = ids.parse(workspace.tags.get(choices.vault_proposal_tag.lower()))
    except BadInput:
        return ""
    return str(vault) if vault.kind == ids.VAULT else ""


def unfit(
    vault: Vault | Unreadable | Absent | None, workspace: Workspace, choices: Choices
) -> Iterator[tuple[str, str]]:
    """Yield why a vault cannot hold the keys of a workspace, as a reason and a sentence; nothing where it can."""
    if not isinstance(vault, Vault):
        said = vault.message if isinstance(vault, Unreadable) else "there is no such vault"
        yield "VaultNotReadable", f"the vault could not be read: {said}"
        return
    ours = workspace.tenant or choices.tenant
    if not (vault.tenant and ours):
        yield "TenantUnknown", "whether the vault and the workspace are of one tenant cannot be told (CMK_TENANT_ID)"
    elif vault.tenant != ours:
        yield "VaultInAnotherTenant", f"the vault belongs to tenant {vault.tenant}, the workspace to {ours}"
    if vault.location != workspace.location and not workspace.is_serverless:
        yield (
            "VaultInAnotherRegion",
            (
                f"the vault is in {vault.location}, the workspace in {workspace.location}: disks and DBFS need one region"
            ),
        )
    if vault.trusts_azure is not True:
        yield (
            "VaultUnreachable",
            ("its firewall does not let Azure's own services in, or nobody can say: allow trusted Microsoft services"),
        )


def eligible(snapshot: Snapshot, workspace: Workspace, choices: Choices) -> list[str]:
    """Return the vaults that a person may pick: allowed by the deployment, in place, reachable, and protected."""
    allowed = {it.vault.key for it in choices.key_vaults}
    found = [it for it in snapshot.vaults.values() if isinstance(it, Snapshot) and it.target.key in allowed]
    return sorted(str(it.target) for it in found if not any(unfit_to_pick(it.vault, workspace, choices)))


def unfit_to_pick(
    vault: Vault | Unreadable | Absent | None, workspace: Workspace, choices: Choices
) -> Iterator[tuple[str, str]]:
    """Yield why a person may not pick a vault: what makes it unfit, and that it is not protected yet."""
    yield from unfit(vault, workspace, choices)
    if isinstance(vault, Vault) and not (vault.purge_protection and vault.soft_delete):
        yield "VaultNotProtected", "soft delete or purge protection is off: turn both on first"


def around(snapshot: Snapshot, vault: ResourceId) -> Snapshot | None:
    """Return what was read of a vault around a workspace."""
    found = (it for it in snapshot.vaults.values() if isinstance(it, Snapshot) and it.target == vault)
    return next(found, None)


def purpose(layer: str, choices: Choices) -> str:
    """Return which key a layer is to have: its own, or '' for the one that serves the whole workspace."""
    return layer if choices.key_per_layer else ""


def drawn(memory: Memory, vault: ResourceId, layer: str) -> Drawn | None:
    """Return the name that was drawn for a key in a vault; the last one counts."""
    found = [it for it in memory.drawn if it.vault == vault.key and it.layer == layer]
    return found[-1] if found else None


def made(at: Snapshot, memory: Memory, layer: str, choices: Choices) -> Key | None:
    """Return the key under a drawn name, where there is one and it is ours: at the version that was found to be."""
    name = drawn(memory, at.target, layer)
    key = at.keys.get(name.name) if name else None
    if not isinstance(key, Key) or name is None:
        return None
    is_known = name.version == key.version if name.version else is_ours(key, name.time, choices.key_size)
    return key if is_known else None


def foreign(at: Snapshot, memory: Memory, layer: str, choices: Choices) -> Drawn | None:
    """Return a drawn name under which there is a key that we did not make."""
    name = drawn(memory, at.target, layer)
    is_there = name is not None and isinstance(at.keys.get(name.name), Key)
    return name if is_there and made(at, memory, layer, choices) is None else None


def unreadable(at: Snapshot, memory: Memory, layer: str) -> Unreadable | None:
    """Return why nobody can say what lies under a drawn name."""
    name = drawn(memory, at.target, layer)
    found = at.keys.get(name.name) if name else None
    return found if isinstance(found, Unreadable) else None


def values(snapshot: Snapshot, memory: Memory, choices: Choices) -> Mapping[str, str]:
    """Return what the references in the steps of a migration stand for now."""
    workspace = snapshot.workspace
    if not isinstance(workspace, Workspace):
        return {}
    found = {
        refs.STORAGE: workspace.layer("dbfsRoot").principal,
        refs.DISKS: workspace.layer("managedDisk").principal,
    }
    disks = workspace.layer("managedDisk").key
    if disks:  # what they are on stays to be let in, whatever vault is chosen by now
        found[refs.key_name(purpose("managedDisk", choices))] = disks.name
    vault = chosen(workspace, memory, choices)
    at = around(snapshot, vault) if vault else None
    if at is None:
        return found
    for layer in {purpose(name, choices) for name in LAYERS}:
        name, key = drawn(memory, at.target, layer), made(at, memory, layer, choices)
        found |= {refs.key_version(layer): key.version if key else ""}
        found[refs.key_name(layer)] = name.name if name else found.get(refs.key_name(layer), "")
    return found
