"""What could not be read now holds back the controls that rest on it: the others are judged, written and told at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from remediators import REMEDIATORS
from shared.core import ids
from shared.core.choices import Mode
from shared.core.errors import Temporary
from shared.core.record import remediation_id
from shared.flow.evaluate import evaluate
from shared.flow.late import rests_on
from shared.flow.messages import LAST_ATTEMPT
from tests.fakes import SUBSCRIPTION, World, vault_body, vault_id, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import moving_world

VAULT_CONTROLS = {it.control.id for it in REMEDIATORS if ids.VAULT in it.control.targets}
WORKSPACE_CONTROLS = {it.control.id for it in REMEDIATORS if ids.WORKSPACE in it.control.targets}


class Storm:
    """A port whose reads of one kind fail while it lasts, and how often they did."""

    def __init__(self, port: Any, method: str, error: Temporary) -> None:
        self.struck = 0
        self._port, self._method, self._calm = port, method, getattr(port, method)

        def strike(*_: Any, **__: Any) -> Any:
            self.struck += 1
            raise error

        setattr(port, method, strike)

    def ends(self) -> None:
        setattr(self._port, self._method, self._calm)


def _world() -> World:
    """A CMK vault that goes by roles, with everything that controls ask for, unprotected; all controls are on."""
    world = moving_world(rbac=True, protected=False, auto_scope=(f"/subscriptions/{SUBSCRIPTION}",))
    world.grants.vault["tags"] = {"cmk-vault": "true"}
    return world


def _judged(world: World) -> set[str]:
    """Return the controls of which the estate has a word on the vault."""
    known = world.estate.kept.get(vault_id().lower())
    return {it.control for it in known.rulings} if known else set()


READS: dict[str, tuple[Callable[[World], tuple[Any, str]], set[str]]] = {
    "where its log goes": (lambda world: (world.vaults, "settings"), {"KV-LOGS"}),
    "its secrets": (lambda world: (world.vaults, "secrets"), {"KV-DEDICATED", "KEY-KNOWN"}),
    "the roles": (lambda world: (world.grants, "assignments"), {"KV-ACCESS", "KV-DELETED"}),
}


@pytest.mark.parametrize("what", READS)
def test_one_read_that_fails_leaves_the_others_their_due(what: str) -> None:
    """The vault is protected by this look; the look comes back after what Azure said, and then says the rest."""
    world = _world()
    port, held = READS[what]
    storm = Storm(*port(world), Temporary("TooManyRequests", "slow down", 17))

    evaluate(world, evaluation(world))
    first = {control for control in VAULT_CONTROLS if _row(world, control)}
    (back,) = [(body, delay) for name, body, delay in world.queue.sent if name == "evaluate"]
    applied = world.queue.of("apply")
    storm.ends()
    run(world)

    assert storm.struck == 1
    assert "KV-RECOVERY" in first
    assert len(applied) == 1
    assert not first & held
    assert (back[0]["attempt"], back[1]) == (2, 17)
    assert _judged(world) == VAULT_CONTROLS
    assert world.records.poison_list() == []


def _row(world: World, control: str, target: str = "") -> Any:
    stored = world.records.rows.get(remediation_id(control, (target or vault_id()).lower(), ""))
    return stored.row if stored else None


@pytest.mark.parametrize("what", READS)
def test_what_fails_to_the_last_is_unknown_and_nothing_else_is(what: str) -> None:
    """After nine tries the controls that rest on it are on record as Unknown, one poison record says so, no other suffers."""
    world = _world()
    port, held = READS[what]
    storm = Storm(*port(world), Temporary("Http503", "down"))

    evaluate(world, evaluation(world))
    run(world)

    unknown = {control for control in VAULT_CONTROLS if (row := _row(world, control)) and row.verdict == "Unknown"}
    assert storm.struck >= LAST_ATTEMPT
    assert unknown == held
    assert _row(world, "KV-RECOVERY").verdict == "Compliant"
    assert _judged(world) == VAULT_CONTROLS
    assert [it.reason for it in world.records.poison_list()] == ["Http503"]


def test_events_that_keep_coming_do_not_start_the_count_anew() -> None:
    """Each event's look fails the same: the ninth failure is the last, whichever message it was for."""
    world = _world()
    Storm(world.vaults, "settings", Temporary("Http503", "down"))

    for _ in range(LAST_ATTEMPT):
        evaluate(world, evaluation(world))
        world.queue.sent.clear()
        world.clock.advance(60)

    assert _row(world, "KV-LOGS").verdict == "Unknown"


def test_a_control_that_is_off_is_not_given_up() -> None:
    """What fails for good opens rows of what is asked for, and of nothing else."""
    world = World()
    world.arm.put(vault_body())
    world.arm.failures["read"].append(Temporary("Http503", "down"))
    world.choices = replace(world.choices, modes={"KV-RECOVERY": Mode.OFF})

    evaluate(world, evaluation(world, attempt=LAST_ATTEMPT))

    assert world.records.rows == {}
    assert [it.reason for it in world.records.poison_list()] == ["Http503"]


def test_a_vault_that_is_named_is_woken_though_its_own_read_fails() -> None:
    """A workspace whose surroundings cannot be read has its tags and tier judged, and its vaults woken, once."""
    world = _world()
    layers = {"entities": {"managedServices": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": {
        "keyVaultUri": "https://kv-one.vault.azure.net", "keyName": "k", "keyVersion": "1" * 32}}}}  # fmt: skip
    world.arm.resources[workspace_id().lower()]["properties"]["encryption"] = layers
    storm = Storm(world.grants, "assignments", Temporary("Http503", "down"))

    evaluate(world, evaluation(world, workspace_id()))
    first = {control for control in WORKSPACE_CONTROLS if _row(world, control, workspace_id())}
    woken = [body for body in world.queue.of("evaluate") if body["id"].lower() == vault_id().lower()]
    back = [body for body in world.queue.of("evaluate") if body["id"].lower() == workspace_id().lower()]

    assert storm.struck == 1
    assert len(woken) == 1
    assert [(body["attempt"], body["woken"]) for body in back] == [(2, True)]
    assert "DBX-TAGS" in first
    assert not first & {it.control.id for it in REMEDIATORS if rests_on(it.control, "surroundings")}


def test_a_deleted_vault_that_cannot_be_asked_for_is_asked_for_again() -> None:
    """Gone, and the list of the deleted fails: nobody says that it is nothing, and the next look finds it."""
    world = _world()
    evaluate(world, evaluation(world))
    run(world)
    world.arm.graves.bury(world.arm.resources, vault_id(), world.clock.now())
    storm = Storm(world.vaults, "deleted", Temporary("Http503", "down"))
    world.clock.advance(60)

    evaluate(world, evaluation(world))
    during = _row(world, "KV-DELETED")
    storm.ends()
    run(world)

    assert storm.struck == 1
    assert during is None or during.verdict != "NonCompliant"
    assert _row(world, "KV-DELETED").verdict == "NonCompliant"
