"""Figures: each is what the raw histories say, to the last digit; nothing is read twice, and no kill makes one wrong."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from remediators.vault_recovery import VAULT_RECOVERY
from remediators.workspace_cmk import WORKSPACE_CMK
from shared.core.choices import Choices
from shared.core.control import Compliant, Control, Finding, Memory, NonCompliant, NotApplicable, Unknown, Verdict
from shared.core.errors import Denied, RemediationError, Temporary
from shared.core.facts import Snapshot, Vault
from shared.core.figures.census import Count
from shared.core.figures.track import Episode, Question, Track, Way, followed
from shared.core.ids import VAULT
from shared.core.prices import prices
from shared.core.record import State
from shared.core.steps import Step
from shared.flow import figures as flow
from shared.flow import standing
from shared.flow.approve import Yes, approve, reject
from shared.flow.cancel import cancel
from shared.flow.evaluate import evaluate
from shared.flow.figures import figures, shown
from shared.flow.sweep import sweep
from tests.bricks import key_body
from tests.fakes import NOON, World, vault_body, vault_id, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import plain_workspace
from tests.flow.reckoning import reckoned
from tests.flow.wanting import asked, the

VAULTS, WORKSPACES, DAYS = 12, 4, 50
PRICES = (
    "currency=EUR, RSA-2048=0/month+0.03/10000, RSA-3072=0.000001/month+0.15/10000, RSA-HSM-3072=5.1/month+0.15/10000"
)


class Rotation:
    """A control that says of a vault what its tag `rotates` says, and can do nothing about it."""

    control = Control("KEY-ROTATION", "keys are young", "medium", frozenset({VAULT}))

    def judge(self, snapshot: Snapshot, memory: Memory, choices: Choices, now: datetime) -> tuple[Verdict, ...]:
        tag = snapshot.vault.tags.get("rotates", "") if isinstance(snapshot.vault, Vault) else ""
        kinds = {"yes": Compliant, "no": NonCompliant, "unread": Unknown}
        return (kinds.get(tag, NotApplicable)(Finding("AsTagged", "its tag says so")),)

    def plan(self, verdict: NonCompliant, snapshot: Snapshot, memory: Memory, choices: Choices) -> tuple[Step, ...]:
        return ()


class Life:
    """A world in which things happen at random for weeks."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        scope = tuple(vault_id(f"kv-{n}").lower() for n in range(0, VAULTS, 2))  # the others ask
        own = {"share": 100, "writes_per_hour": 10_000, "ask": timedelta(days=5), "prices": prices(PRICES)}
        self.world = World(auto_scope=scope, **own)
        self.world.remediators = (VAULT_RECOVERY, Rotation(), WORKSPACE_CMK)
        self.coins = random.Random(seed + 100)
        for n in range(VAULTS):
            self._write(n)
            self._call(vault_id(f"kv-{n}").lower(), n)
        for n in range(WORKSPACES):
            sensitivity = {} if n == 0 else {"data-sensitivity": "confidential"}
            self.world.arm.put(plain_workspace(f"dbw-{n}") | {"tags": {"environment": "prd", **sensitivity}})
            self._told(workspace_id(f"dbw-{n}"))

    def _call(self, vault: str, n: int) -> None:
        """Have a vault called, on some days of the years; of one nobody may say how often, at another nobody counts."""
        days = (NOON + timedelta(days=day) for day in range(-40, DAYS + 10) if n != 10)
        hits = {f"{day:%Y-%m-%d}": self.coins.randrange(10**9) for day in days if self.coins.randrange(4)}
        self.world.vaults.hits[vault] = Denied("AuthorizationFailed", "no right") if n == 9 else hits

    def _use_key(self) -> None:
        """Put a workspace on a key somewhere: of any type and age, or one that is not there. Its event may be lost."""
        coins, world = self.coins, self.world
        name, n = f"dbw-{coins.randrange(WORKSPACES)}", coins.randrange(VAULTS)
        key, version = f"k{coins.randrange(2)}", f"{coins.randrange(3) + 1}" * 32
        made = world.clock.now() - timedelta(days=coins.randrange(500), seconds=coins.randrange(90_000))
        kind, size = coins.choice([("RSA", 2048), ("RSA", 3072), ("RSA", 3072), ("RSA-HSM", 3072), ("RSA", 4096)])
        path = f"{vault_id(f'kv-{n}')}/keys/{key}".lower()
        if coins.randrange(8):
            body = key_body(path, f"kv-{n}", key, made, version, kty=kind, keySize=size)
            world.arm.resources[path] = world.arm.resources[f"{path}/versions/{version}"] = body
        at = {"keyVaultUri": f"https://KV-{n}.vault.azure.net/", "keyName": key, "keyVersion": version}
        entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
        world.arm.put(plain_workspace(name, encryption={"entities": {"managedServices": entity}}))
        if coins.randrange(3):
            self._told(workspace_id(name))

    def day(self) -> None:
        """Live through a day, and its night."""
        if self.coins.randrange(2):
            self._use_key()
        acts = (self._write, self._write, self._lose_event, self._delete, self._refuse, self._answer, self._answer)
        for _ in range(self.dice.randint(0, 7)):
            self.world.clock.advance(self.dice.randint(30, 9_000))
            self.dice.choice(acts)(self.dice.randrange(VAULTS))
        sweep(self.world)
        run(self.world, rounds=2_000)
        self.world.clock.advance(86_400 - self.world.clock.now().hour * 3_600)

    def _write(self, n: int) -> None:
        """Somebody writes a vault, with protection or without; an event tells of it."""
        self._lose_event(n)
        self._told(vault_id(f"kv-{n}"))

    def _lose_event(self, n: int) -> None:
        dice = self.dice
        tags = {
            "cmk-vault": "true", "rotates": dice.choice(["yes", "no", "unread", ""]), "owner": f"team-{n % 3}",
            "cost-center": f"{n % 4}" if n % 4 else "", "environment": dice.choice(["prod", "test", "Production", ""]),
        }  # fmt: skip
        body = vault_body(f"kv-{n}", tags, enablePurgeProtection=dice.choice([True, None]))
        self.world.arm.put(body)

    def _delete(self, n: int) -> None:
        self.world.arm.resources.pop(vault_id(f"kv-{n}").lower(), None)
        self._told(vault_id(f"kv-{n}"))

    def _refuse(self, n: int) -> None:
        """The next write is refused by Azure; then somebody else may put it right."""
        self.world.arm.failures["write"].append(Denied("ScopeLocked", "a lock"))
        self._write(n)
        self.world.arm.failures["write"].clear()

    def _answer(self, _: int) -> None:
        """A person says yes or no, or takes a yes back before it is carried out."""
        world = self.world
        waiting = [it for it in world.records.rows.values() if it.row.state is State.AWAITING_APPROVAL]
        if not waiting:
            return
        stored = self.dice.choice(waiting)
        yes = Yes("ada", stored.row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1))
        with suppress(RemediationError):
            match self.dice.randrange(4):
                case 0:
                    reject(world, stored, "ada", "no")
                case 1:
                    cancel(world, approve(world, stored, yes), "ada", "not yet")
                case _:
                    approve(world, stored, yes)
        run(world, rounds=500)

    def _told(self, target: str) -> None:
        evaluate(self.world, evaluation(self.world, target))
        run(self.world, rounds=500)


def kept(world: World) -> dict[str, Any]:
    """Return the latest figures in the form in which they are reckoned independently."""
    found = world.figures.latest()
    assert found is not None
    paces = {it.control: {name: value for name, value in asdict(it).items() if name != "control"} for it in found.paces}
    groups = {
        (it.by, it.key): (
            it.count.compliant, it.count.noncompliant, it.count.unknown,
            None if it.count.permille is None else it.count.permille / 10,
        )
        for it in found.groups
    }  # fmt: skip
    rotation = (found.rotation.compliant, found.rotation.noncompliant, found.rotation.unknown)
    missed = asdict(found.missed) if found.missed else None
    assert found.age is not None
    sums = (found.cost.whole, *found.cost.groups) if found.cost else ()
    spent = {
        (it.by, it.key): (None if it.amount is None else Fraction(it.amount), it.counted, it.unknown, it.hits, bool(it.why))
        for it in sums
    }  # fmt: skip
    return {
        "age": asdict(found.age), "cost": spent or None,
        "groups": groups, "paces": paces, "missed": missed, "rotation": rotation, "rows": found.rows,
        "targets": found.targets,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_is_what_the_histories_say(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven weeks at random, looked at on some days: each figure as reckoned anew from all there is, to the last digit."""
    monkeypatch.setattr(flow, "_PAGE", 5)
    monkeypatch.setattr(standing, "_TARGETS", 3)
    life, told_of_keys = Life(seed), list[Any]()
    for day in range(DAYS):
        life.day()
        if day % 3 == seed or day == DAYS - 1:
            assert figures(life.world) is not None
            found = kept(life.world)
            assert found == reckoned(life.world, PRICES)
            told_of_keys.append((found["age"], found["cost"]))
    told = kept(life.world)["paces"][""]

    assert set(told["ended"]) == {"automatic", "approved", "outside"}
    assert all(told[name] for name in ("open", "remedied", "reopened", "answered"))
    assert kept(life.world)["missed"]["found"] > 0
    assert all(any(age[name] for age, _ in told_of_keys) for name in ("young", "old", "unknown"))
    for by in ("workspace", "vault", "owner"):
        amounts = {it[0] is None for _, cost in told_of_keys for (kind, _), it in cost.items() if kind == by}
        assert amounts == {True, False}
    assert any(amount and unknown for amount, _, unknown, _, _ in (cost["estate", "all"] for _, cost in told_of_keys))


def test_nothing_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run reads each history once; the next reads what has come since, of the rows where something has."""
    life = Life(4)
    life.day()
    read: list[tuple[str, int]] = []
    ways: list[str] = []
    histories, history = life.world.records.histories, life.world.records.history

    def all_of(first: str, last: str) -> list[tuple[str, Any]]:
        found = histories(first, last)
        ways.append("all")
        read.extend((name, it.n) for name, it in found)
        return found

    def one(row_id: str, after: int = 0) -> tuple[Any, ...]:
        found = history(row_id, after)
        ways.append("one")
        read.extend((row_id, it.n) for it in found)
        return found

    monkeypatch.setattr(life.world.records, "histories", all_of)
    monkeypatch.setattr(life.world.records, "history", one)
    figures(life.world)
    first = set(read)
    assert sorted(read) == sorted((name, it.n) for name, past in life.world.records.past.items() for it in past)

    read.clear()
    figures(life.world)
    assert read == []
    life.world.arm.put(vault_body("kv-new"))
    evaluate(life.world, evaluation(life.world, vault_id("kv-new")))
    figures(life.world)
    assert read
    assert not set(read) & first
    assert {name for name, _ in read} == {world_row(life.world, "kv-new")}
    assert ways == ["all", "one"]


def world_row(world: World, name: str) -> str:
    """Return the id of the only row of a vault."""
    (found,) = [it.row.id for it in world.records.rows.values() if it.row.target.endswith(f"/{name}")]
    return found


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no `finally` either."""


@contextmanager
def dying(world: World, at: int) -> Iterator[list[int]]:
    """Die before the write number `at`, and before every one after it."""
    count = [0]

    def before() -> None:
        count[0] += 1
        if count[0] >= at:
            raise Killed

    world.figures.before = before
    with suppress(Killed):
        yield count
    world.figures.before = lambda: None


def test_a_kill_at_any_write_costs_the_run_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run, once the claim of the dead one has lapsed, says what is true."""
    monkeypatch.setattr(flow, "_PAGE", 2)
    at = 0
    while True:
        at += 1
        life = Life(5)
        life.day()
        with dying(life.world, at) as count:
            figures(life.world)
        if count[0] < at:
            break
        life.world.clock.advance(15 * 60 + 1)
        life.day()
        assert figures(life.world) is not None
        assert kept(life.world) == reckoned(life.world, PRICES)

    assert at > 10


def test_never_twice_at_once() -> None:
    """While one is at it another does nothing; the claim of one that died lapses, and is not given back by the dead."""
    world = World()
    claim = world.figures.claim(world.clock.now(), timedelta(minutes=15))

    assert figures(world) is None
    assert world.figures.days == {}
    world.clock.advance(15 * 60)
    assert figures(world) is not None
    assert world.figures.held is None
    other = world.figures.claim(world.clock.now(), timedelta(minutes=15))
    world.figures.release(claim)
    assert world.figures.held is not None
    assert world.figures.held[0] == other


def test_whoever_asks_gets_fresh_ones_or_the_last() -> None:
    """Made when there are none and when they are an hour old; while another is at it, or storage busy, the last ones."""
    world = World()
    first = shown(world)
    world.clock.advance(3_599)
    again = shown(world)
    world.clock.advance(1)
    later = shown(world)

    assert first is not None
    assert again == first
    assert later is not None
    assert later.made == world.clock.now()
    world.clock.advance(3_600)
    claim = world.figures.claim(world.clock.now(), timedelta(minutes=15))
    assert shown(world) == later
    world.figures.release(claim)
    world.figures.before = _busy
    assert shown(world) == later
    world.figures.days.clear()
    with pytest.raises(Temporary):
        shown(world)


def _busy() -> None:
    raise Temporary("Busy", "storage is busy")


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that takes longer than its patience ends; what it has followed is kept, and the claim given back."""
    monkeypatch.setattr(flow, "_PAGE", 3)
    life = Life(6)
    heads, world = life.world.records.heads, life.world

    def slow(cursor: str, limit: int) -> Any:
        world.clock.advance(11)
        return heads(cursor, limit)

    monkeypatch.setattr(world.records, "heads", slow)

    assert shown(world) is None
    assert 0 < len(world.figures.known) < len(world.records.rows)
    assert world.figures.held is None
    monkeypatch.setattr(world.records, "heads", heads)
    assert shown(world) is not None
    assert kept(world) == reckoned(world, PRICES)


def test_a_day_has_one_set_and_old_ones_go() -> None:
    """The latest of a day stands; after 400 days it is forgotten, and the trend is in the order of days."""
    world = World()
    figures(world)
    world.clock.advance(60)
    figures(world)
    assert [it.made for it in world.figures.days.values()] == [world.clock.now()]

    world.clock.advance(86_400)
    figures(world)
    assert [it.day for it in world.figures.trend("2026-11-24", "2026-11-25")] == ["2026-11-24", "2026-11-25"]
    world.clock.advance(86_400 * 400)
    figures(world)
    assert sorted(world.figures.days) == ["2026-11-25", "2027-12-30"]


def test_what_nobody_knows_is_none() -> None:
    """An empty world has no rate, no time and no sweep; none of them is 0."""
    world = World()
    found = figures(world)

    assert found is not None
    assert (found.missed, found.pace().remedied, found.pace().answered) == (None, None, None)
    assert (found.count("estate", "all").permille, found.rotation.permille) == (None, None)
    assert found.point().mean is None


def test_all_but_one_is_not_all() -> None:
    """A rate is rounded down: 999 of 1,000 and one more thing are not 100 %."""
    assert Count(2_999, 1, 0).permille == 999
    assert Count(3_000).permille == 1000
    assert replace(Count(0), unknown=5).permille == 0


def test_another_plan_is_another_question() -> None:
    """Who is asked about a changed plan has not waited before it; the answer counts from there."""
    world, wanting = asked()
    world.clock.advance(1_000)
    wanting.wants = {"enabledForDeployment": False}
    evaluate(world, evaluation(world))
    changed = the(world).row.asked
    figures(world)
    assert kept(world) == reckoned(world)
    assert kept(world)["paces"][""]["oldest"] == changed

    world.clock.advance(77)
    reject(world, the(world), "ada", "no")
    figures(world)
    assert kept(world) == reckoned(world)
    assert kept(world)["paces"][""]["answered"]["longest"] == 77


def test_what_is_too_old_to_count_is_let_go_of() -> None:
    """A row that lives for years must not grow what is kept of it."""
    old, young = NOON - timedelta(days=31), NOON - timedelta(days=1)
    track = Track(
        4, episodes=(Episode(old, old, Way.OUTSIDE, is_again=False), Episode(old, young, Way.OUTSIDE, is_again=False)),
        questions=(Question(old, old, "approved"), Question(old, young, "approved")),
    )  # fmt: skip
    left = followed(track, (), NOON - timedelta(days=30))

    assert [it.ended for it in left.episodes] == [young]
    assert [it.ended for it in left.questions] == [young]


def test_a_hole_in_a_history_is_not_jumped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that a read does not show yet is waited for: the next run follows on."""
    world, _ = asked()
    whole = world.records.histories
    monkeypatch.setattr(world.records, "histories", lambda first, last: whole(first, last)[1:])
    figures(world)
    assert [it.head for it in world.figures.known.values()] == [0]

    monkeypatch.setattr(world.records, "histories", whole)
    figures(world)
    assert kept(world) == reckoned(world)
