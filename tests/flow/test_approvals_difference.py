"""A plan that changed while it waited: what came and what went is shown, from the history."""

from typing import Any

import pytest

from shared.core.errors import Refused
from shared.core.ports import Stored
from shared.core.record import State
from shared.flow.approve import approve
from shared.flow.evaluate import evaluate
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, policy
from tests.fakes import World
from tests.flow.conftest import evaluation
from tests.flow.narrowing import access_world, look_at, stored_of, yes
from tests.flow.wanting import asked, the


def _refused(world: World, stored: Stored, seen: str) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        approve(world, stored, yes(world, stored.row, fingerprint=seen))
    assert caught.value.reason == "AnotherPlan"
    return dict(caught.value.extra["difference"])


def _replanned() -> tuple[World, str]:
    """Return a world in which another write is needed than the one that somebody saw, and the fingerprint of that."""
    world, wanting = asked()
    seen = the(world).row.plan.fingerprint
    wanting.wants = {"enabledForDeployment": False}
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    return world, seen


def test_the_difference_names_what_came_and_what_went() -> None:
    """Each step with its resource and its end state, never with what was there before."""
    world, seen = _replanned()
    told = _refused(world, the(world), seen)
    row, protected = the(world).row, {"enableSoftDelete": True, "enablePurgeProtection": True}

    assert (told["seen"], told["now"], row.state) == (seen, row.plan.fingerprint, State.AWAITING_APPROVAL)
    assert [it["after"] for it in told["went"]] == [protected]
    assert [it["after"] for it in told["came"]] == [protected | {"enabledForDeployment": False}]
    assert [it["id"] for it in told["came"]] == [step.id for step in row.plan.steps]
    assert all(set(it) == {"id", "kind", "resource", "after"} for it in [*told["came"], *told["went"]])


def test_a_plan_that_nobody_made_has_no_difference() -> None:
    """A fingerprint that is on no record: nothing is said to have come or gone."""
    world, _ = _replanned()
    told = _refused(world, the(world), "f" * 32)

    assert (told["came"], told["went"], told["seen"]) == (None, None, "f" * 32)


def test_the_plan_of_a_wish_is_on_record_too() -> None:
    """An undo that was asked for again, for another state, shows what changed."""
    world = access_world(policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"]))
    look_at(world)
    undo = undo_of(world, stored_of(world), Wish("ada", "x", world.clock.now().replace(day=30)))
    told = _refused(world, undo, "f" * 32)
    asked = world.records.history(undo.row.id)[0]

    assert told["now"] == asked.detail["fingerprint"] == undo.row.plan.fingerprint
    assert [it["id"] for it in asked.detail["steps"]] == [step.id for step in undo.row.plan.steps]
