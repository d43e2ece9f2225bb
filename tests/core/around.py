"""What a case of a workspace says, as facts: the workspace, the vaults around it, what we remember and have chosen.

A case holds `workspace`, `hindrances` and `vaults`. A vault stands under its host, with its body as `vault`, and with
`roles`, `hindrances` and `keys`; a key stands under its name, or name/version, with its body and how many `versions` it
has. What is not there is "absent", what may not be read "unreadable".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.core import ids, parse, words
from shared.core.choices import Choices, Mode, VaultScope
from shared.core.control import Alive, Drawn, Given, Lost, Memory, Named, Nomination, Once, Picked
from shared.core.facts import (
    Absent,
    Contents,
    Deleted,
    HeldKey,
    Hindrances,
    Key,
    LogSetting,
    Roles,
    Snapshot,
    Unreadable,
    Workspace,
)
from tests.fakes import vault_id, workspace_id

UNREADABLE = Unreadable("it", "AuthorizationFailed", "you may not")


def workspace_snapshot(case: Mapping[str, Any]) -> Snapshot:
    """Return what was read of the workspace of a case, and around it."""
    found = _read(case["workspace"], lambda body: parse.workspace({"id": workspace_id(), **body}))
    vaults = {host: _read(it, lambda it: _vault(it, found)) for host, it in case.get("vaults", {}).items()}
    return Snapshot(
        ids.parse(workspace_id()),
        workspace=found,
        vaults=vaults,
        hindrances=hindrances(case.get("hindrances")),
    )


def _read[T](case: Any, parsed: Callable[[Any], T]) -> T | Absent | Unreadable:
    if isinstance(case, str):
        return UNREADABLE if case == "unreadable" else Absent()
    return parsed(case)


def _vault(case: Any, workspace: Workspace | Absent | Unreadable) -> Snapshot:
    target = vault_id(case.get("name", "kv-one"))
    return Snapshot(
        ids.parse(target),
        vault=_read(case["vault"], lambda body: parse.vault({"id": target, **body})),
        dependants=(workspace,) if isinstance(workspace, Workspace) else (),
        roles=roles(case.get("roles")),
        hindrances=hindrances(case.get("hindrances")),
        keys={name: _read(it, _key) for name, it in case.get("keys", {}).items()},
        newest={name: _read(it, _key) for name, it in case.get("newest", {}).items()},
    )


def _key(case: Any) -> Key:
    return parse.key(case, case.get("versions", 0))


def roles(case: Any) -> Roles | Unreadable | None:
    """Read role assignments with their definitions, and what is held by groups."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    by_group = {principal: frozenset(held) for principal, held in case.get("by_group", {}).items()}
    return Roles(parse.assignments(case["assignments"]), parse.definitions(case["definitions"]), by_group)


def hindrances(case: Any) -> Hindrances | Unreadable | None:
    """Read locks, denials and timed assignments."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    found = {name: case.get(name, []) for name in ("locks", "denials", "timed")}
    return Hindrances(parse.locks(found["locks"]), parse.denials(found["denials"]), parse.timed(found["timed"]))


def contents(case: Any) -> Contents | Unreadable | None:
    """Read what a vault holds: `keys` by name with the time at which each was made, '' for none, and `secrets`."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    keys = [{"name": name, "properties": {"attributes": _made(at)}} for name, at in case.get("keys", {}).items()]
    return parse.contents(keys, [{"name": name} for name in case.get("secrets", [])])


def held_keys(case: Any) -> tuple[HeldKey, ...] | Unreadable | None:
    """Read which keys a vault holds, by name."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    return parse.contents([{"name": name} for name in case], ()).keys


def _made(at: str) -> dict[str, int]:
    return {"created": int(datetime.fromisoformat(at).timestamp())} if at else {}


def logging(case: Any) -> tuple[LogSetting, ...] | Unreadable | None:
    """Read diagnostic settings."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    return parse.log_settings(case)


def _nomination(workspace: str, environment: str, layers: Sequence[Sequence[str]] = ()) -> Nomination:
    return Nomination(workspace, environment, tuple(Named(*it) for it in layers))


def deleted(case: Any) -> Deleted | Absent | Unreadable | None:
    """Read the list of deleted vaults: each entry's `properties`, of the case's own vault where it names none."""
    if case is None or case == "unreadable":
        return UNREADABLE if case else None
    return parse.deleted([{"properties": {"vaultId": vault_id(), **it}} for it in case], ids.parse(vault_id()))


def memory(case: Mapping[str, Any]) -> Memory:
    """Return what our records know."""
    said = case.get("memory", {})
    picked, restart = said.get("picked"), said.get("restart")
    return Memory(
        nominations=tuple(_nomination(*it) for it in said.get("nominations", [])),
        was_cmk_vault=said.get("was_cmk_vault", False),
        environments=tuple(said.get("environments", [])),
        identities=tuple(Once(*it) for it in said.get("identities", [])),
        sensitivities=tuple(said.get("sensitivities", [])),
        drawn=tuple(Drawn(**{**it, "time": datetime.fromisoformat(it["time"])}) for it in said.get("drawn", [])),
        is_kept=said.get("is_kept", True),
        made=tuple(said.get("made", [])),
        picked=Picked(**{**picked, "time": datetime.fromisoformat(picked["time"])}) if picked else None,
        restart=datetime.fromisoformat(restart) if restart else None,
        moving=tuple(said.get("moving", [])),
        alive=_alive(said["alive"]) if "alive" in said else None,
        lost=_lost(said["lost"]) if "lost" in said else None,
        subjects=tuple(said.get("subjects", [])),
    )


def _alive(said: Mapping[str, Any]) -> Alive:
    return Alive(said["tenant"], said["host"], tuple(Given(*it) for it in said.get("given", [])))


def _lost(said: Mapping[str, Any]) -> Lost:
    return Lost(datetime.fromisoformat(said["since"]), tuple(Given(*it) for it in said.get("given", [])))


_CHOICES: Mapping[str, Callable[[Any], Any]] = {
    "vault_scope": VaultScope,
    **dict.fromkeys(("settle", "key_age", "key_grace"), lambda seconds: timedelta(seconds=seconds)),
    "key_vaults": words.key_vaults,
    "log_workspace": words.log_workspace,
    "layers": words.layers,
    "key_environments": frozenset,
    "sensitive": frozenset,
    "modes": lambda it: {control: Mode(word) for control, word in it.items()},
    **dict.fromkeys(("owners", "cost_centers", "environments"), tuple),
}


def choices(case: Mapping[str, Any]) -> Choices:
    """Return what the deployment has chosen: settings as the settings spell them, where they have a spelling."""
    said = {name: _CHOICES.get(name, lambda it: it)(value) for name, value in case.get("choices", {}).items()}
    return replace(Choices(), **said)
