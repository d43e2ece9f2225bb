"""Who shares a key with whom, by the tags of the workspaces. Rules are named for the violation; all are pure.

workspaces of one key                      verdict
two different tenants, or environments     NonCompliant
one of them lacks a tag                    Unknown: missing is not equal
one is only remembered                     Unknown, until it is read, or the sweep has looked for it
all tags alike, or one workspace           Compliant
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.choices import Choices
from shared.core.control import Compliant, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.facts import Snapshot, Unreadable, Workspace
from shared.core.graph import graph
from shared.core.ids import NAME_OF_A_KEY
from shared.core.sandbox import LONGEST_NAME
from shared.core.scope import InScope, cmk_vault

ID = "KEY-SHARED"
_SHOWN = 20  # workspaces in the evidence


@dataclass(frozen=True, slots=True)
class User:
    """A workspace that uses a key, and what its tags say; '' where they say nothing, or where we only remember it."""

    workspace: str
    tenant: str = ""
    environment: str = ""
    is_remembered: bool = False


def assess(snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Verdict, ...]:
    """Return every verdict on the keys of one vault. Where the workspaces could not be read nothing is said of a key."""
    scope = cmk_vault(snapshot, memory, choices)
    if isinstance(scope, NotApplicable):
        return scope, *(NotApplicable(scope.finding, it) for it in memory.subjects_of(ID))
    if not isinstance(scope, InScope):
        return (scope,)
    if isinstance(snapshot.dependants, Unreadable):
        said = f"the workspaces that use the keys could not be read: {snapshot.dependants.message}"
        return (Unknown(Finding(snapshot.dependants.reason, said)),)
    users = _users(snapshot, memory, choices)
    judged = [_judged(key, it) for key, it in users.items() if len(it) > 1]
    named = {it.subject for it in judged}
    ended = [_ended(key, users, snapshot, memory) for key in memory.subjects_of(ID) if key not in named]
    evidence = {"keys": len(users), "shared": len(judged), "tags": [choices.tenant_tag, choices.environment_tag]}
    whole = Compliant(Finding("Judged", "every key that a workspace is known to use was looked at", evidence))
    return (whole, *judged, *ended)


def key_serves_two_tenants(users: Mapping[str, User]) -> bool:
    """Two tenants are named. Who names none may be any."""
    return len({it.tenant for it in users.values()} - {""}) > 1


def key_serves_two_environments(users: Mapping[str, User]) -> bool:
    """Two environments are named."""
    return len({it.environment for it in users.values()} - {""}) > 1


def nobody_knows_whose_key_it_is(users: Mapping[str, User]) -> bool:
    """A tag is missing, or nobody has read it: that is no tag like the others'."""
    return any(not it.tenant or not it.environment for it in users.values())


def _judged(key: str, users: Mapping[str, User]) -> Verdict:
    evidence: dict[str, Any] = {
        "key": key,
        "workspaces": len(users),
        "used_by": [_shown(users[name]) for name in sorted(users)[:_SHOWN]],
    }  # fmt: skip
    many = f"{len(users)} workspaces use key {key}"
    if key_serves_two_tenants(users):
        return NonCompliant(Finding("SharedByTenants", f"{many}, of different tenants", evidence), key)
    if key_serves_two_environments(users):
        return NonCompliant(Finding("SharedByEnvironments", f"{many}, of different environments", evidence), key)
    if any(it.is_remembered for it in users.values()):
        return Unknown(Finding("NotAllSeen", f"{many}, one of which Resource Graph does not show now", evidence), key)
    if nobody_knows_whose_key_it_is(users):
        said = f"{many}, and one of them does not say whose it is: a tag is missing, and missing is not equal"
        return Unknown(Finding("TagsMissing", said, evidence), key)
    return Compliant(Finding("SharedAlike", f"{many}, of one tenant and one environment", evidence), key)


def _shown(user: User) -> dict[str, Any]:
    return {
        "workspace": user.workspace,
        "tenant": user.tenant[:LONGEST_NAME],
        "environment": user.environment[:LONGEST_NAME],
        "remembered": user.is_remembered,
    }


def _ended(key: str, users: Mapping[str, Mapping[str, User]], snapshot: Snapshot, memory: Memory) -> Verdict:
    """Say that a key is shared no more, if that is known: of who was seen with it once, each was read now."""
    once = {it.workspace for it in memory.identities if it.key.lower() == key}
    seen = {it.id.key for it in _read(snapshot)}
    if not snapshot.is_complete and once - seen:
        said = f"a workspace that used key {key} once is not shown by Resource Graph: the sweep looks for it"
        return Unknown(Finding("NotAllSeen", said, {"key": key, "missing": sorted(once - seen)[:_SHOWN]}), key)
    said = f"{len(users.get(key, {}))} workspace(s) use key {key}: nobody shares it"
    return Compliant(Finding("NotShared", said, {"key": key}), key)


def _users(snapshot: Snapshot, memory: Memory, choices: Choices) -> dict[str, dict[str, User]]:
    """Return who uses each key: by the key's name in lower case, then by the workspace's id in lower case."""
    read = {it.id.key: it for it in _read(snapshot)}
    whole = graph(snapshot, memory, choices)
    found: dict[str, dict[str, User]] = defaultdict(dict)
    for use in whole.uses if whole else ():
        if NAME_OF_A_KEY.fullmatch(use.key):  # there can be no other key
            name = use.workspace.lower()
            found[use.key.lower()][name] = _user(use.workspace, read.get(name), choices)
    return dict(sorted(found.items()))


def _user(name: str, workspace: Workspace | None, choices: Choices) -> User:
    if workspace is None:
        return User(name, is_remembered=True)

    def tag(wanted: str) -> str:
        return workspace.tags.get(wanted.lower(), "").strip().lower()

    return User(name, tag(choices.tenant_tag), tag(choices.environment_tag))


def _read(snapshot: Snapshot) -> Iterator[Workspace]:
    yield from () if isinstance(snapshot.dependants, Unreadable) else snapshot.dependants
