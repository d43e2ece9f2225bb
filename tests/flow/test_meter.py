"""How often vaults were called is asked once a day, where prices are set; no failure of it costs the sweep anything."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.errors import Conflict, Denied, RemediationError, Temporary
from shared.core.prices import prices
from shared.core.survey import Progress
from shared.flow import compare
from shared.flow.figures import figures
from tests.fakes import NOON, World, vault_body, vault_id
from tests.flow.test_survey import survey

PRICES = prices("currency=EUR,RSA-3072=0/month+0.15/10000")
HITS = {f"{NOON - timedelta(days=n):%Y-%m-%d}": 10 for n in range(-3, 40)}


def metered(count: int = 3, **choices: Any) -> World:
    """Return a world with protected vaults that are called ten times a day."""
    world = World(**({"prices": PRICES} | choices))
    for n in range(count):
        world.arm.put(vault_body(f"kv-{n}", enablePurgeProtection=True))
        world.vaults.hits[vault_id(f"kv-{n}").lower()] = dict(HITS)
    survey(world)  # the first finds them; they are asked after once they have been looked at
    world.vaults.calls.clear()
    return world


def asked(world: World) -> list[str]:
    """Return the vaults that were asked after, in order."""
    return [it.split("/")[-2] for it in world.vaults.calls if it.endswith("/metrics")]


def test_each_vault_is_asked_after_once_a_day() -> None:
    """However often the estate is looked over; the next day anew, for the thirty days before."""
    world = metered()
    for _ in range(2):
        survey(world)
    assert asked(world) == ["kv-0", "kv-1", "kv-2"]
    first = world.figures.meters[vault_id("kv-0").lower()]

    world.clock.advance(86_400)
    survey(world)
    assert asked(world) == ["kv-0", "kv-1", "kv-2"] * 2
    assert (first.hits, first.until.isoformat()) == (300, "2026-11-24T00:00:00+00:00")
    assert world.figures.meters[vault_id("kv-0").lower()].until == first.until + timedelta(days=1)


def test_without_prices_nobody_is_asked() -> None:
    """A deployment that says no price pays no call."""
    world = metered(prices=None)
    survey(world)

    assert asked(world) == []
    made = figures(world)
    assert made is not None
    assert made.cost is None


@pytest.mark.parametrize(
    "failure",
    [Denied("AuthorizationFailed", "no right"), Temporary("TooManyRequests", "later"), Conflict("ResourceNotFound", "none")],
)  # fmt: skip
def test_a_failure_costs_one_figure(failure: RemediationError) -> None:
    """The sweep ends as it would; that vault is unknown, with the reason, and asked after again by the next."""
    world = metered()
    name = vault_id("kv-1").lower()
    world.vaults.hits[name] = failure
    share = survey(world)

    assert (share.progress, share.hidden) == (Progress.DONE, 0)
    assert asked(world) == ["kv-0", "kv-1", "kv-2"]
    assert world.figures.meters[name].hits is None
    assert failure.reason in world.figures.meters[name].problem
    made = figures(world)
    assert made is not None
    assert made.cost is not None
    (own,) = [it for it in made.cost.groups if it.by == "vault" and it.key.endswith("/kv-1")]
    assert own.why == f"Azure Monitor does not say how often it was called: {failure.reason}: {failure.message}"
    assert "kv-1" in made.cost.whole.why

    world.vaults.hits[name] = dict(HITS)
    world.vaults.calls.clear()
    survey(world)
    assert asked(world) == ["kv-1"]
    assert world.figures.meters[name].hits == 300


def test_where_azure_is_busy_the_sweep_does_not_stand_still() -> None:
    """After the third vault that is for later nobody is asked any more, until the next sweep; the sweep ends as it would."""
    world = metered(6)
    for n in range(6):
        world.vaults.hits[vault_id(f"kv-{n}").lower()] = Temporary("TooManyRequests", "later")
    share = survey(world)
    assert (share.progress, asked(world)) == (Progress.DONE, ["kv-0", "kv-1", "kv-2"])

    world.vaults.hits |= {vault_id(f"kv-{n}").lower(): dict(HITS) for n in range(6)}
    survey(world)
    assert {it.hits for it in world.figures.meters.values()} == {300}
    assert len(world.figures.meters) == 6


class Killed(BaseException):
    """The process is gone."""


def test_a_kill_asks_no_vault_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is kept at once; whoever goes on asks after the one that was not kept, and the others."""
    monkeypatch.setattr(compare, "VAULTS_AT_ONCE", 2)
    world = metered(4)
    count = [0]

    def die_at_second() -> None:
        count[0] += 1
        if count[0] == 2:
            raise Killed

    world.figures.before = die_at_second
    with pytest.raises(Killed):
        survey(world)
    world.figures.before = lambda: None
    survey(world)

    assert asked(world) == ["kv-0", "kv-1", "kv-1", "kv-2", "kv-3"]
    assert {it.hits for it in world.figures.meters.values()} == {300}


def test_readings_of_vaults_that_are_gone_are_forgotten() -> None:
    """After thirty days in which nobody has asked after them any more."""
    world = metered(2)
    survey(world)
    world.arm.resources.pop(vault_id("kv-1").lower())
    for _ in range(31):
        world.clock.advance(86_400)
        survey(world)
    figures(world)

    assert set(world.figures.meters) == {vault_id("kv-0").lower()}
