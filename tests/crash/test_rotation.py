"""Death on the way to a newer version of a key: the workspace is written once, whatever write anybody dies over."""

import os
import random
import time
from datetime import timedelta
from typing import Any

import pytest

from shared.core import chain, ids
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from simulator.client import Client
from tests.crash.conftest import evaluation
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.migration import Plain, key_vault, plain

APART = 12  # more writes than one message makes: a message that died once is delivered again and gets through
MOST = 100  # more writes than a rotation makes, dying again and again
ADA, AMIT = (f"9e00000{number}-6b1a-4d55-8e0b-aa000000000{number}" for number in (2, 3))
OLD, NEW = "1" * 32, "2" * 32
DAY = 86_400


@pytest.fixture
def vault(cloud: Client) -> str:
    """Seed a vault in which AzureDatabricks may use the keys."""
    cloud.manage("POST", "/knobs", {"workspace_seconds": 0.2, "activity_lag": 0})
    at = cloud.facts["subscriptions"][0]
    path = f"/subscriptions/{at}/resourceGroups/rg-turning/providers/Microsoft.KeyVault/vaults/kv-turning"
    databricks = cloud.facts["identities"]["azure_databricks"]["principal_id"]
    three = {"keys": ["get", "wrapKey", "unwrapKey"]}
    entry = {"tenantId": cloud.facts["tenant"], "objectId": databricks, "permissions": three}
    key_vault(cloud, path, accessPolicies=[entry])
    return path


def _version(cloud: Client, vault: str, version: str, days: int) -> None:
    """Seed a version of the key, made so many days ago: the newest from now on."""
    made = int(time.time()) - days * DAY
    uri = f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net:443/keys/k"
    policy = {"lifetimeActions": [{"trigger": {"timeAfterCreate": "P300D"}, "action": {"type": "rotate"}}]}
    properties = {
        "kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"], "keyUri": uri, "keyUriWithVersion": f"{uri}/{version}",
        "attributes": {"enabled": True, "created": made, "updated": made}, "rotationPolicy": policy,
    }  # fmt: skip
    cloud.manage("POST", "/seed", {"resources": [{"id": f"{vault}/keys/k", "name": "k", "properties": properties}]})


def _workspace(cloud: Client, vault: str) -> Plain:
    """Write a workspace whose managed services are on the old version."""
    named = {"keyVaultUri": f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/", "keyName": "k", "keyVersion": OLD}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": named}
    return plain(cloud, vault, tags={}, encryption={"entities": {"managedServices": entity}})


def _in_use(at: Plain) -> str:
    entity: dict[str, Any] = at.body()["properties"]["encryption"]["entities"]["managedServices"]
    return str(entity["keyVaultProperties"]["keyVersion"])


@pytest.mark.timeout(200)
def test_death_in_a_rotation_changes_nothing(cloud: Client, pump: Pump, vault: str) -> None:
    """A part of its writes, drawn by the seed, are died over, before and after they take effect."""
    _version(cloud, vault, OLD, 10)
    drawn = random.Random(os.environ["CMK_SEED"])
    deaths = [
        Death(tuple(range(at, MOST, APART)), after)
        for after in (False, True)
        for at in drawn.sample(range(1, APART + 1), 2)
    ]
    plays = [(_workspace(cloud, vault), death) for death in deaths]
    _version(cloud, vault, NEW, 2)
    rows = {at.id: remediation_id("KEY-ROTATION", ids.parse(at.id).key, "") for at, _ in plays}
    for at, death in plays:
        pump.begin(evaluation(at.id), death, at.id, rows[at.id])
    pump.run()
    for at, death in plays:
        for person in (ADA, AMIT):
            stored = pump.app.records.get(rows[at.id])
            assert stored is not None, f"{death}: there is no row"
            if stored.row.state is State.AWAITING_APPROVAL:
                ends = pump.app.clock.now() + timedelta(hours=1)
                approve(pump.app, stored, Yes(person, stored.row.plan.fingerprint, "right", ends))
    pump.run()

    assert all(death.came for death in deaths)
    for at, death in plays:
        stored, history = pump.app.records.get(rows[at.id]), pump.app.records.history(rows[at.id])
        where = "\n".join([str(death), *(f"{it.event} {it.state} {it.reason}" for it in history)])
        assert (stored.row.state, stored.row.occurrence) == (State.RESOLVED, 1), where
        assert chain.verify(history, stored.head, stored.newest) == "", where
        assert (_in_use(at), len([it for it in at.puts() if it["status"] in {200, 201}])) == (NEW, 1), where
