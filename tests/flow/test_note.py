"""Each look leaves its judgement for the page of the estate; what is gone leaves it."""

from dataclasses import replace

from shared.core import ids
from shared.core.choices import Mode
from shared.core.plan import may_write
from shared.core.record import State
from shared.flow.evaluate import evaluate
from tests.fakes import World, vault_body, vault_id, workspace_id
from tests.flow import moving
from tests.flow.conftest import evaluation


def test_a_vault_is_listed_from_its_first_look_until_it_is_gone(world: World) -> None:
    """What was said of it, and the record that has more; nothing once Azure says that there is no such vault."""
    world.arm.put(vault_body(tags={"cmk-vault": "true", "environment": "Prod", "owner": "ada"}))
    evaluate(world, evaluation(world))
    (noted,) = world.estate.page(ids.VAULT, text="", worst="", cursor="", limit=5).items
    world.clock.advance(60)
    world.arm.resources.pop(vault_id().lower())
    evaluate(world, evaluation(world))

    assert (noted.worst, noted.environments, noted.owner) == ("NonCompliant", ("prod",), "ada")
    (ruling,) = noted.rulings
    assert (ruling.control, ruling.reason, ruling.remediation) == (
        "KV-RECOVERY", "PurgeProtectionIsOff", world.row().id,
    )  # fmt: skip
    assert world.estate.kept == {}


def test_a_vault_of_which_no_control_speaks_is_not_listed(world: World) -> None:
    """An estate has many vaults for other things."""
    world.arm.put(vault_body(tags={}))
    evaluate(world, evaluation(world))

    assert world.estate.kept == {}


def test_a_workspace_is_listed_with_its_layers() -> None:
    """Layer by layer, before and after the migration."""
    world = moving.moving_world()
    moving.look_at(world)
    before = world.estate.kept[workspace_id().lower()]
    moving.agree(world)
    moving.look_at(world)  # the event of our own last write
    after = world.estate.kept[workspace_id().lower()]

    assert [(it.layer, it.verdict, it.reason) for it in before.layers] == [
        (layer, "non-compliant", "PlatformKey") for layer in ("managedServices", "dbfsRoot", "managedDisk")
    ]
    assert {it.verdict for it in after.layers} == {"compliant"}
    assert len(after.vaults) == 1


def test_a_control_that_is_switched_off_says_nothing_and_its_row_ends(world: World) -> None:
    """Nothing is compliant by that: it is not judged. What was asked for is asked for no more."""
    world.choices = replace(world.choices, auto_scope=())
    world.arm.put(vault_body(tags={"cmk-vault": "true"}))
    evaluate(world, evaluation(world))
    asked = world.row().state
    world.choices = replace(world.choices, modes={"KV-RECOVERY": Mode.OFF})
    world.clock.advance(60)
    evaluate(world, evaluation(world))
    row = world.row()

    assert asked is State.AWAITING_APPROVAL
    assert (row.state, row.verdict) == (State.SUPERSEDED, "NotApplicable")
    assert not world.choices.is_on("KV-RECOVERY")
    assert not may_write("KV-RECOVERY", world.choices)
