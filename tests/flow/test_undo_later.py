"""An undo gives back what we took, nothing that others did, and leaves no exemption behind where it did not happen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core import ids
from shared.core.choices import Mode
from shared.core.errors import Denied, Temporary
from shared.core.ports import Stored
from shared.core.record import State, carried_out
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, assignment, policy
from tests.fakes import World, vault_id
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import access_world, after_the_write, entries_of, look_at, row_of, stored_of, yes

BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"])
CRYPTO_OFFICER = "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"


def _undone(world: World, days: int = 10) -> Stored:
    wish = Wish("ada", "it backs up", world.clock.now() + timedelta(days=days))
    undo = undo_of(world, stored_of(world), wish)
    return approve(world, undo, yes(world, undo.row, person="amit"))


def _two_broad_roles() -> World:
    """Two broad roles above a narrow one that is old enough: a plan of two deletions."""
    narrow = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    held = [assignment(vault_id(), DATABRICKS, role, name=role) for role in (narrow, CRYPTO_OFFICER, CRYPTO_USER)]
    return access_world(rbac=True, assigned=held)


def test_what_an_owner_took_while_we_worked_is_not_ours_to_give_back() -> None:
    """While our narrow role settles the owner deletes the broad one: the plan is done, and one step of it was ours."""
    broad = assignment(vault_id(), DATABRICKS, CRYPTO_OFFICER, name=CRYPTO_OFFICER)
    world = access_world(rbac=True, assigned=[broad])
    after_the_write(world, lambda: world.grants.assigned.remove(broad))
    look_at(world)
    row = row_of(world)
    ours = carried_out(row)

    assert (row.state, len(row.plan.steps), len(world.arm.writes())) == (State.RESOLVED, 2, 1)
    assert ours
    assert [step.id for step in ours.steps] == [step.id for step in row.plan.steps if step.done]
    assert len(ours.steps) == 1


def test_an_undo_exempts_what_was_carried_out_not_what_was_found_since() -> None:
    """Since our narrowing somebody gave `all`, which waits: the undo of the older plan does not let that pass."""
    world = access_world(BROAD)
    look_at(world)
    world.choices = replace(world.choices, mode=Mode.APPROVE)
    entries_of(world)[0]["permissions"]["keys"].append("sign")
    world.clock.advance(100)
    look_at(world)
    assert row_of(world).state is State.AWAITING_APPROVAL
    entries_of(world)[0]["permissions"]["keys"].remove("sign")
    _undone(world)
    run(world)
    exemption = row_of(world).exemption
    assert exemption
    assert exemption.covers
    assert ("keys/purge" in exemption.covers, "keys/sign" in exemption.covers) == (True, False)

    world.choices = replace(world.choices, mode=Mode.AUTO)
    entries_of(world)[0]["permissions"]["keys"].append("sign")
    world.clock.advance(100)
    look_at(world)
    assert world.grants.may(DATABRICKS) == {"keys/get", "keys/wrapkey", "keys/unwrapkey"}


def test_an_undo_that_is_throttled_for_ever_exempts_nothing() -> None:
    """Nine times 429: it has failed, nothing came back, and the finding is not exempted."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    world.arm.failures["write"] = [Temporary("TooManyRequests", "later") for _ in range(9)]
    run(world, rounds=100)

    assert world.records.rows[undo.row.id].row.state is State.FAILED
    assert (row_of(world).exemption, "keys/purge" in world.grants.may(DATABRICKS)) == (None, False)


def test_an_undo_that_is_held_on_its_second_try_exempts_nothing() -> None:
    """The kill switch comes between two tries: it waits for a person again, and so does the finding."""
    world = access_world(BROAD)
    look_at(world)
    undo = _undone(world)
    world.arm.failures["write"] = [Temporary("TooManyRequests", "later")]
    after = world.arm.write

    def stopping(*args: Any) -> None:
        world.choices = replace(world.choices, kill_switch=True)
        after(*args)

    world.arm.write = stopping  # type: ignore[method-assign, assignment]
    run(world)

    assert world.records.rows[undo.row.id].row.state is State.AWAITING_APPROVAL
    assert row_of(world).exemption is None


def test_what_a_failed_plan_has_carried_out_can_be_undone_after_the_next_one() -> None:
    """The first deletion is done, the second refused; a smaller plan ends it later: both are ours to undo."""
    world = _two_broad_roles()
    after_the_write(world, lambda: world.arm.failures["write"].append(Denied("AuthorizationFailed", "no")))
    look_at(world)
    assert row_of(world).state is State.FAILED
    world.arm.failures["write"].clear()
    del world.arm.write  # the refusals end
    world.clock.advance(86_400)
    evaluate(world, evaluation(world))
    run(world)
    ours = carried_out(row_of(world))

    assert (row_of(world).state, len(row_of(world).plan.steps)) == (State.RESOLVED, 1)
    assert ours
    assert len(ours.steps) == 2


def test_a_target_that_somebody_else_has_taken_is_not_given_back() -> None:
    """Whoever lost the target while it was at work must not free it for a third."""
    world = access_world(BROAD)
    at, now = ids.parse(vault_id()), world.clock.now()
    assert world.records.reserve(at, "one", now, timedelta(minutes=15))
    assert world.records.reserve(at, "two", now + timedelta(hours=1), timedelta(minutes=15))
    world.records.release(at, "one")

    assert not world.records.reserve(at, "three", now + timedelta(hours=1), timedelta(minutes=15))
