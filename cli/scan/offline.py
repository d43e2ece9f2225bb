"""A scan of exported JSON, without Azure: the same rules, and whatever the export does not hold is unknown.

That a workspace of the export names a vault is proof that it is used. That none does proves nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.scan.export import Export, Found, exported
from cli.scan.judge import Blank, Scanned, judged
from remediators import REMEDIATORS
from shared.core import ids, parse
from shared.core.control import Memory, Named, Nomination
from shared.core.errors import BadInput
from shared.core.facts import Absent, Snapshot, Unreadable, Vault, Workspace
from shared.core.report import Gap, Line
from shared.core.sandbox import LONGEST_NAME
from shared.settings import Settings
from shared.wiring import App, build

_REASON = "NotInExport"


def scan_export(settings: Settings, text: str) -> tuple[Scanned, tuple[str, ...]]:
    """Judge an export; return that, and sentences on what was left out. Raises BadExportError where it cannot be read."""
    export = exported(text)
    # With no ports to Azure, a read would be a bug and rise as one.
    app = build(
        settings, REMEDIATORS, records=Blank(), arm=None, grants=None, keys=None, vaults=None, inventory=None, hand=None
    )
    found = _parsed(export)
    lines = tuple(line for one in found for line in _lines(app, one, found))
    gaps = tuple(Gap("an object of the export", "BadResourceId", said) for said in export.broken)
    scope = f"{len(found)} target(s) of an export"
    return Scanned(scope, app.clock.now(), lines, gaps), tuple(_remarks(export, len(found)))


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A body as facts, or why it is none."""

    found: Found
    facts: Vault | Workspace | Unreadable


def _parsed(export: Export) -> Sequence[_Parsed]:
    """Read the bodies; of one target the last that can be read counts: exports are appended to."""
    newest: dict[str, _Parsed] = {}
    for one in export.found:
        facts = _facts(one)
        if one.target.key not in newest or not isinstance(facts, Unreadable):
            newest[one.target.key] = _Parsed(one, facts)
    return tuple(newest.values())


def _facts(one: Found) -> Vault | Workspace | Unreadable:
    try:
        return parse.vault(one.body) if one.target.kind == ids.VAULT else parse.workspace(one.body)
    except BadInput as error:
        return Unreadable("the export", error.reason, error.message)


def _lines(app: App, one: _Parsed, every: Sequence[_Parsed]) -> Iterator[Line]:
    target, at = one.found.target, one.found.at
    if target.kind == ids.VAULT:
        yield from _of_a_vault(app, one, every)
        return
    workspace = one.facts
    if not isinstance(workspace, Workspace):
        failed = workspace if isinstance(workspace, Unreadable) else Absent()
        yield from judged(app, Snapshot(target, workspace=failed), Memory(), at)
        return
    vaults = {host: _around(host, workspace, every) for host in workspace.hosts()}
    snapshot = Snapshot(target, workspace=workspace, vaults=vaults, hindrances=_missing("the locks"))
    yield from judged(app, snapshot, Memory(), at)


def _of_a_vault(app: App, one: _Parsed, every: Sequence[_Parsed]) -> Iterator[Line]:
    target, vault = one.found.target, one.facts
    if not isinstance(vault, Vault):
        failed = vault if isinstance(vault, Unreadable) else Absent()
        yield from judged(app, Snapshot(target, vault=failed), Memory(), one.found.at)
        return
    users = [it.facts for it in every if isinstance(it.facts, Workspace) and it.facts.layers_in(vault.host)]
    tag = app.choices.environment_tag.lower()
    nominations = tuple(
        Nomination(str(it.id), it.tags.get(tag, "").strip().lower()[:LONGEST_NAME], _named(it, vault)) for it in users
    )
    snapshot = Snapshot(
        target,
        vault=vault,
        dependants=_missing("every workspace that could use the vault"),
        roles=_missing("the role assignments"),
        hindrances=_missing("locks, denials and timed assignments"),
        contents=_missing("the keys and secrets of the vault"),
        logging=_missing("the diagnostic settings"),
        declared=_missing("the declared identities") if app.choices.identities else frozenset(),
    )
    yield from judged(app, snapshot, Memory(nominations=nominations), one.found.at)


def _named(workspace: Workspace, vault: Vault) -> tuple[Named, ...]:
    used = [it for it in workspace.layers if it.key and it.key.host == vault.host]
    return tuple(Named(it.name, it.key.name if it.key else "", it.principal) for it in used)


def _around(host: str, workspace: Workspace, every: Sequence[_Parsed]) -> Snapshot | Unreadable:
    """Return a vault that the workspace names, as far as the export tells of it."""
    vault = next((it.facts for it in every if isinstance(it.facts, Vault) and it.facts.host == host), None)
    if vault is None:
        return _missing(f"the vault {host}")
    used = [it.key for it in workspace.layers if it.key and it.key.host == host]
    keys = {f"{it.name}/{it.version}" if it.version else it.name: _missing(f"key {it.name}") for it in used}
    return Snapshot(
        vault.id,
        vault=vault,
        dependants=(workspace,),
        roles=_missing("the role assignments"),
        hindrances=_missing("locks, denials and timed assignments"),
        keys=keys,
    )


def _missing(what: str) -> Unreadable:
    return Unreadable(what, _REASON, "the export does not tell; scan Azure itself to know")


def _remarks(export: Export, targets: int) -> Iterator[str]:
    if export.strangers:
        yield f"{export.strangers} object(s) are neither vaults nor workspaces: left out"
    again = len(export.found) - targets
    if again:
        yield f"{again} object(s) tell of a target that others tell of too: the last that can be read counts"
    if not export.found and not export.broken:
        yield "the export is empty: there is nothing to judge"
