"""Which workspaces must have customer-managed keys, and on which layers: a rule of the deployment's, read off the tags.

A tag that is lowered frees nothing: what was ever seen on the workspace counts until a person says otherwise (DESIGN 5).
"""

from shared.core.choices import LAYERS, Choices
from shared.core.control import Memory
from shared.core.facts import Workspace
from shared.core.sandbox import LONGEST_NAME

CONTROL = "DBX-CMK"  # the control that asks for them


def sensitivities(workspace: Workspace, memory: Memory, choices: Choices) -> tuple[str, ...]:
    """Return how sensitive its data is or was said to be, in lower case, sorted."""
    return _seen(workspace, choices.sensitivity_tag, memory.sensitivities)


def why_sensitive(workspace: Workspace, memory: Memory, choices: Choices) -> str:
    """Say why its data counts as sensitive; '' where it does not."""
    found = (word for word in sensitivities(workspace, memory, choices) if word in choices.sensitive)
    return next((f"its data is or was tagged {choices.sensitivity_tag}={word}" for word in found), "")


def why_required(workspace: Workspace, memory: Memory, choices: Choices) -> str:
    """Say why the workspace must have customer-managed keys; '' where it need not."""
    if choices.all_workspaces:
        return "every workspace must have them (CMK_ALL_WORKSPACES)"
    sensitive = why_sensitive(workspace, memory, choices)
    if sensitive:
        return sensitive
    for word in _seen(workspace, choices.environment_tag, memory.environments):
        if word in choices.key_environments:
            return f"it is or was tagged {choices.environment_tag}={word} (CMK_KEY_ENVIRONMENTS)"
    return ""


def wanting(workspace: Workspace, memory: Memory, choices: Choices) -> tuple[str, ...]:
    """Return the layers that must have a customer-managed key and have none, in the order of a migration.

    One whose change has failed is still to be moved, whatever Azure shows of it.
    """
    undone = memory.pending if workspace.has_failed else ()
    required = choices.layers if why_required(workspace, memory, choices) else frozenset[str]()
    bare = {name for name in required if workspace.layer(name).key is None and not excluded(workspace, name)}
    return tuple(name for name in LAYERS if name in undone or name in bare)


def excluded(workspace: Workspace, layer: str) -> str:
    """Say why a layer can have no customer-managed key at all; '' where it can (AZURE 1.4, 1.5)."""
    if workspace.is_serverless and layer != "managedServices":
        return "a serverless workspace has no such layer of its own"
    if workspace.is_fedramp and layer == "managedDisk":
        return "Azure offers none for the disks of a FedRAMP workspace"
    return ""


def _seen(workspace: Workspace, tag: str, before: tuple[str, ...]) -> tuple[str, ...]:
    words = {word.strip().lower()[:LONGEST_NAME] for word in (workspace.tags.get(tag.lower(), ""), *before)}
    return tuple(sorted(words - {""}))
