"""Events get lost: a survey finds what none told of, looks at nothing that is as it was, and closes nothing it cannot see."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.core.choices import Mode
from shared.core.errors import Denied, RemediationError, Temporary
from shared.core.record import State
from shared.core.survey import Progress, Share
from shared.flow.evaluate import evaluate
from shared.flow.survey import begin, take_share
from shared.flow.sweep import sweep
from tests.access import Access
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import again, delivery, evaluation, run

TAGS = {"cmk-vault": "true"}


def survey(world: World) -> Share:
    """Survey the estate, let everything happen that follows, and return what the one subscription's share found."""
    world.clock.advance(200)  # what has changed a minute ago may have an event on its way
    begun = begin(world, "ada")
    while world.queue.of("sweep"):
        take_share(world, delivery(world.queue.take("sweep"), world.clock.now()))
    run(world, rounds=400)
    kept = world.surveys.get(begun.id)
    assert kept is not None
    (share,) = kept.shares
    return share


def _vault(world: World, name: str, tags: dict[str, str] | None = None, **properties: Any) -> None:
    """Put a vault into the world, and lose the event."""
    own = TAGS if tags is None else tags
    world.arm.put(vault_body(name, tags=own, **properties) | {"id": vault_id(name)})


def _counts(share: Share) -> tuple[int, int, int, int]:
    return share.listed, share.missed, share.changed, share.gone


def test_what_no_event_told_of_is_found(world: World) -> None:
    """A tagged vault and a workspace that nobody has looked at; a vault for other things is left alone."""
    _vault(world, "kv-lost")
    _vault(world, "kv-other", tags={})
    share = survey(world)

    assert (share.progress, _counts(share)) == (Progress.DONE, (2, 1, 0, 0))
    assert [row.row.target for row in world.records.rows.values()] == [vault_id("kv-lost")]
    assert all("kv-other" not in path for _, path in world.arm.calls)


def test_what_is_as_it_was_is_not_looked_at(world: World) -> None:
    """Twenty vaults cost a list of keys each, the grants of the subscription three lists; no vault is read, nobody woken."""
    access = Access({})
    world.arm.access = access
    for number in range(20):
        _vault(world, f"kv-{number}", enablePurgeProtection=True, enableRbacAuthorization=number == 0)
    first, learning = survey(world), survey(world)
    world.arm.calls.clear()
    world.vaults.calls.clear()
    access.calls.clear()
    last = survey(world)

    assert [(_counts(it), it.looked) for it in (first, learning, last)] == [
        ((20, 20, 0, 0), 0), ((20, 0, 0, 0), 21), ((20, 0, 0, 0), 0),
    ]  # fmt: skip
    assert world.arm.calls == []
    assert len(world.vaults.calls) == len(set(world.vaults.calls)) == 20
    assert access.calls == ["list roleAssignments", "list denyAssignments", "list roleDefinitions"]


def test_what_has_changed_unseen_is_looked_at(world: World) -> None:
    """The protection of a vault is as it was, then its tag, then who may use its keys: each is a change that rules could see."""
    _vault(world, "kv-one", enablePurgeProtection=True)
    survey(world)
    entry = {"tenantId": "t", "objectId": "o", "permissions": {"keys": ["purge"]}}
    found = []
    for body in (
        {"tags": {**TAGS, "environment": "sandbox"}, "enablePurgeProtection": True},
        {"tags": TAGS, "enablePurgeProtection": None},
        {"tags": TAGS, "enablePurgeProtection": True, "accessPolicies": [entry]},
    ):
        _vault(world, "kv-one", **body)
        found.append(_counts(survey(world)))

    assert found == [(1, 0, 1, 0)] * 3


def test_what_is_gone_closes_its_finding(world: World) -> None:
    """A vault that was deleted while nobody listened: its finding ends with that reason."""
    world.choices = world.choices.__class__(mode=Mode.OBSERVE, gap=timedelta(0))
    _vault(world, "kv-one")
    survey(world)
    world.arm.resources.pop(vault_id("kv-one").lower())
    share = survey(world)
    row = world.row()
    last = world.records.past[row.id][-1]

    assert _counts(share) == (0, 0, 0, 1)
    assert (row.state, last.detail["finding"]) == (State.SUPERSEDED, "VaultIsGone")
    assert world.estate.kept == {}


def test_what_cannot_be_seen_is_closed_by_nobody(world: World) -> None:
    """The reader has lost its role on a subscription: it looks empty to Resource Graph, and nothing of it is taken for gone."""
    world.choices = world.choices.__class__(mode=Mode.OBSERVE, gap=timedelta(0), subscriptions=(SUBSCRIPTION,))
    _vault(world, "kv-one")
    survey(world)
    world.inventory.unseen.add(SUBSCRIPTION)
    world.arm.resources.pop(vault_id("kv-one").lower())
    share = survey(world)

    assert (share.progress, _counts(share)) == (Progress.UNREAD, (0, 0, 0, 0))
    assert share.problem.startswith("NotVisible")
    assert world.row().state is State.OBSERVED


@pytest.mark.parametrize(
    ("error", "tries"), [(Temporary("TooManyRequests", "slow"), 9), (Denied("Forbidden", "no"), 1)]
)
def test_a_share_that_cannot_be_read_is_named_in_the_end(world: World, error: RemediationError, tries: int) -> None:
    """What may work later is tried nine times, ever later; then, or at once, the share is unread with the reason."""
    _vault(world, "kv-one")
    world.inventory.failures = [error] * 20
    begun = begin(world)
    delays = []
    for _ in range(tries):
        take_share(world, delivery(world.queue.take("sweep"), world.clock.now()))
        delays += [delay for queue, _, delay in world.queue.sent if queue == "sweep"]
    kept = world.surveys.get(begun.id)

    assert kept is not None
    assert (kept.is_over, kept.unread) == (True, (SUBSCRIPTION,))
    assert kept.shares[0].problem.startswith(f"{error.reason}: ")
    assert delays == sorted(delays)
    assert len(delays) == tries - 1
    assert world.records.rows == {}


def test_two_at_once_are_one_and_what_was_lost_is_sent_again(world: World) -> None:
    """Whoever asks while one runs gets that one; its messages, which may have been lost, go out once more."""
    _vault(world, "kv-one")
    first = begin(world)
    world.queue.sent.clear()  # killed before its messages went out
    second = begin(world, "ada")
    third = begin(world, "amit")
    while world.queue.of("sweep"):
        take_share(world, delivery(world.queue.take("sweep"), world.clock.now()))
    kept = world.surveys.get(first.id)

    assert first.id == second.id == third.id
    assert kept is not None
    assert (kept.is_over, kept.by, kept.found) == (True, "", 1)
    assert len(world.queue.of("evaluate")) == 1  # the doubled message met a share that was done


def test_one_that_never_ended_keeps_no_other_from_beginning(world: World) -> None:
    """A day later the next night begins its own; what is left of the old one finds that it is old, or ends it."""
    first = begin(world)
    world.clock.time += timedelta(days=1)
    second = begin(world)

    assert first.id != second.id
    assert [it["survey"] for it in world.queue.of("sweep")] == [first.id, second.id]


def test_the_night_begins_one(world: World) -> None:
    """The timer's sweep surveys as well; where Resource Graph cannot be asked the rest of the night goes on."""
    sweep(world)
    assert len(world.queue.of("sweep")) == 1
    world.surveys.kept.clear()

    def busy() -> frozenset[str]:
        raise Temporary("TooManyRequests", "slow")

    world.inventory.subscriptions = busy  # type: ignore[method-assign]
    assert sweep(world) == 0
    assert world.surveys.kept == {}


@pytest.mark.parametrize("seed", range(3))
def test_after_one_survey_the_findings_are_those_of_the_world(seed: int) -> None:
    """2,000 random changes, every tenth event lost and every tenth doubled: what is on record is what is so."""
    draw = random.Random(seed)
    world = World(mode=Mode.OBSERVE)
    for number in range(2000):
        name = f"kv-{draw.randrange(60)}"
        body = vault_body(name, tags=TAGS, enablePurgeProtection=draw.choice([True, None])) | {"id": vault_id(name)}
        if draw.random() < 0.2:
            world.arm.resources.pop(vault_id(name).lower(), None)
        else:
            world.arm.put(body)
        for _ in range(draw.choices([0, 1, 2], [10, 80, 10])[0]):
            evaluate(world, evaluation(world, vault_id(name)))
        if number % 50 == 0:
            world.clock.advance(1)
    run(world, rounds=20_000)
    survey(world)
    fresh = World(mode=Mode.OBSERVE)
    fresh.arm.resources = dict(world.arm.resources)
    for body in list(fresh.arm.resources.values()):
        evaluate(fresh, evaluation(fresh, body["id"]))

    assert _findings(world) == _findings(fresh)
    assert len(_findings(fresh)) > 10


def _findings(world: World) -> set[tuple[str, str, str]]:
    return {
        (it.row.control, it.row.target, it.row.finding.reason) for it in world.records.rows.values() if it.row.is_open
    }


def test_workspaces_come_before_the_vaults_that_they_name(world: World) -> None:
    """A workspace nobody has looked at names a vault without a tag: its look wakes the vault."""
    world.arm.put(workspace_body(), vault_body(tags={}))
    share = survey(world)

    assert _counts(share) == (2, 1, 0, 0)
    assert ("GET", vault_id().lower()) in world.arm.calls
    assert workspace_id().lower() in world.estate.kept


class Killed(BaseException):
    """The worker died: nothing of ours may catch it."""


class Reaper:
    """Dies before or after the n-th write of a survey: to the queue or to its own records."""

    def __init__(self, world: World, at: int, *, after: bool) -> None:
        self.left, self.after, self.died = at, after, False
        for owner, name in (
            (world.queue, "send"),
            (world.surveys, "begin"),
            (world.surveys, "keep"),
            (world.estate, "saw"),
        ):
            setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **words: Any) -> Any:
            self.left -= 1
            dies = self.left == 0
            self.died = self.died or dies
            if dies and not self.after:
                raise Killed
            result = write(*args, **words)
            if dies:
                raise Killed
            return result

        return watched


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_write_a_survey_ends_and_loses_nothing(after: bool) -> None:
    """Messages come again, and somebody asks again: each share ends once, what was lost is found, nothing is done twice."""
    for at in range(1, 40):
        world = World()
        for number in range(3):
            _vault(world, f"kv-{number}")
        reaper = Reaper(world, at, after=after)
        for _ in range(2):  # the timer of the next night, or a person
            with suppress(Killed):
                begin(world)
            while world.queue.of("sweep"):
                message = delivery(world.queue.take("sweep"), world.clock.now())
                for _ in range(2):  # at least once
                    with suppress(Killed):
                        take_share(world, message)
                    message = again(message)
        reaper.left = 0  # nobody dies over what follows: other tests see to that
        world.queue.sent = [it for it in world.queue.sent if it[0] != "sweep"]
        run(world, rounds=400)
        kept = [survey for survey in world.surveys.kept.values() if survey.is_over]

        assert len(kept) == len(world.surveys.kept) >= 1
        assert {row.row.target for row in world.records.rows.values()} == {vault_id(f"kv-{n}") for n in range(3)}
        assert all(row.row.state is State.RESOLVED for row in world.records.rows.values())
        assert len(world.arm.writes()) == 3
        if not reaper.died:
            break
    assert not reaper.died, "there are more writes than were tried"
    assert at > 5
