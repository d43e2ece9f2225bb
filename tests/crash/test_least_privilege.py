"""The roles hold what the journeys need and nothing else: with each single action taken away, a journey fails."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.core import ids
from shared.core.ports import Stored
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from simulator.client import Client, until
from simulator.stack import ROOT
from tests.crash.conftest import DECLARED, access_row, evaluation, seed_vault, seed_workspace
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.estate import CRYPTO_OFFICER, THREE, Place, place, policy

_HELD = ("reader", "writer", "grants")
FILES = {name: json.loads((ROOT / f"infra/roles/{name}.json").read_text()) for name in (*_HELD, "linked")}
ACTIONS = [(name, action) for name in _HELD for action in FILES[name]["Actions"]]
# What the journeys on access need; what is not named here is needed by those on recovery.
_OF_ACCESS = (
    "Microsoft.Authorization/",
    "Microsoft.Insights/",
    "Microsoft.ManagedIdentity/",
    "Microsoft.Resources/",
    "Microsoft.KeyVault/vaults/accessPolicies/",
)
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


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_with_one_action_less_a_journey_fails(
    name: str, action: str, cloud: Client, pump: Pump, roles: Mapping[str, dict[str, Any]]
) -> None:
    """Take one action away: at least one of the journeys does not end put right, and says why."""
    body = json.loads(json.dumps(roles[FILES[name]["Name"]]))
    body["properties"]["permissions"][0]["actions"].remove(action)
    cloud.manage("POST", "/seed", {"resources": [body]})

    if action.startswith(_OF_ACCESS):
        assert _play_access(cloud, pump) != _ALL_RIGHT
    else:
        assert _play(cloud, pump) != [State.RESOLVED, State.RESOLVED]


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
    yes = Yes("9e000002-6b1a-4d55-8e0b-aa0000000002", asked.row.plan.fingerprint, "right", now + timedelta(hours=1))
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


def _row(target: str) -> str:
    return remediation_id("KV-RECOVERY", ids.parse(target).key, "")


@pytest.mark.parametrize("missing", [None, *FILES["linked"]["Actions"]])
def test_the_linked_role_is_what_a_workspace_in_a_network_asks_for(
    missing: str | None, cloud: Client, roles: Mapping[str, dict[str, Any]]
) -> None:
    """Writing a workspace with a network and a connector: possible with the linked role, refused by name without an action."""
    actions = [action for action in FILES["linked"]["Actions"] if action != missing]
    body = json.loads(json.dumps(roles[FILES["writer"]["Name"]]))
    body["properties"]["permissions"][0]["actions"] += ["Microsoft.Databricks/workspaces/write", *actions]
    cloud.manage("POST", "/seed", {"resources": [body]})
    answer = _put_workspace(cloud)

    if missing is None:
        assert answer.status_code == 201, answer.text
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "LinkedAuthorizationFailed")
        assert missing in answer.json()["error"]["message"]


def _put_workspace(cloud: Client) -> Any:
    group = f"/subscriptions/{cloud.facts['subscriptions'][0]}/resourceGroups/rg-crash"
    cloud.put_group(cloud.facts["subscriptions"][0], "rg-crash").raise_for_status()
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/net"
    connector = f"{group}/providers/Microsoft.Databricks/accessConnectors/con"
    parameters = {
        "customVirtualNetworkId": {"value": network},
        "customPublicSubnetName": {"value": "public"},
        "customPrivateSubnetName": {"value": "private"},
    }
    properties = {
        "computeMode": "Hybrid",
        "managedResourceGroupId": f"/subscriptions/{cloud.facts['subscriptions'][0]}/resourceGroups/rg-managed-linked",
        "parameters": parameters,
        "accessConnector": {"id": connector, "identityType": "SystemAssigned"},
    }
    body = {"location": "westeurope", "sku": {"name": "premium"}, "properties": properties}
    path = f"{group}/providers/Microsoft.Databricks/workspaces/dbw-linked"
    return cloud.arm("PUT", path, "2026-01-01", body, token=_writer(cloud))


def _writer(cloud: Client) -> str:
    query = {
        "api-version": "2019-08-01",
        "resource": cloud.facts["arm"],
        "client_id": cloud.facts["identities"]["writer"]["client_id"],
    }
    headers = {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
    return str(cloud.get(cloud.facts["token_url"], query, headers).json()["access_token"])
