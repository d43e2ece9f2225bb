"""A key is asked for by one, approved by another, made once, and known from then on. Whatever is missing is a no."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from shared.core import ids
from shared.core.choices import Freeze, KeyVault, Mode
from shared.core.errors import BadInput, Denied, Refused, Temporary
from shared.core.record import State
from shared.core.wake import Cause
from shared.flow.apply import apply
from shared.flow.approve import reject
from shared.flow.confirm import confirm
from shared.flow.retry import retry
from shared.flow.sweep import sweep
from tests.bricks import key_body
from tests.fakes import NOON, SUBSCRIPTION, World, vault_body, vault_id, workspace_id
from tests.flow import moving
from tests.flow.conftest import again, delivery, run
from tests.flow.moving import look_at, plain_workspace, stored_of, workspace_of
from tests.flow.pleading import ASKED, agree, asked, calm_world, judged, keys_of, plead, say_yes

ELSEWHERE = "22222222-2c6d-4f0a-8b1e-5d9c7a3e0002"


def _use(world: World, key: str) -> None:
    """Put a layer of the workspace on a key, as its owner does."""
    at = {"keyVaultUri": "https://kv-one.vault.azure.net/", "keyName": key, "keyVersion": "1" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": at}
    workspace_of(world)["properties"]["encryption"] = {"entities": {"managedServices": entity}}


def test_the_whole_way() -> None:
    """Asked for, told, approved by somebody else, made once under a drawn name, read back, known at its vault."""
    world = calm_world()
    plead(world)
    waits, before = asked(world), keys_of(world)
    agree(world)
    (key,) = keys_of(world)
    _use(world, key)
    row, found = asked(world), judged(world)

    assert (waits.state, waits.decision.reason, waits.requester, before) == (
        "awaiting_approval",
        "KeyIsAsked",
        "ada",
        [],
    )
    assert waits.vault == vault_id()
    assert [(it.kind, it.resource) for it in waits.plan.steps] == [("key.create", vault_id())]
    assert (row.state, row.finding.reason, row.finding.evidence["keys"]) == (State.RESOLVED, "KeyMade", [key])
    assert key.startswith("cmk-dbw-one-")
    assert [call for call in world.arm.writes() if "/keys/" in call[1]] == [("PUT", f"{vault_id()}/keys/{key}".lower())]
    assert world.records.kept[vault_id().lower()].made == (key,)
    assert found is None
    assert [it.event for it in world.records.past[ASKED]] == [
        "asked",
        "approved",
        "claimed",
        "writing",
        "stepped",
        "claimed",
        "resolved",
    ]


def test_nobody_approves_what_they_have_asked_for() -> None:
    """Not the requester; and not whoever has picked the vault where the key would be."""
    world = calm_world()
    plead(world)

    with pytest.raises(Refused, match="OwnRequest"):
        agree(world, "ada")
    assert keys_of(world) == []


def test_the_same_request_twice_is_one() -> None:
    """Whoever asks again is shown the open one; nothing is written, and it stays the first one's request."""
    world = calm_world()
    first = plead(world)
    again, others = plead(world), plead(world, "bob")

    assert first == again == others
    assert (asked(world).requester, len(world.records.past[ASKED])) == ("ada", 1)


def test_two_who_ask_at_once_share_one_request() -> None:
    """The other's was saved between our read and our write: theirs is shown."""
    world = calm_world()
    save, rival = world.records.save, [partial(plead, world, "bob")]

    def raced(*args: object) -> object:
        if rival:
            rival.pop()()
        return save(*args)  # type: ignore[arg-type]

    world.records.save = raced  # type: ignore[method-assign, assignment]
    shown = plead(world)

    assert (shown.row.requester, len(world.records.past[ASKED])) == ("bob", 1)


def test_a_key_that_no_layer_is_on_must_be_used_first() -> None:
    """409 and what to do. Once a layer is on it there may be another; a request whose key was deleted may be made again."""
    world = calm_world()
    plead(world)
    agree(world)
    (key,) = keys_of(world)
    with pytest.raises(Refused, match=f"KeyIsUnused.*{key} in vault kv-one: put a layer on it"):
        plead(world)
    _use(world, key)
    plead(world)
    agree(world)

    assert (len(keys_of(world)), asked(world).occurrence, asked(world).state) == (2, 2, State.RESOLVED)
    assert judged(world) is None


def test_a_key_that_somebody_deleted_may_be_asked_for_anew() -> None:
    """There is none any more."""
    world = calm_world()
    plead(world)
    agree(world)
    del world.arm.resources[f"{vault_id()}/keys/{keys_of(world)[0]}".lower()]
    plead(world)
    agree(world)

    assert len(keys_of(world)) == 1


def test_the_migration_takes_the_key_that_was_asked_for() -> None:
    """No second one is made for the same workspace."""
    world = moving.moving_world()
    plead(world)
    agree(world)
    look_at(world)
    steps = [it.kind for it in stored_of(world).row.plan.steps]
    moving.agree(world)

    assert "key.create" not in steps
    assert set(moving.layers_of(world).values()) == set(keys_of(world))
    assert len(keys_of(world)) == 1


def test_a_migration_keeps_the_key_that_it_has_drawn() -> None:
    """While one is under way nothing may be asked for; what was approved before waits for its end and needs no key then."""
    world = moving.moving_world(rbac=True)
    look_at(world)
    plead(world)
    moving.agree(world, "bob", expires=world.clock.now() + timedelta(days=20))
    half_way = stored_of(world).row
    agree(world)

    assert half_way.decision.reason == "AwaitsConfirmation"
    assert len(keys_of(world)) == 1
    with pytest.raises(Refused, match="MigrationIsUnderWay"):
        plead(world)


def test_after_its_migration_a_workspace_may_have_another_key() -> None:
    """All is done and confirmed: the key of the migration is in use, and another one may be asked for."""
    world = moving.moving_world()
    look_at(world)
    moving.agree(world)
    confirm(world, stored_of(world), "dana", "restarted")
    run(world)
    plead(world)
    agree(world)

    assert stored_of(world).row.state is State.RESOLVED
    assert (asked(world).state, len(keys_of(world))) == (State.RESOLVED, 2)
    assert set(moving.layers_of(world).values()) < set(keys_of(world))


def test_a_request_waits_for_a_migration_that_rests_half_way() -> None:
    """As long as the yes holds, and makes no key beside it; the key that the migration makes in the end is what it wanted."""
    world = moving.moving_world()
    look_at(world)
    plead(world)
    world.arm.failures["write"] = [Denied("AuthorizationFailed", "no")]
    moving.agree(world)
    assert stored_of(world).row.state is State.FAILED
    agree(world, expires=world.clock.now() + timedelta(hours=2))
    waited = [it.reason for it in world.records.past[ASKED] if it.event == "waiting"]
    assert (asked(world).decision.reason, set(waited), keys_of(world)) == (
        "ApprovalExpired",
        {"MigrationIsUnderWay"},
        [],
    )
    retry(world, stored_of(world), Cause("person", "r-1", "bob"))
    run(world, rounds=100)
    agree(world)

    assert stored_of(world).row.decision.reason == "AwaitsConfirmation"
    assert (asked(world).state, asked(world).finding.evidence["keys"]) == (State.RESOLVED, keys_of(world))
    assert len(keys_of(world)) == 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"workspace": vault_id()}, "NotAWorkspace"),
        ({"workspace": workspace_id(subscription=ELSEWHERE)}, "OutsideEstate"),
        ({"workspace": "dbw-one"}, "BadResourceId"),
        ({"reason": " "}, "NoComment"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, str], error: str) -> None:
    """A request names a workspace of the estate and says why."""
    world = calm_world(subscriptions=(SUBSCRIPTION,))

    with pytest.raises(BadInput) as caught:
        plead(world, **wrong)
    assert (caught.value.reason, world.records.rows, world.queue.sent) == (error, {}, [])


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ({"key_vaults": ()}, "NoVaultChosen"),
        ({"key_vaults": (KeyVault(ids.parse(vault_id())),)}, "NoVaultChosen"),
        ({"key_vaults": (KeyVault(ids.parse(vault_id("kv-gone")), SUBSCRIPTION, "westeurope"),)}, "VaultNotReadable"),
        ({"tenant": "another"}, "VaultInAnotherTenant"),
        ({"mode": Mode.OBSERVE}, "ModeIsObserve"),
        ({"modes": {"KEY-KNOWN": Mode.OFF}}, "ModeIsObserve"),
        ({"key_requests": 0}, "TooManyKeyRequests"),
        ({"layers": frozenset[str]()}, "NoLayer"),
    ],
)
def test_where_no_key_can_be_had_the_reason_is_told(choices: dict[str, object], reason: str) -> None:
    """Nothing is opened, and it counts against nobody."""
    world = calm_world()
    world.choices = replace(world.choices, **choices)  # type: ignore[arg-type]

    with pytest.raises(Refused) as caught:
        plead(world)
    assert (caught.value.reason, world.records.rows, world.records.ledger) == (reason, {}, {})


def test_an_unprotected_vault_holds_no_new_key() -> None:
    """Purge protection comes first: a migration's plan turns it on, a request does not."""
    world = calm_world(protected=False)

    with pytest.raises(Refused, match="VaultNotProtected"):
        plead(world)


def test_a_workspace_that_is_not_there_gets_none() -> None:
    """Nor one that may not be read."""
    world = calm_world()

    with pytest.raises(BadInput, match="NoWorkspace"):
        plead(world, workspace=workspace_id("dbw-two"))


def test_a_person_may_ask_for_so_many_a_day() -> None:
    """The third of the day is refused to her, not to others; a day later she may again. Refusals count for nothing."""
    world = calm_world(key_requests=2)
    names = [f"dbw-{n}" for n in range(4)]
    world.arm.put(*(plain_workspace(name) for name in names))
    plead(world, workspace=workspace_id(names[0]))
    plead(world, workspace=workspace_id(names[1]))
    for _ in range(3):
        with pytest.raises(Refused, match="TooManyKeyRequests"):
            plead(world, workspace=workspace_id(names[2]))
    plead(world, "bob", workspace=workspace_id(names[2]))
    world.clock.advance(86_401)
    plead(world, workspace=workspace_id(names[3]))

    assert [it.row.requester for it in world.records.rows.values()] == ["ada", "ada", "bob", "ada"]


def test_a_request_that_was_refused_may_be_made_again() -> None:
    """By anybody, as another occurrence; it takes a yes of its own."""
    world = calm_world()
    reject(world, plead(world), "amit", "not now")
    plead(world, "bob")

    assert (asked(world).state, asked(world).occurrence, asked(world).requester) == (State.AWAITING_APPROVAL, 2, "bob")
    assert asked(world).approvals == ()


def test_nobody_answers() -> None:
    """Two weeks later it has expired, and nothing was made."""
    world = calm_world(remind=timedelta(0))
    plead(world)
    world.queue.sent.clear()
    world.clock.advance(15 * 86_400)
    sweep(world)

    assert (asked(world).state, keys_of(world)) == (State.EXPIRED, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"freezes": (Freeze(NOON, NOON + timedelta(days=9)),)}, "ChangeFreeze"),
        ({"kill_switch": True}, "KillSwitch"),
        ({"modes": {"KEY-KNOWN": Mode.OBSERVE}}, "ModeIsObserve"),
    ],
)
def test_what_came_in_between_holds_it(changes: dict[str, object], reason: str) -> None:
    """Approved, and then a stop: it waits for people again, and no key is made."""
    world = calm_world()
    plead(world)
    send = world.queue.send

    def stopped(*args: object, **more: object) -> object:
        world.choices = replace(world.choices, **changes)  # type: ignore[arg-type]
        return send(*args, **more)  # type: ignore[arg-type]

    world.queue.send = stopped  # type: ignore[method-assign, assignment]
    agree(world)

    assert (asked(world).state, asked(world).decision.reason) == (State.AWAITING_APPROVAL, reason)
    assert keys_of(world) == []


def test_another_vault_than_was_approved_gets_no_key() -> None:
    """The deployment names another vault between the yes and the write: the yes was for the first one."""
    world = calm_world()
    world.arm.put(vault_body("kv-two", tags={}, **world.grants.vault["properties"]))
    plead(world)
    other = KeyVault(ids.parse(vault_id("kv-two")), SUBSCRIPTION, "westeurope")
    stored = asked(world)
    world.choices = replace(world.choices, key_vaults=(other,))
    agree(world)

    assert stored.vault == vault_id()
    assert (asked(world).state, world.records.past[ASKED][-1].reason) == (State.FAILED, "PlanHasChanged")
    assert keys_of(world) == keys_of(world, vault_id("kv-two")) == []


def test_a_key_for_each_layer_where_the_deployment_says_so() -> None:
    """Three purposes, three keys, one request."""
    world = calm_world(key_per_layer=True)
    plead(world)
    agree(world)

    assert (asked(world).state, len(keys_of(world)), len(asked(world).finding.evidence["keys"])) == ("resolved", 3, 3)
    assert judged(world) is None


def test_somebody_elses_key_under_the_drawn_name_is_not_taken() -> None:
    """Azure hands back what is there already: it is not ours, the request fails, and the vault does not know it."""
    world = calm_world()
    plead(world)
    write = world.arm.write

    def rival(request_: object, correlation: str) -> bool:
        path = f"{request_.path}{request_.below}".lower()  # type: ignore[attr-defined]
        old = world.clock.now() - timedelta(days=30)
        world.arm.resources[path] = key_body(path, "kv-one", path.rsplit("/", 1)[1], old)
        return write(request_, correlation)  # type: ignore[arg-type]

    world.arm.write = rival  # type: ignore[method-assign, assignment]
    agree(world)
    found = judged(world)

    assert (asked(world).state, world.records.past[ASKED][-1].reason) == (State.FAILED, "KeyNotOurs")
    assert world.records.kept[vault_id().lower()].made == ()
    assert found
    assert found.finding.reason == "HoldsStrayKeys"


@pytest.mark.parametrize("loses", [True, False])
def test_a_write_that_fails_is_made_again_without_a_second_key(loses: bool) -> None:
    """The answer is lost, or the write was: either way there is one key at the end."""
    world = calm_world()
    plead(world)
    world.arm.loses_replies = loses
    world.arm.failures["write"] = [Temporary("InternalServerError", "later")]
    agree(world)

    assert (asked(world).state, len(keys_of(world))) == (State.RESOLVED, 1)


def test_what_azure_refuses_has_failed_and_can_be_tried_again() -> None:
    """A lock: the request says so; nothing was made."""
    world = calm_world()
    plead(world)
    world.arm.failures["write"] = [Denied("ScopeLocked", "locked")]
    agree(world)

    assert (asked(world).state, asked(world).executor) == (State.FAILED, {})
    assert asked(world).finding.evidence["stands_in_the_way"]["reason"] == "ScopeLocked"
    assert keys_of(world) == []


class _KilledError(BaseException):
    """The process ends here."""


def _dies(world: World, at: int, *, is_done: bool) -> None:
    """Let the process end once, at the so-many-th write to storage, queue or Azure: right before it or right after it."""
    left = [at]

    def dying(verb: Callable[..., Any]) -> Callable[..., Any]:
        def tried(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == -1 and not is_done:
                raise _KilledError
            answer = verb(*args, **more)
            if left[0] == -1:
                raise _KilledError
            return answer

        return tried

    for thing, name in (
        (world.records, "save"), (world.records, "remember"), (world.arm, "write"), (world.queue, "send"),
    ):  # fmt: skip
        setattr(thing, name, dying(getattr(thing, name)))


def _deliver(world: World) -> int:
    """Deliver what is on `apply` until nothing is left, each message again after a kill; return how often one came."""
    kills = 0
    while waiting := [it for it in world.queue.sent if it[0] == "apply"]:
        world.queue.sent.remove(waiting[0])
        message = delivery(json.dumps(waiting[0][1]), world.clock.now())
        world.clock.advance(max(waiting[0][2], 1))
        try:
            apply(world, message)
        except _KilledError:
            kills += 1
            apply(world, again(message))
    return kills


@pytest.mark.parametrize("is_done", [False, True])
def test_a_kill_at_any_write_leaves_one_key(is_done: bool) -> None:
    """Before or after each save, each lesson and each write to Azure: its message comes again, and there is one key."""
    deaths = 0
    for at in range(30):
        world = calm_world()
        plead(world)
        say_yes(world)
        _dies(world, at, is_done=is_done)
        kills = _deliver(world)
        deaths += kills

        assert (asked(world).state, len(keys_of(world)), at) == (State.RESOLVED, 1, at)
        assert world.records.kept[vault_id().lower()].made == tuple(keys_of(world))
        if not kills:
            break
    assert deaths >= 10
