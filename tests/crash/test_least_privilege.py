"""The roles hold what the journeys need and nothing else: with each single action taken away, a journey fails."""

import copy
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.checkup import Result, topics
from shared.core.decide import AWAITS_CONFIRMATION
from shared.core.ports import Stored
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.meter import meter
from shared.flow.rounds import events
from simulator.client import Client, until
from simulator.stack import ROOT
from tests.crash.conftest import DECLARED, access_row, evaluation, seed_vault, seed_workspace
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.estate import CRYPTO_OFFICER, THREE, Place, place, policy
from tests.looks import MemoryEstate
from tests.migration import WEST, key_vault, plain

_HELD = ("reader", "writer", "grants", "linked")
FILES = {name: json.loads((ROOT / f"infra/roles/{name}.json").read_text()) for name in _HELD}
ACTIONS = [(name, action) for name in _HELD for action in FILES[name]["Actions"]]
# What the journeys on access need; what is not named here is needed by those on recovery.
_OF_ACCESS = (
    "Microsoft.Authorization/",
    "Microsoft.Insights/",
    "Microsoft.ManagedIdentity/",
    "Microsoft.Resources/",
    "Microsoft.KeyVault/vaults/accessPolicies/",
)
# What a migration needs besides.
_OF_MIGRATION = (
    "Microsoft.Databricks/workspaces/write",
    "Microsoft.Databricks/locations/",
    "Microsoft.Databricks/accessConnectors/",
    "Microsoft.KeyVault/vaults/keys/",
    "Microsoft.Network/",
)
# What it takes to send the audit log of a vault somewhere.
_OF_LOGS = ("Microsoft.Insights/diagnosticSettings/", "Microsoft.OperationalInsights/")
# What it takes to know how often a vault is called.
_OF_COST = ("Microsoft.Insights/metrics/",)
# What it takes to find a vault among the deleted ones.
_OF_DELETION = ("Microsoft.KeyVault/deletedVaults/",)
# What the doctor alone reads.
_OF_EVENTS = ("Microsoft.EventGrid/",)
_VERSION = "2022-04-01"


@pytest.fixture
def roles(cloud: Client) -> Iterator[Mapping[str, dict[str, Any]]]:
    """The roles as the local Azure holds them, by name; put back afterwards."""
    scope = f"/subscriptions/{cloud.facts['subscriptions'][0]}/providers/Microsoft.Authorization/roleDefinitions"
    found = cloud.arm("GET", f"{scope}?$filter=type eq 'CustomRole'", _VERSION).json()["value"]
    yield {body["properties"]["roleName"]: body for body in found}
    cloud.manage("POST", "/seed", {"resources": found})


def test_the_local_azure_holds_the_roles_as_they_are(roles: Mapping[str, dict[str, Any]]) -> None:
    """What the journeys run with is what is deployed: no action more, no data action, no wildcard."""
    for name in _HELD:
        (held,) = roles[FILES[name]["Name"]]["properties"]["permissions"]
        assert held["actions"] == FILES[name]["Actions"]
        assert not held["dataActions"]
        assert "*" not in "".join(held["actions"])


def test_with_all_actions_the_journeys_pass(cloud: Client, pump: Pump) -> None:
    """A written vault, and a workspace whose vault nobody told us of, end put right; so does every access to keys."""
    assert _play(cloud, pump) == [State.RESOLVED, State.RESOLVED]
    assert _play_access(cloud, pump) == _ALL_RIGHT
    assert _play_migration(cloud, pump) == _MIGRATED
    assert _play_logs(cloud, pump) is State.RESOLVED
    assert _play_contents(cloud, pump) == "HoldsSecrets"
    assert _play_deletion(cloud, pump) is State.RESOLVED
    assert _look_at_events(pump) == {Result.PASS}
    assert _play_cost(cloud, pump) == 30


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_with_one_action_less_a_journey_fails(
    name: str, action: str, cloud: Client, pump: Pump, roles: Mapping[str, dict[str, Any]]
) -> None:
    """Take one action away: at least one of the journeys does not end put right, and says why."""
    body = json.loads(json.dumps(roles[FILES[name]["Name"]]))
    body["properties"]["permissions"][0]["actions"].remove(action)
    cloud.manage("POST", "/seed", {"resources": [body]})

    if action.startswith(_OF_COST):
        assert _play_cost(cloud, pump) is None
    elif action.startswith(_OF_LOGS):
        assert _play_logs(cloud, pump) is not State.RESOLVED
    elif action.startswith("Microsoft.KeyVault/vaults/secrets/"):
        assert _play_contents(cloud, pump) == "AuthorizationFailed"
    elif action.startswith(_OF_EVENTS):
        assert _look_at_events(pump) == {Result.FAIL}
    elif action.startswith(_OF_DELETION):
        assert _play_deletion(cloud, pump) is not State.RESOLVED
    elif action.startswith(_OF_MIGRATION):
        assert _play_migration(cloud, pump) != _MIGRATED
    elif action.startswith(_OF_ACCESS):
        assert _play_access(cloud, pump) != _ALL_RIGHT
    else:
        assert _play(cloud, pump) != [State.RESOLVED, State.RESOLVED]


_PEOPLE = ("9e000002-6b1a-4d55-8e0b-aa0000000002", "9e000003-6b1a-4d55-8e0b-aa0000000003")
_ALL_RIGHT = {
    "policies": State.RESOLVED,
    "declared": State.RESOLVED,
    "roles": State.RESOLVED,
    "one yes is enough": State.QUEUED,
    "orphan": State.AWAITING_APPROVAL,
}


def _play_access(cloud: Client, pump: Pump) -> dict[str, State | None]:
    """Narrow policies, a declared identity's too, and roles; approve as one person; find an orphan. Return where each ended."""
    policies = place(cloud, policies=[policy("storage", ["all"]), policy(DECLARED, ["all"])], layers=["dbfsRoot"])
    roles = place(cloud, rbac=True, layers=["dbfsRoot"])
    roles.assign(roles.storage, CRYPTO_OFFICER)
    bare = place(cloud, layers=["dbfsRoot"])
    bare.wake()
    bare.touch_workspace()
    for at in (policies, roles, bare):
        pump.begin(evaluation(at.vault), Death(), at.vault)
    pump.run()
    asked = pump.app.records.get(access_row(bare, bare.storage))
    left = _orphaned(cloud, pump)
    ended = {
        "policies": (policies, policies.storage),
        "declared": (policies, DECLARED),
        "roles": (roles, roles.storage),
        "orphan": (left, left.storage),
    }
    rows = {name: pump.app.records.get(access_row(*where)) for name, where in ended.items()}
    states = {name: stored.row.state if stored else None for name, stored in rows.items()}
    return {**states, "one yes is enough": _approved(pump, asked)}


def _orphaned(cloud: Client, pump: Pump) -> Place:
    """A workspace goes and leaves its identity's policy behind; the sweep looks."""
    at = place(cloud, policies=[policy("storage", THREE)], layers=["dbfsRoot"])
    pump.begin(evaluation(at.vault), Death(), at.vault)
    pump.run()
    cloud.arm("DELETE", at.workspace, "2026-01-01").raise_for_status()
    until(lambda: cloud.arm("GET", at.workspace, "2026-01-01").status_code == 404, "the end of the workspace")
    pump.begin(evaluation(at.vault, "sweep"), Death(), at.vault)
    pump.run()
    return at


def _approved(pump: Pump, asked: Stored | None) -> State | None:
    if asked is None:
        return None
    now = pump.app.clock.now()
    yes = Yes(_PEOPLE[0], asked.row.plan.fingerprint, "right", now + timedelta(hours=1))
    state = approve(pump.app, asked, yes).row.state
    pump.lose_everything()
    return state


def _play(cloud: Client, pump: Pump) -> list[State | None]:
    """Play both journeys; return where the vaults' rows ended."""
    alone, used = seed_vault(cloud), seed_vault(cloud, tags={})
    workspace = seed_workspace(cloud, used)
    for target, vault in ((alone, alone), (workspace, used)):
        pump.begin(evaluation(target), Death(), target, vault, _row(vault), _row(workspace))
    pump.run()
    rows = [pump.app.records.get(_row(vault)) for vault in (alone, used)]
    return [stored.row.state if stored else None for stored in rows]


def _play_logs(cloud: Client, pump: Pump) -> State | None:
    """Find a vault whose audit log goes nowhere, and agree to the setting; return where the row ended."""
    vault = seed_vault(cloud, enablePurgeProtection=True)
    pump.begin(evaluation(vault), Death(), vault)
    pump.run()
    return _agreed(pump, remediation_id("KV-LOGS", ids.parse(vault).key, ""))


def _play_deletion(cloud: Client, pump: Pump) -> State | None:
    """Find a vault that somebody has deleted, and agree that it is taken back; return where the row ended."""
    vault = seed_vault(cloud, enablePurgeProtection=True)
    pump.begin(evaluation(vault), Death(), vault)
    pump.run()
    cloud.arm("DELETE", vault, "2023-07-01").raise_for_status()
    pump.begin(evaluation(vault), Death(), vault)
    pump.run()
    return _agreed(pump, remediation_id("KV-DELETED", ids.parse(vault).key, ""))


def _agreed(pump: Pump, row_id: str) -> State | None:
    """Agree to what a row asks for; return where it ended."""
    asked = pump.app.records.get(row_id)
    if asked is None or asked.row.state is not State.AWAITING_APPROVAL:
        return asked.row.state if asked else None
    for person in _PEOPLE:
        until_ = pump.app.clock.now() + timedelta(hours=1)
        if asked.row.state is State.AWAITING_APPROVAL:  # one is enough where the Activity Log names the author
            asked = approve(pump.app, asked, Yes(person, asked.row.plan.fingerprint, "right", until_))
    pump.run()
    ended = pump.app.records.get(row_id)
    return ended.row.state if ended else None


def _play_contents(cloud: Client, pump: Pump) -> str:
    """Look at a vault that holds a secret; return what is found, or why nothing is."""
    vault = seed_vault(cloud, enablePurgeProtection=True)
    cloud.manage("POST", "/seed", {"resources": [{"id": f"{vault}/secrets/token", "name": "token", "properties": {}}]})
    pump.begin(evaluation(vault), Death(), vault)
    pump.run()
    stored = pump.app.records.get(remediation_id("KV-DEDICATED", ids.parse(vault).key, ""))
    return stored.row.finding.reason if stored else ""


def _look_at_events(pump: Pump) -> set[Result]:
    """Have the doctor look at the event subscriptions; return how that went."""
    (look,) = [it for it in events.LOOKS if it.name == topics.NAME]
    app = copy.copy(pump.app)
    app.estate = MemoryEstate()  # the vaults that other tests have left are more than a doctor looks at
    return {it.result for it in look.run(app)}


def _play_cost(cloud: Client, pump: Pump) -> int | None:
    """Ask how often a vault was called that is called once a day; None where nobody may say."""
    vault = seed_vault(cloud, enablePurgeProtection=True)
    now = pump.app.clock.now()
    hits = {f"{now - timedelta(days=day):%Y-%m-%d}": 1 for day in range(33)}
    cloud.manage("POST", "/hits", {"vault": vault, "hits": hits})
    meter(pump.app, ids.parse(vault).subscription, [vault])
    reading = pump.app.figures.readings()[vault.lower()]
    hits_read: int | None = reading.hits
    return hits_read


def _row(target: str) -> str:
    return remediation_id("KV-RECOVERY", ids.parse(target).key, "")


_MIGRATED = (AWAITS_CONFIRMATION, "its ends were heard")


def _play_migration(cloud: Client, pump: Pump) -> tuple[str, str]:
    """Migrate a workspace in a network, with a connector; return what it waits for, and whether Azure told of each end."""
    cloud.manage("POST", "/knobs", {"workspace_seconds": 0.2, "activity_lag": 0})
    key_vault(cloud, WEST)
    group = f"/subscriptions/{cloud.facts['subscriptions'][0]}/resourceGroups/rg-moving"
    parameters = {
        "customVirtualNetworkId": {"value": f"{group}/providers/Microsoft.Network/virtualNetworks/net"},
        "customPublicSubnetName": {"value": "public"},
        "customPrivateSubnetName": {"value": "private"},
    }
    connector = {"id": f"{group}/providers/Microsoft.Databricks/accessConnectors/con", "identityType": "SystemAssigned"}
    at = plain(cloud, parameters=parameters, accessConnector=connector)
    row_id = remediation_id("DBX-CMK", ids.parse(at.id).key, "")
    pump.begin(evaluation(at.id), Death(), at.id, row_id)
    pump.run()
    for person in _PEOPLE:
        asked = pump.app.records.get(row_id)
        if asked and asked.row.state is State.AWAITING_APPROVAL and asked.row.plan.steps:
            ends = pump.app.clock.now() + timedelta(hours=1)
            approve(pump.app, asked, Yes(person, asked.row.plan.fingerprint, "right", ends))
    pump.run()
    ended = pump.app.records.get(row_id)
    heard = "OutcomeReadBack" not in {entry.reason for entry in pump.app.records.history(row_id)}
    return ended.row.decision.reason if ended else "", "its ends were heard" if heard else "read back"
