"""What a look teaches for the next one: who named whom, which environments were seen, what once was a CMK vault.

A workspace that names a vault wakes that vault, and leaves word of it there: Resource Graph may not know yet.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.core import ids
from shared.core.choices import Choices
from shared.core.control import Memory, Named, Nomination, NonCompliant, Once, Unknown
from shared.core.demand import sensitivities
from shared.core.facts import Absent, Snapshot, Unreadable, Vault, Workspace
from shared.core.graph import Graph, graph
from shared.core.ids import ResourceId
from shared.core.lost import missed, seen_alive
from shared.core.ports import Ports
from shared.core.sandbox import LONGEST_NAME, environments
from shared.core.settle import Look
from shared.core.sights import sights
from shared.core.wake import Cause
from shared.flow.messages import EVALUATE, LAST_ATTEMPT, LOOKS_AT_NOTHING, Evaluate
from shared.flow.say import say
from shared.flow.surround import found_around
from shared.flow.work import later

_log = logging.getLogger("cmkwarden.learn")

_MOST_NOMINATIONS = 30  # kept of a vault; a vault with more workspaces is in scope whatever the rest say

_MOST_ENVIRONMENTS = 30
_MOST_IDENTITIES = 200
_MOST_SUBJECTS = 1000


def learn(ports: Ports, snapshot: Snapshot, message: Evaluate, memory: Memory) -> None:
    """Keep what this look teaches. Of a workspace: wake every vault that it names or named."""
    vaults = _name_vaults(ports, snapshot, message, memory) if snapshot.workspace else memory.vaults

    def lesson(before: Memory) -> Memory:
        return replace(learned(snapshot, before, ports.choices, ports.clock.now()), vaults=vaults)

    if lesson(memory) != memory:
        ports.records.remember(message.target, lesson)


def know_subjects(ports: Ports, target: ResourceId, memory: Memory, looks: Sequence[Look]) -> None:
    """Remember, before any row is opened, what it is about: what is found compliant later must find it again."""
    found = [
        f"{it.control} {it.verdict.subject}"
        for it in looks
        if it.verdict.subject and isinstance(it.verdict, NonCompliant | Unknown)
    ]
    fresh = [subject for subject in found if subject not in memory.subjects]

    def lesson(before: Memory) -> Memory:
        return replace(before, subjects=tuple(dict.fromkeys([*fresh, *before.subjects]))[:_MOST_SUBJECTS])

    if fresh:
        ports.records.remember(target, lesson)


def learned(snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> Memory:
    """Return the memory with what this snapshot adds to it. Nothing is taken away."""
    # Sandboxes first: of more environments than are kept, those that make us ask must not be lost.
    seen = sorted(environments(snapshot, memory, choices), key=lambda name: (name not in choices.sandboxes, name))
    after = replace(memory, environments=tuple(seen[:_MOST_ENVIRONMENTS]))
    if isinstance(snapshot.workspace, Workspace):
        words = sensitivities(snapshot.workspace, memory, choices)
        # Those that ask for keys first: of more than are kept they must not be lost.
        kept = sorted(words, key=lambda word: (word not in choices.sensitive, word))[:_MOST_ENVIRONMENTS]
        return replace(_of_this(after, snapshot.workspace), sensitivities=tuple(kept))
    if not isinstance(snapshot.vault, Vault):
        return missed(snapshot, after, now)
    tag, value = choices.vault_tag
    tagged = snapshot.vault.tags.get(tag.lower(), "").strip().lower() == value.lower()
    used = bool(snapshot.dependants) and not isinstance(snapshot.dependants, Unreadable)
    whole = graph(snapshot, memory, choices)
    was_cmk_vault = memory.was_cmk_vault or tagged or used or bool(memory.nominations)
    return replace(
        seen_alive(snapshot, after, choices) if was_cmk_vault else after,
        was_cmk_vault=was_cmk_vault,
        identities=_identities(whole, memory),
        sights=sights(snapshot, whole, memory, now) if choices.grace else memory.sights,
    )


def _of_this(memory: Memory, workspace: Workspace) -> Memory:
    """Return the memory without what was learnt of another workspace that had the same name: its keys stay its own."""
    if memory.number and workspace.number and memory.number != workspace.number:
        memory = replace(memory, drawn=(), picked=None, restart=None, pending=(), moving=())
    if workspace.is_settled and not workspace.has_failed:
        memory = replace(memory, pending=(), moving=())
    return replace(memory, number=workspace.number or memory.number)


def _identities(whole: Graph | None, memory: Memory) -> tuple[Once, ...]:
    """Return the identities of workspaces that ever asked for a key here: a workspace may go, its grants stay."""
    seen = [
        Once(it.principal, it.layer, it.workspace.lower(), it.key)
        for it in (whole.uses if whole else ())
        if it.principal
    ]
    return tuple(dict.fromkeys([*memory.identities, *seen]))[:_MOST_IDENTITIES]


def _name_vaults(ports: Ports, snapshot: Snapshot, message: Evaluate, memory: Memory) -> tuple[str, ...]:
    """Wake the vaults, and return those that are named now."""
    workspace = snapshot.workspace
    if isinstance(workspace, Absent) and message.attempt >= LOOKS_AT_NOTHING:
        for vault in memory.vaults:
            _wake(ports, ids.parse(vault), message, whole=True)
        return ()
    if not isinstance(workspace, Workspace):
        return memory.vaults
    names = [host.split(".", 1)[0] for host in workspace.hosts()]
    found: Mapping[str, str] = found_around(snapshot)
    if not set(names) <= set(found):
        found = ports.inventory.vaults_named(names)
    named = tuple(found[name] for name in names if name in found)
    # Once they were woken only what was still missing is news.
    due = set(named) - set(memory.vaults) if message.woken else dict.fromkeys([*named, *memory.vaults])
    for vault in due:
        target = ids.parse(vault)
        if vault in named:
            _nominate(ports, target, workspace)
        _wake(ports, target, message, whole=vault not in named)
    if len(named) < len(names):
        _ask_again(ports, message, [name for name in names if name not in found])
    return named


def _wake(ports: Ports, vault: ResourceId, message: Evaluate, *, whole: bool) -> None:
    """Have a vault looked at; as a whole where a workspace has left it, for its identities have no business there now."""
    say(_log, "woke", target=vault, workspace=message.target, cause=message.cause.id)
    cause = Cause("workspace", str(message.target), message.cause.actor)
    ports.queue.send(EVALUATE, Evaluate(vault, cause, whole=whole).body())


def wake_users(ports: Ports, snapshot: Snapshot, message: Evaluate) -> None:
    """Have the workspaces looked at that use a vault: the sweep found it changed, and what lies in it is theirs.

    Not night after night for one that is gone: nothing lies in it.
    """
    is_gone = isinstance(snapshot.vault, Absent)
    users = () if is_gone or isinstance(snapshot.dependants, Unreadable) else snapshot.dependants
    for workspace in users:
        ports.queue.send(EVALUATE, Evaluate(workspace.id, message.cause, woken=True).body())


def _ask_again(ports: Ports, message: Evaluate, missing: list[str]) -> None:
    """Resource Graph does not know these vaults yet, or they are not in our estate: look again, but not for ever."""
    say(_log, "missed", logging.WARNING, target=message.target, vaults=",".join(missing), cause=message.cause.id)
    if message.attempt < LAST_ATTEMPT:
        again = replace(message, attempt=message.attempt + 1, waited=False, woken=True)
        ports.queue.send(EVALUATE, again.body(), later(ports, message.attempt))


def _nominate(ports: Ports, vault: ResourceId, workspace: Workspace) -> None:
    tag = ports.choices.environment_tag.lower()
    host = f"{vault.name.lower()}."
    layers = tuple(
        Named(it.name, it.key.name, it.principal) for it in workspace.layers if it.key and it.key.host.startswith(host)
    )
    fresh = Nomination(str(workspace.id), workspace.tags.get(tag, "")[:LONGEST_NAME], layers)

    def lesson(before: Memory) -> Memory:
        others = [it for it in before.nominations if it.workspace.lower() != workspace.id.key]
        return replace(before, nominations=(fresh, *others)[:_MOST_NOMINATIONS])

    ports.records.remember(vault, lesson)
