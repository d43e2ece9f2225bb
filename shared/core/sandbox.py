"""Which environments a target belongs to: its own tag, its dependants' tags, and every tag seen there before."""

from shared.core.choices import Choices
from shared.core.control import Memory
from shared.core.facts import Snapshot, Unreadable, Vault, Workspace

LONGEST_NAME = 64  # characters of an environment that count: a tag may hold 256, and is remembered


def environments(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[str, ...]:
    """Return all environment names, in lower case, sorted. Earlier ones count: taking a tag away frees nothing."""
    tag = choices.environment_tag.lower()
    seen = [it.tags.get(tag, "") for it in (snapshot.vault, snapshot.workspace) if isinstance(it, Vault | Workspace)]
    if not isinstance(snapshot.dependants, Unreadable):
        seen += [workspace.tags.get(tag, "") for workspace in snapshot.dependants]
    seen += [*memory.environments, *(nomination.environment for nomination in memory.nominations)]
    return tuple(sorted({name.strip().lower()[:LONGEST_NAME] for name in seen} - {""}))


def is_sandbox(snapshot: Snapshot, memory: Memory, choices: Choices) -> bool:
    """Whether any of its environments is a sandbox: there, what cannot be undone is asked for first."""
    return any(name in choices.sandboxes for name in environments(snapshot, memory, choices))
