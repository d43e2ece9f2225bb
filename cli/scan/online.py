"""A scan of Azure itself, as whoever is signed in: list the estate, gather each target, judge it. Reads only."""

from collections.abc import Mapping, Sequence

from cli.scan.crew import each
from cli.scan.estate import estate_of
from cli.scan.judge import Blank, Scanned, judged
from cli.scan.reads import Kept, KeptGrants, Patience, Shelf
from cli.scan.say import Say
from cli.scan.signin import sign_in
from remediators import REMEDIATORS
from shared.adapters.arm import ArmReader
from shared.adapters.clients import Clients
from shared.adapters.grants import ArmGrants
from shared.adapters.inventory import ResourceGraph
from shared.adapters.keys import ArmKeys
from shared.adapters.pipeline import Pipeline
from shared.adapters.rest import Rest
from shared.adapters.vaults import ArmVaults
from shared.core import ids
from shared.core.control import Memory
from shared.core.errors import RemediationError
from shared.core.facts import Snapshot, Unreadable
from shared.core.ids import ResourceId
from shared.core.report import Line
from shared.core.scope import InScope, cmk_vault
from shared.flow.gather import deepen, gather
from shared.settings import Settings
from shared.wiring import App, build

_FEW = 3  # tries of what comes before anything else: whoever has no network must not wait for minutes


def scan_azure(
    settings: Settings, environ: Mapping[str, str], subscriptions: Sequence[str], group: str, say: Say
) -> Scanned:
    """Scan. Raises RemediationError where there is no sign-in, or Azure is not to be had."""
    pipeline = Pipeline(sign_in(environ), settings.arm_url)
    say.line(f"asking {settings.arm_url} what there is")
    named = subscriptions or (() if group else settings.choices.subscriptions)
    estate = estate_of(ResourceGraph(pipeline, ()), named, group, Patience(_FEW))
    patience = Patience()
    app = _app(settings, pipeline, patience, estate.inventory)
    say.begin(estate.scope, len(estate.targets))
    lines: list[Line] = []
    for found in each(lambda target: tuple(_lines(app, target)), estate.targets):
        lines += found
        say.step()
    say.end(f"{patience.waited} calls were put off by Azure and asked again" if patience.waited else "")
    lines.sort(key=lambda it: (it.target.lower(), it.control, it.subject))
    return Scanned(estate.scope, app.clock.now(), tuple(lines), estate.gaps)


def _app(settings: Settings, pipeline: Pipeline, patience: Patience, inventory: object) -> App:
    """Join the same parts as the app does, each read through our patience. There is no hand, queue or storage to reach."""
    shelf, clients = Shelf(), Clients(pipeline, settings.workspace_api)
    return build(
        settings,
        REMEDIATORS,
        arm=Kept(ArmReader(clients), patience, shelf),
        keys=Kept(ArmKeys(clients), patience, shelf),
        vaults=Kept(ArmVaults(Rest(pipeline)), patience, shelf),
        grants=KeptGrants(ArmGrants(Rest(pipeline)), patience, shelf),
        inventory=inventory,
        records=Blank(),
        hand=None,
        queue=None,
        tickets=None,
        diary=None,
    )


def _lines(app: App, target: ResourceId) -> Sequence[Line]:
    memory = Memory()
    return tuple(judged(app, _snapshot(app, target, memory), memory))


def _snapshot(app: App, target: ResourceId, memory: Memory) -> Snapshot:
    """Gather as much as judging needs: who may use the keys only of a vault that holds any of ours."""
    try:
        snapshot = gather(app, target, memory, needs_roles=False)
        is_cmk = isinstance(cmk_vault(snapshot, memory, app.choices), InScope)
        is_asked = any(it.control.takes_away and app.choices.is_on(it.control.id) for it in app.remediators)
        return deepen(app, snapshot, memory) if is_cmk and is_asked else snapshot
    except RemediationError as error:
        failed = Unreadable("the target", error.reason, error.message)
        if target.kind == ids.VAULT:
            return Snapshot(target, vault=failed)
        return Snapshot(target, workspace=failed)
