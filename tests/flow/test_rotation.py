"""Rotation: a workspace goes to the newest version of its key after a person's yes, and not within the grace."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core import ids
from shared.core.choices import Mode
from shared.core.control import Drawn
from shared.core.errors import Denied, Refused, Temporary
from shared.core.record import State
from shared.flow.apply import apply
from shared.flow.evaluate import evaluate
from shared.flow.undo import Wish, undo_of
from tests.fakes import World, vault_id, workspace_id
from tests.flow.conftest import delivery, evaluation, run
from tests.flow.moving import look_at, workspace_of
from tests.flow.rotating import KEY, NEW, NEXT, OLD, agree, make, puts, rotating_world, row_of, stored_of, versions

DAY = timedelta(days=1)
ALL = ("managedServices", "managedDisk", "dbfsRoot")


def _stale(**choices: object) -> World:
    """Return a world whose workspace is on an older version, and has been looked at."""
    world = rotating_world(**choices)
    make(world, NEW, 2 * DAY)
    look_at(world)
    return world


def _states(world: World) -> list[str]:
    return [entry.event for entry in world.records.past[row_of(world).id]]


def test_a_workspace_goes_to_the_newest_version_after_a_yes() -> None:
    """All layers under one approval, one write each; nothing else of the workspace changes, "no" to following included."""
    world = _stale()
    before = json.loads(json.dumps(workspace_of(world)))
    asked, written = row_of(world), puts(world)

    agree(world)

    assert (asked.state, asked.decision.reason, written) == (State.AWAITING_APPROVAL, "NeedsAPerson", 0)
    assert versions(world) == dict.fromkeys(ALL, NEW)
    assert (row_of(world).state, puts(world)) == (State.RESOLVED, 3)
    text = json.dumps(before, sort_keys=True).replace(OLD, NEW)
    after = json.loads(json.dumps(workspace_of(world)))
    assert after["properties"]["encryption"] == json.loads(text)["properties"]["encryption"]
    assert (after["tags"], after["sku"]) == (before["tags"], before["sku"])
    look_at(world)
    assert world.records.kept[workspace_id().lower()].moving == ()


def test_the_note_says_what_must_stay() -> None:
    """Whoever agrees reads that the version before must stay enabled for a day, and that nothing is irreversible."""
    steps = row_of(_stale()).plan.steps

    assert len(steps) == 3
    assert all("24 hours" in step.note and not step.irreversible for step in steps)


def test_within_the_grace_nothing_is_asked_and_then_it_is() -> None:
    """The look that finds a young version has the workspace looked at when its grace is over, to the second."""
    world = rotating_world()
    make(world, NEW, timedelta(hours=1))
    world.clock.advance(60)
    evaluate(world, evaluation(world, workspace_id()))
    evaluate(world, evaluation(world, workspace_id()))
    waiting = [(body, delay) for queue, body, delay in world.queue.sent if queue == "evaluate" and body["due"]]
    young = stored_of(world)
    run(world, rounds=300)

    assert young is None
    assert [(body["id"], delay) for body, delay in waiting] == [(workspace_id(), 23 * 3600 - 60 + 1)]
    assert row_of(world).state is State.AWAITING_APPROVAL
    assert (world.clock.now() - row_of(world).opened) < timedelta(minutes=5)
    assert puts(world) == 0


def test_what_is_known_already_is_not_read_again() -> None:
    """One call tells version, age and policy where the newest version is in use; the one in use is read only where it is older."""
    fresh, stale = rotating_world(), rotating_world()
    make(stale, NEW, 2 * DAY)
    for world in (fresh, stale):
        evaluate(world, evaluation(world, workspace_id()))

    assert [world.arm.calls.count(("GET", KEY)) for world in (fresh, stale)] == [1, 2]


def test_what_only_a_control_that_is_off_needs_is_not_read() -> None:
    """Without KEY-ROTATION no newest version is asked for; without DBX-CMK as well, nothing around the workspace is."""
    rotation, both = (
        rotating_world(modes=dict.fromkeys(off, Mode.OFF)) for off in (["KEY-ROTATION"], ["KEY-ROTATION", "DBX-CMK"])
    )
    for world in (rotation, both):
        make(world, NEW, 2 * DAY)
        evaluate(world, evaluation(world, workspace_id()))

    assert rotation.arm.calls.count(("GET", KEY)) == 1
    assert [call for call in both.arm.calls if call[1] != workspace_id().lower()] == []
    assert (stored_of(rotation), stored_of(both)) == (None, None)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_reply_writes_nothing_twice(lost: int) -> None:
    """Nobody knows whether the write took effect: what is read decides, and each layer is written once."""
    world = _stale()
    world.arm.loses_replies = True
    world.arm.failures["write"] = [Temporary("ConnectionLost", "cut")] * lost

    agree(world)

    assert (row_of(world).state, puts(world)) == (State.RESOLVED, 3)
    assert versions(world) == dict.fromkeys(ALL, NEW)


def test_somebody_elses_key_is_not_overwritten() -> None:
    """Whoever puts a layer on another key between the look and the write is not undone."""
    world = _stale()
    read, seen = world.arm.read, []

    def moved(target: object) -> object:
        body = read(target)  # type: ignore[arg-type]
        seen.append(str(target))
        if seen.count(workspace_id()) == 1:  # of the look before the write: from now on it is another
            entity = workspace_of(world)["properties"]["encryption"]["entities"]["managedServices"]
            body = json.loads(json.dumps(body))
            entity["keyVaultProperties"]["keyVersion"] = NEXT
        return body

    stored = stored_of(world)
    assert stored is not None
    agreed = replace(stored.row, state=State.QUEUED, approved=tuple(step.id for step in stored.row.plan.steps))
    world.records.rows[agreed.id] = replace(stored, row=agreed)
    world.arm.read = moved  # type: ignore[method-assign, assignment]
    body = json.dumps({"remediation": agreed.id, "fingerprint": agreed.plan.fingerprint})
    apply(world, delivery(body, world.clock.now()))

    assert (puts(world), versions(world)["managedServices"]) == (0, NEXT)
    assert world.records.past[agreed.id][-1].reason == "ChangedMeanwhile"


def test_a_version_that_comes_after_the_yes_takes_a_new_one() -> None:
    """Nobody has agreed to that: it has its grace first, and is asked for anew."""
    world = _stale()
    make(world, NEXT, 2 * DAY)

    agree(world)

    assert (puts(world), row_of(world).state) == (0, State.AWAITING_APPROVAL)
    assert {step.after["version"] for step in row_of(world).plan.steps} == {NEXT}
    assert "superseded" in _states(world)


def test_a_change_that_failed_is_made_anew_after_a_retry() -> None:
    """What Azure shows after a failure is no proof, also where it shows the new version."""
    world = _stale()
    write = world.arm.write

    def fails(request: object, correlation: str) -> bool:
        write(request, correlation)  # type: ignore[arg-type]
        workspace_of(world)["properties"]["provisioningState"] = "Failed"
        raise Denied("PERMISSION_DENIED", "no")

    world.arm.write = fails  # type: ignore[method-assign]
    agree(world)
    failed = row_of(world)
    world.arm.write = write  # type: ignore[method-assign]
    look_at(world)

    assert (failed.state, puts(world), versions(world)["managedServices"]) == (State.FAILED, 1, NEW)
    assert world.records.kept[workspace_id().lower()].moving == ("managedServices",)
    assert row_of(world).verdict == "NonCompliant"


def test_another_change_that_failed_leaves_it_unknown() -> None:
    """A workspace whose owner's change has failed is not written to."""
    world = rotating_world()
    make(world, NEW, 2 * DAY)
    workspace_of(world)["properties"]["provisioningState"] = "Failed"
    look_at(world)

    assert (row_of(world).verdict, row_of(world).finding.reason) == ("Unknown", "WorkspaceHasFailed")


def test_a_foreign_key_under_a_name_of_ours_is_no_matter_of_rotation() -> None:
    """The names that a migration has drawn are its own affair: nothing is forgotten, and nothing fails."""
    world = _stale()
    name = Drawn("", vault_id().lower(), "k", world.clock.now() - DAY, "9" * 32)
    world.records.remember(ids.parse(workspace_id()), lambda before: replace(before, drawn=(name,)))

    agree(world)

    assert row_of(world).state is State.RESOLVED
    assert world.records.kept[workspace_id().lower()].drawn == (name,)


def test_the_way_back_is_a_persons() -> None:
    """An undo is refused, and says where it is written how a person does it."""
    world = _stale()
    agree(world)
    stored = stored_of(world)
    assert stored is not None
    wish = Wish("dana", "back", world.clock.now() + DAY)

    with pytest.raises(Refused, match="runbook") as refused:
        undo_of(world, stored, wish)

    assert refused.value.reason == "NotByUs"


def test_a_key_without_a_policy_is_a_ticket_for_each_layer() -> None:
    """It is none of the question about versions, and says the command."""
    world = rotating_world()
    world.arm.resources[KEY]["properties"].pop("rotationPolicy")
    look_at(world)
    rows = [row_of(world, layer) for layer in ALL]

    assert stored_of(world) is None
    assert {(row.finding.reason, row.decision.kind) for row in rows} == {("NoRotationPolicy", "ticket")}
    assert all("rotation-policy update" in row.finding.evidence["proposed"][0] for row in rows)
