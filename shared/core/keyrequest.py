"""What a request for a key of a workspace's own would make, and whether it may: who asks names the workspace and no more.

The vault is the one that a migration would take, the name is drawn, the type is the deployment's choice. What is made is
the key that the next migration of the workspace takes.
"""

from dataclasses import dataclass

from shared.core.choices import LAYERS, Choices
from shared.core.control import Memory
from shared.core.demand import excluded
from shared.core.errors import BadInput, Denied, Refused
from shared.core.facts import Key, Snapshot, Vault, Workspace
from shared.core.keyvaults import around, chosen, drawn, made, purpose, unfit_to_pick, unreadable
from shared.core.moves import key
from shared.core.record import Remediation
from shared.core.steps import Step

CONTROL = "KEY-KNOWN"  # the control that a request is for
SUBJECT = "key request"  # a request has a row of its own, of which no control speaks


def _home(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Workspace, Snapshot, Vault]:
    """Return the workspace and the vault for its keys.

    Raises BadInput without a workspace, Refused where no vault is chosen or the one that is can hold no key.
    """
    workspace = snapshot.workspace
    if not isinstance(workspace, Workspace):
        raise BadInput("NoWorkspace", "there is no such workspace, or it could not be read")
    vault = chosen(workspace, memory, choices)
    if vault is None:
        raise Refused(
            "NoVaultChosen",
            "no vault is chosen for this workspace's keys: name one for its subscription and region in CMK_KEY_VAULTS, "
            "or pick one of those where it is to be migrated (DBX-CMK)",
        )
    at = around(snapshot, vault)
    for reason, said in unfit_to_pick(at.vault if at else None, workspace, choices):
        raise Refused(reason, f"vault {vault.name}, where its keys are to live: {said}")
    assert at is not None and isinstance(at.vault, Vault)  # noqa: S101, PT018 - else it was refused above
    return workspace, at, at.vault


@dataclass(frozen=True, slots=True)
class Supply:
    """Where the workspace's keys are to live, what is left to make, and the names of the keys that are there for it."""

    vault: Vault
    steps: tuple[Step, ...]
    ready: tuple[str, ...]


def supply_of(snapshot: Snapshot, memory: Memory, choices: Choices, request: Remediation | None = None) -> Supply:
    """Return what a request would make: nothing where each purpose has a key that no layer is on, or that was made for it.

    Raises BadInput and Refused as `_home` does, and Denied where nobody can say whether a key is there: a second one must not
    be made.
    """
    workspace, at, vault = _home(snapshot, memory, choices)
    left, ready = [], []
    for layer in _purposes(workspace, choices):
        unread = unreadable(at, memory, layer)
        if unread:
            raise Denied(unread.reason, f"whether its key is there could not be read: {unread.message}")
        found, name = made(at, memory, layer, choices), drawn(memory, at.target, layer)
        is_of_this = request is not None and name is not None and name.time >= request.opened
        if found and (is_of_this or _is_unused(found, workspace, vault)):
            ready.append(found.name)
        else:
            left.append(key.create(vault, layer, choices.key_size))
    return Supply(vault, tuple(left), tuple(ready))


def _purposes(workspace: Workspace, choices: Choices) -> tuple[str, ...]:
    """Return which keys the workspace is to have. Raises Refused where none of its layers is to have one."""
    layers = [it for it in LAYERS if it in choices.layers and not excluded(workspace, it)]
    if not layers:
        raise Refused("NoLayer", "no layer of this workspace is to have a customer-managed key (CMK_LAYERS)")
    return tuple(dict.fromkeys(purpose(it, choices) for it in layers))


def _is_unused(found: Key, workspace: Workspace, vault: Vault) -> bool:
    on = {(it.key.host, it.key.name.lower()) for it in workspace.layers if it.key}
    return (vault.host, found.name.lower()) not in on
