"""KV-DEDICATED and KEY-SHARED on their road: a young key is told of when it is a day old, and what is ours is known for it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from remediators.key_shared import KEY_SHARED
from remediators.vault_dedicated import VAULT_DEDICATED
from shared.core.choices import Mode
from shared.core.errors import Temporary
from shared.core.record import Remediation, State, remediation_id
from shared.flow.evaluate import evaluate
from tests.bricks import key_body
from tests.fakes import World, vault_body, vault_id, workspace_body, workspace_id
from tests.flow.conftest import evaluation, run
from tests.flow.moving import agree, look_at, moving_world


def _world(**choices: Any) -> World:
    world = World(**choices)
    world.remediators = (VAULT_DEDICATED, KEY_SHARED)
    world.arm.put(vault_body())
    return world


def _hold(world: World, name: str, kind: str = "keys") -> None:
    path = f"{vault_id()}/{kind}/{name}".lower()
    world.arm.resources[path] = key_body(path, "kv-one", name, world.clock.now(), "1" * 32)


def _look(world: World) -> None:
    evaluate(world, evaluation(world))
    run(world)


def _row(world: World, control: str = "KV-DEDICATED", subject: str = "") -> Remediation:
    return world.records.rows[remediation_id(control, vault_id().lower(), subject)].row


def test_a_young_key_is_left_alone_and_looked_at_when_it_is_a_day_old() -> None:
    """Recorded and not told; the look that is due then makes it a ticket, without any event."""
    world = _world()
    _hold(world, "fresh")
    evaluate(world, evaluation(world))
    young = _row(world)
    (again,) = [(body, delay) for name, body, delay in world.queue.sent if name == "evaluate"]
    world.clock.advance(again[1])
    world.queue.sent.clear()
    evaluate(world, evaluation(world))

    assert (young.state, young.decision.kind, young.decision.reason) == (State.OBSERVED, "observe", "FindingIsYoung")
    assert again[1] == timedelta(days=1).total_seconds()
    assert json.loads(json.dumps(again[0]))["id"] == vault_id()
    assert (_row(world).decision.kind, _row(world).decision.reason) == ("ticket", "NoAutomaticRemedy")


def test_a_workspace_that_comes_to_use_the_young_key_ends_it() -> None:
    """The set-up went on: nothing is left to tell."""
    world = _world()
    _hold(world, "k")
    _look(world)
    young = _row(world).state
    world.arm.put(workspace_body())
    world.clock.advance(60)
    _look(world)

    assert (young, _row(world).state) == (State.OBSERVED, State.RESOLVED)


@pytest.mark.parametrize(
    ("off", "tags", "calls"),
    [((), {"cmk-vault": "true"}, 2), ((), {}, 0), (("KV-DEDICATED",), {"cmk-vault": "true"}, 0)],
)
def test_only_a_cmk_vault_costs_two_lists(off: tuple[str, ...], tags: dict[str, str], calls: int) -> None:
    """Keys and secrets are listed for a vault in scope while KV-DEDICATED is on; KEY-SHARED asks for nothing more."""
    world = World(modes=dict.fromkeys(off, Mode.OFF))
    world.remediators = (VAULT_DEDICATED, KEY_SHARED)
    world.arm.put(vault_body(tags=tags))
    evaluate(world, evaluation(world))

    assert len(world.vaults.calls) == calls


def test_a_list_that_fails_brings_the_whole_look_back() -> None:
    """Throttled: nothing is judged by half."""
    world = _world()
    world.vaults.failures = [Temporary("TooManyRequests", "later", 3)]
    evaluate(world, evaluation(world))

    assert not world.records.rows
    assert [(name, delay) for name, _, delay in world.queue.sent] == [("evaluate", 3)]


def test_a_key_that_a_migration_makes_is_known_at_its_vault() -> None:
    """From before the key is there: a look between the key and the layer that takes it finds nothing strange."""
    world = moving_world()
    look_at(world)
    agree(world)
    kept = world.records.kept[vault_id().lower()]
    (name,) = [it.name for it in world.records.kept[workspace_id().lower()].drawn]

    assert (kept.made, kept.drawn) == ((name,), ())
    assert f"{vault_id()}/keys/{name}".lower() in world.arm.resources


def test_a_shared_key_is_found_by_its_name_and_ends_when_both_are_seen_apart() -> None:
    """Two tenants on one key: a row for the key. One moves to another key, and a read of both ends it."""
    world = _world()
    one, two = workspace_body("dbw-one", tenant="blue", environment="prod"), workspace_body(
        "dbw-two", tenant="red", environment="prod"
    )  # fmt: skip
    world.arm.put(one, two)
    _look(world)
    found = _row(world, "KEY-SHARED", "k")
    two["properties"]["encryption"]["entities"]["managedServices"]["keyVaultProperties"]["keyName"] = "own"
    world.arm.put(two)
    world.clock.advance(60)
    _look(world)

    assert (found.finding.reason, found.decision.reason) == ("SharedByTenants", "NoAutomaticRemedy")
    assert _row(world, "KEY-SHARED", "k").state is State.RESOLVED


def test_a_shared_key_does_not_end_while_resource_graph_hides_one() -> None:
    """The list is short of a workspace that we know: the finding stays as it is."""
    world = _world(databricks="db0c0002-58f1-4a6b-b0c4-1f7d2e9a0302")
    world.arm.put(
        workspace_body("dbw-one", tenant="blue", environment="prod"),
        workspace_body("dbw-two", tenant="red", environment="prod"),
    )
    _look(world)
    hidden = world.arm.resources.pop(workspace_id("dbw-two").lower())
    world.clock.advance(60)
    _look(world)

    assert hidden
    assert (_row(world, "KEY-SHARED", "k").is_open, _row(world, "KEY-SHARED", "k").finding.reason) == (
        True,
        "SharedByTenants",
    )
