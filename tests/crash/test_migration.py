"""Death in the middle of a migration: whatever write it dies over, it goes on from there, and nothing is done twice."""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.core import chain, ids
from shared.core.decide import AWAITS_CONFIRMATION
from shared.core.record import Remediation, State, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.confirm import confirm
from simulator.client import Client
from tests.crash.conftest import evaluation
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.migration import LAYERS, WEST, Plain, key_vault, plain

APART = 12  # more writes than one message makes: a message that died once is delivered again and gets through
MOST = 150  # more writes than a migration makes, dying again and again
ADA, AMIT, DANA = (f"9e00000{number}-6b1a-4d55-8e0b-aa000000000{number}" for number in (2, 3, 4))


@dataclass
class Played:
    """One migration, and how it dies."""

    at: Plain
    death: Death = field(default_factory=Death)

    @property
    def row(self) -> str:
        """The id of its remediation."""
        return remediation_id("DBX-CMK", ids.parse(self.at.id).key, "")


@pytest.fixture(autouse=True)
def quick(cloud: Client) -> None:
    """Long operations are short here, and the Activity Log knows at once."""
    cloud.manage("POST", "/knobs", {"workspace_seconds": 0.2, "activity_lag": 0})
    key_vault(cloud, WEST)


def play(cloud: Client, pump: Pump, deaths: Sequence[Death]) -> list[Played]:
    """Play a migration for each death, all at the same time, up to its end."""
    plays = [Played(plain(cloud), death) for death in deaths]
    for it in plays:
        pump.begin(evaluation(it.at.id), it.death, it.at.id, it.row)
    pump.run()
    for it in plays:
        for person in (ADA, AMIT):
            stored = pump.app.records.get(it.row)
            assert stored is not None, f"{it.death}: there is no row"
            if stored.row.state is State.AWAITING_APPROVAL:
                ends = pump.app.clock.now() + timedelta(hours=1)
                approve(pump.app, stored, Yes(person, stored.row.plan.fingerprint, "right", ends))
    pump.run(240)
    for it in plays:
        assert row_of(pump, it).decision.reason == AWAITS_CONFIRMATION, told(pump, it)
        stored = pump.app.records.get(it.row)
        assert stored is not None
        confirm(pump.app, stored, DANA, "restarted")
    pump.run()
    return plays


def row_of(pump: Pump, played: Played) -> Remediation:
    """Return the row of a migration."""
    stored = pump.app.records.get(played.row)
    assert stored is not None, f"{played.death}: there is no row"
    row: Remediation = stored.row
    return row


def told(pump: Pump, played: Played) -> str:
    """Return what became of it."""
    lines = [
        f"{it.time:%H:%M:%S} {it.event} {it.state} {it.reason} {it.detail}"
        for it in pump.app.records.history(played.row)
    ]
    return "\n".join([str(played.death), *(line[:250] for line in lines)])


def check(cloud: Client, pump: Pump, played: Played) -> None:
    """Compare the end of one migration with the end that it has when nobody dies."""
    stored, where = pump.app.records.get(played.row), told(pump, played)
    assert stored is not None
    assert (stored.row.state, stored.row.occurrence) == (State.RESOLVED, 1), where
    assert chain.verify(pump.app.records.history(played.row), stored.head, stored.newest) == "", where
    databricks = cloud.facts["identities"]["azure_databricks"]["principal_id"]
    # AzureDatabricks is let in once: what another migration has done first is not ours.
    assert all(step.done for step in stored.row.plan.steps if step.after.get("objectId") != databricks), where
    assert set(played.at.keys()) == set(LAYERS), where
    # One key, however often somebody died over making it; each write of the workspace once.
    assert len(_keys_of(cloud, played)) == 1, where
    effects = [write for write in played.at.puts() if write["status"] in {0, 201}]
    assert len(effects) == 4, f"{effects}\n{where}"
    assert played.at.cluster() == {"started": True}, where
    for principal in played.at.identities().values():
        assert played.at.permissions(principal) == {"keys": ["get", "unwrapkey", "wrapkey"]}, where


def _keys_of(cloud: Client, played: Played) -> list[str]:
    rows = cloud.arm("GET", f"{WEST}/keys", "2023-07-01").json()["value"]
    prefix = f"cmk-{played.at.id.rsplit('/', 1)[1]}-"
    return [row["name"] for row in rows if row["name"].startswith(prefix)]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_in_a_migration_changes_nothing(cloud: Client, pump: Pump, after: bool) -> None:
    """A third of its writes, drawn by the seed, are died over; all of them in `make soak`."""
    _die(cloud, pump, random.Random(os.environ["CMK_SEED"]).sample(range(1, APART + 1), APART // 3), after=after)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_at_every_write_of_a_migration_changes_nothing(cloud: Client, pump: Pump, after: bool) -> None:
    """As many plays as there are writes between two deaths: each write is died over in one of them."""
    _die(cloud, pump, range(1, APART + 1), after=after)


def _die(cloud: Client, pump: Pump, starts: Iterable[int], *, after: bool) -> None:
    deaths = [Death(tuple(range(at, MOST, APART)), after) for at in starts]
    plays = play(cloud, pump, deaths)
    writes = min(len(death.writes) for death in deaths)

    assert 50 < writes < MOST
    assert all(death.came for death in deaths)
    for it in plays:
        check(cloud, pump, it)
