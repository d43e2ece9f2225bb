"""Death while a deleted vault is taken back: whatever write it dies over, the vault is back once, and each grant once."""

import os
import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.core import chain, ids
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from simulator.client import Client
from tests.crash.conftest import evaluation
from tests.crash.dying import Death
from tests.crash.pump import Pump
from tests.estate import NARROW, Place, place

PEOPLE = ("9e000002-6b1a-4d55-8e0b-aa0000000002", "9e000003-6b1a-4d55-8e0b-aa0000000003")
SAMPLE = 8  # writes that are died over, half of them after their effect; all of them in `make soak`


@dataclass
class Played:
    """One deleted vault, and how its recovery dies."""

    at: Place
    death: Death = field(default_factory=Death)

    @property
    def row(self) -> str:
        """The id of its remediation."""
        return remediation_id("KV-DELETED", ids.parse(self.at.vault).key, "")


def _play(cloud: Client, pump: Pump, deaths: list[Death]) -> list[Played]:
    """See vaults alive, have somebody delete them, and agree: all at the same time, each with its own death."""
    plays = [Played(_seen(cloud), death) for death in deaths]
    for it in plays:
        pump.begin(evaluation(it.at.vault), Death(), it.at.vault)
    pump.run()
    for it in plays:
        cloud.arm("DELETE", it.at.vault, "2023-07-01").raise_for_status()
        pump.begin(evaluation(it.at.vault), it.death, it.at.vault, it.row)
    pump.run()
    for it in plays:
        _agree(pump, it)
    pump.run(240)
    return plays


def _seen(cloud: Client) -> Place:
    at = place(cloud, rbac=True, layers=["dbfsRoot", "managedDisk"])
    for principal in (at.storage, at.disks):
        at.assign(principal, NARROW)
    return at


def _agree(pump: Pump, it: Played) -> None:
    for person in PEOPLE:
        asked = pump.app.records.get(it.row)
        assert asked is not None, f"{it.death}: there is no row"
        if asked.row.state is State.AWAITING_APPROVAL:
            ends = pump.app.clock.now() + timedelta(hours=1)
            approve(pump.app, asked, Yes(person, asked.row.plan.fingerprint, "right", ends))


def _check(cloud: Client, pump: Pump, it: Played) -> None:
    stored, history = pump.app.records.get(it.row), pump.app.records.history(it.row)
    lines = [f"{each.event} {each.state} {each.reason} {str(each.detail)[:150]}" for each in history]
    where = "\n".join([str(it.death), *lines])
    assert stored is not None
    assert (stored.row.state, stored.row.verdict, stored.row.occurrence) == (State.RESOLVED, "Compliant", 1), where
    assert chain.verify(history, stored.head, stored.newest) == "", where
    assert [each.event for each in history].count("approved") in {1, 2}, where
    assert cloud.arm("GET", it.at.vault, "2023-07-01").status_code == 200, where
    assert {it.at.storage: [NARROW], it.at.disks: [NARROW]} == {
        principal: it.at.held(principal) for principal in (it.at.storage, it.at.disks)
    }, where
    puts = [each for each in cloud.writes(it.at.vault) if each["caller"] == "writer"]
    assert [each["status"] for each in puts] == [200], where


@pytest.mark.timeout(300)
def test_death_over_a_recovery_changes_nothing(cloud: Client, pump: Pump) -> None:
    """Some of its writes, drawn by the seed: nobody is asked twice, nothing is put twice, nothing stays lost."""
    drawn = random.Random(os.environ["CMK_SEED"]).sample(range(1, 21), SAMPLE)
    plays = _play(cloud, pump, [Death((at,), number % 2 == 1) for number, at in enumerate(drawn)])

    assert sum(it.death.came for it in plays) >= SAMPLE - 1
    for it in plays:
        _check(cloud, pump, it)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_over_each_write_of_a_recovery_changes_nothing(cloud: Client, pump: Pump, after: bool) -> None:
    """Every one."""
    (alive,) = _play(cloud, pump, [Death()])
    plays = _play(cloud, pump, [Death((at,), after) for at in range(1, len(alive.death.writes) + 1)])

    for it in plays:
        _check(cloud, pump, it)
