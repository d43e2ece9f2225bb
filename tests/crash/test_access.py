"""Narrowing under fire: a second writer in the middle, replies lost, effects late, death at every write."""

import os
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from shared.core.record import State
from simulator.client import Client
from tests.crash.conftest import access_row, evaluation
from tests.crash.dying import Death, each_write
from tests.crash.pump import Pump
from tests.crash.rivals import Rival, between_requests, put_whole
from tests.estate import CRYPTO_OFFICER, NARROW, THREE, Place, place, policy

STRANGER = "57a00001-58f1-4a6b-b0c4-000000000001"
NEWCOMER = "57a00002-58f1-4a6b-b0c4-000000000002"
INTERLEAVINGS = 100


@pytest.fixture(autouse=True)
def nobody_else(cloud: Client) -> Iterator[None]:
    """Give back an Azure as it was: no lag, no faults."""
    yield
    cloud.manage("POST", "/knobs", {"propagation_seconds": 0.0})
    cloud.manage("DELETE", "/faults")


def _state(pump: Pump, at: Place, subject: str) -> State | None:
    stored = pump.app.records.get(access_row(at, subject))
    return stored.row.state if stored else None


def _begin(pump: Pump, at: Place, death: Death | None = None) -> None:
    rows = [access_row(at, subject) for subject in (at.storage, at.disks, at.databricks)]
    pump.begin(evaluation(at.vault), death or Death(), at.vault, *rows)


@pytest.mark.timeout(300)
def test_a_second_writer_never_costs_anybody_else_their_entry(
    cloud: Client, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred random interleavings with somebody who reads, changes and writes the whole vault: no other entry is lost.

    What that writer gives back to our own identity meanwhile is narrowed again by the look that follows its event.
    """
    seed = int(os.environ.get("CMK_SEED", "0")) or random.randrange(10**6)
    print(f"CMK_SEED={seed}")  # noqa: T201 - shown by pytest when the test fails
    chance = random.Random(seed)
    entries = [policy(STRANGER, ["Get", "Purge"]), policy("storage", ["all"], secrets=["get"])]
    places = [place(cloud, policies=entries, layers=["dbfsRoot"]) for _ in range(INTERLEAVINGS)]
    rivals = {}
    for at in places:
        first, second = sorted(chance.choices(range(1, 13), k=2))
        rivals[at.vault.rsplit("/", 1)[1]] = Rival(
            first, second, partial(cloud.vault, at.vault), partial(_changes, cloud, pump, at)
        )
    with between_requests(monkeypatch, {name: rival.act for name, rival in rivals.items()}):
        for at in places:
            _begin(pump, at)
        pump.run(240)

    assert sum(rival.is_done for rival in rivals.values()) >= INTERLEAVINGS // 4
    wrote_after = [rival.after for rival in rivals.values()]
    assert wrote_after.count("PUT") >= 3, "nobody wrote between our write and our reading back"
    assert wrote_after.count("GET") >= 25
    for at in places:
        _check_race(pump, at, rivals[at.vault.rsplit("/", 1)[1]])


def _changes(cloud: Client, pump: Pump, at: Place, body: dict[str, Any]) -> None:
    """Give the stranger one more permission and let a newcomer in; Event Grid tells of it."""
    mine, *_ = body["properties"]["accessPolicies"]
    mine["permissions"]["keys"].append("Delete")
    newcomer = {"tenantId": cloud.facts["tenant"], "objectId": NEWCOMER, "permissions": {"keys": ["Sign"]}}
    body["properties"]["accessPolicies"].append(newcomer)
    put_whole(cloud, at.vault)(body)
    _begin(pump, at)


def _check_race(pump: Pump, at: Place, rival: Rival) -> None:
    where = f"read after {rival.reads_after}, written after {rival.writes_after} of {rival.seen} requests"
    policies = at.policies()
    assert policies[at.storage] == {"keys": THREE}, where
    assert policies[STRANGER]["keys"] == sorted(["get", "purge", *(["delete"] if rival.is_done else [])]), where
    assert (policies.get(NEWCOMER) == {"keys": ["sign"]}) is rival.is_done, where
    assert _state(pump, at, at.storage) is State.RESOLVED, where


@pytest.mark.timeout(120)
@pytest.mark.parametrize("cut", ["", "after", "before"])
def test_at_no_moment_can_a_cluster_not_start(
    cut: str, cloud: Client, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every request of ours a new cluster gets its key, though grants take effect late and answers are lost."""
    cloud.manage("POST", "/knobs", {"propagation_seconds": 1.2})  # less than CMK_RBAC_SETTLE here, as in Azure
    at = place(cloud, rbac=True, layers=["managedDisk"])
    at.assign(at.disks, CRYPTO_OFFICER)
    if cut:
        broken = [
            {"method": verb, "path": f"{at.vault}/providers/.*roleAssignments/", "cut": cut}
            for verb in ("PUT", "DELETE")
        ]
        cloud.manage("POST", "/faults", broken)
    starts: list[bool] = []

    def witness(_method: str = "") -> None:
        starts.append(cloud.manage("POST", "/clusters", {"workspace": at.workspace})["started"])

    witness()
    with between_requests(monkeypatch, {at.vault.rsplit("/", 1)[1]: witness}):
        _begin(pump, at)
        pump.run()

    assert _state(pump, at, at.disks) is State.RESOLVED
    assert at.roles(at.disks) == {"": NARROW}
    assert len(starts) > 10
    assert all(starts), starts


def _policies_too_broad(cloud: Client) -> Place:
    return place(cloud, policies=[policy(STRANGER, ["all"]), policy("storage", ["all"])], layers=["dbfsRoot"])


def _roles_too_broad(cloud: Client) -> Place:
    at = place(cloud, rbac=True, layers=["dbfsRoot"])
    at.assign(at.storage, CRYPTO_OFFICER)
    return at


@pytest.mark.timeout(300)
@pytest.mark.parametrize("both", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["turn about", "both sides"])
@pytest.mark.parametrize("story", [_policies_too_broad, _roles_too_broad])
def test_death_at_every_write_ends_narrow(story: Any, both: bool, cloud: Client, pump: Pump) -> None:
    """Count the writes of a narrowing, then play it once for each write, dying there: each effect once."""
    for _ in range(2):  # the first play creates the tables
        alive, death = story(cloud), Death()
        _begin(pump, alive, death)
        pump.run()
    deaths = each_write(len(death.writes), both=both)
    plays = [(alive, death), *((story(cloud), it) for it in deaths)]
    for at, it in plays[1:]:
        _begin(pump, at, it)
    pump.run(240)

    assert len(deaths) > 5
    assert sum(it.came for it in deaths) >= len(deaths) - (8 if both else 4)
    for at, it in plays:
        assert _state(pump, at, at.storage) is State.RESOLVED, str(it)
        _check_narrow(at, str(it))


def _check_narrow(at: Place, where: str) -> None:
    if at.azure.vault(at.vault)["properties"]["enableRbacAuthorization"]:
        assert at.roles(at.storage) == {"": NARROW}, where
        return
    policies = at.policies()
    assert policies[at.storage] == {"keys": THREE}, where
    assert policies[STRANGER] == {"keys": ["all"]}, where
