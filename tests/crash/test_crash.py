"""Death at every write of every story: the same end, each effect once, the history whole, no row without its message."""

import itertools
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.core import chain, ids
from shared.core.record import State, remediation_id
from simulator.client import Client
from tests.crash.conftest import evaluation, seed_vault, seed_workspace
from tests.crash.dying import Death, each_write
from tests.crash.pump import Pump


@dataclass
class Played:
    """One story of one vault, and how it dies."""

    vault: str
    death: Death = field(default_factory=Death)

    @property
    def row(self) -> str:
        """The id of its remediation."""
        return remediation_id("KV-RECOVERY", ids.parse(self.vault).key, "")


def vault_written(cloud: Client, pump: Pump, death: Death) -> Played:
    """A vault was written without purge protection."""
    played = Played(seed_vault(cloud), death)
    pump.begin(evaluation(played.vault), death, played.vault, played.row)
    return played


def _workspace_written(cloud: Client, pump: Pump, death: Death) -> Played:
    """A workspace was written whose key lies in an unprotected vault; of the vault itself no event came."""
    played = Played(seed_vault(cloud), death)
    workspace = seed_workspace(cloud, played.vault)
    pump.begin(evaluation(workspace), death, workspace, played.vault, played.row)
    return played


def _broken(**fault: object) -> "Story":
    """The first write meets a fault."""

    def begin(cloud: Client, pump: Pump, death: Death) -> Played:
        played = vault_written(cloud, pump, death)
        cloud.manage("POST", "/faults", [{"method": "PATCH", "path": played.vault.rsplit("/", 1)[1] + "$", **fault}])
        return played

    return begin


def _locked(cloud: Client, pump: Pump, death: Death) -> Played:
    """A lock forbids the write."""
    played = vault_written(cloud, pump, death)
    cloud.lock(played.vault, "freeze", "ReadOnly").raise_for_status()
    return played


type Story = Callable[[Client, Pump, Death], Played]
STORIES: dict[str, tuple[Story, State, int]] = {
    "vault written": (vault_written, State.RESOLVED, 1),
    "workspace written": (_workspace_written, State.RESOLVED, 1),
    "throttled": (_broken(status=503), State.RESOLVED, 1),
    "reply lost": (_broken(cut="after"), State.RESOLVED, 1),
    "conflict": (_broken(status=409, code="ConcurrentUpdateError"), State.RESOLVED, 1),
    "locked": (_locked, State.FAILED, 0),
}


# Both sides of each write of the plainest story, turn about in those that add something to it; the rest in `make soak`.
_IN_CI = {("vault written", True), ("workspace written", False), ("reply lost", False), ("locked", False)}
_PLAYED = [
    pytest.param(
        *it, id=f"{it[0]}, {'both sides' if it[1] else 'turn about'}", marks=() if it in _IN_CI else pytest.mark.soak
    )
    for it in itertools.product(STORIES, (False, True))
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "both"), _PLAYED)
def test_death_at_every_write_changes_nothing(name: str, both: bool, cloud: Client, pump: Pump) -> None:
    """Count the writes of a story, then play it once for each write, dying there."""
    begin, state, writes = STORIES[name]
    for _ in range(2):  # the first play creates the tables
        alive = begin(cloud, pump, Death())
        pump.run()
    deaths = each_write(len(alive.death.writes), both=both)
    plays = [alive, *(begin(cloud, pump, death) for death in deaths)]
    pump.run()

    assert len(deaths) > 5
    # A story may be a write or two shorter when nothing has to wait for a second to pass.
    assert sum(death.came for death in deaths) >= len(deaths) - (4 if both else 2)
    for played in plays:
        check(cloud, pump, played, state, writes)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", STORIES)
def test_dying_again_and_again_changes_nothing(name: str, cloud: Client, pump: Pump) -> None:
    """A hundred times each story with two or three deaths, drawn at random."""
    begin, state, writes = STORIES[name]
    seed = int(os.environ.get("CMK_SEED", "0")) or random.randrange(10**6)
    print(f"CMK_SEED={seed}")  # noqa: T201 - shown by pytest when the test fails
    chance = random.Random(seed)
    deaths = [
        Death(tuple(sorted(chance.sample(range(1, 22), chance.choice((2, 3))))), chance.choice((False, True)))
        for _ in range(100)
    ]
    plays = [begin(cloud, pump, death) for death in deaths]
    pump.run(1500)

    for played in plays:
        check(cloud, pump, played, state, writes)


def check(cloud: Client, pump: Pump, played: Played, state: State, writes: int, *, told: bool = True) -> None:
    """Compare one story's end with the end it has when nobody dies. `told`: a notice must have come."""
    records, target, where = pump.app.records, ids.parse(played.vault), str(played.death)
    stored = records.get(played.row)
    assert stored is not None, f"{where}: there is no row"
    assert (stored.row.state, stored.row.occurrence) == (state, 1), f"{where}: {stored.row}"
    assert chain.verify(records.history(played.row), stored.head, stored.newest) == "", where
    ledger = records.writes(target.subscription, stored.row.opened - timedelta(hours=1))
    assert len([write for write in ledger if write.target == target.key]) == 1, f"{where}: the ledger"
    # Status 0 is a write that took effect and whose answer was lost.
    effects = [write for write in cloud.writes(played.vault) if write["status"] in {0, 200}]
    assert len(effects) == writes, f"{where}: {effects}"
    protected = cloud.vault(played.vault)["properties"].get("enablePurgeProtection", False)
    assert protected is (state is State.RESOLVED), where
    notices = [notice for notice in pump.notices if f'"{played.row}"' in notice and state in notice]
    assert notices or not told, f"{where}: nobody was told"
    page = records.poison_page(cursor="", limit=200)
    assert not [it for it in page.items if played.vault in it.what.body], f"{where}: poison"
