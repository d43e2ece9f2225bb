"""KEY-KNOWN on its road: a key that nobody asked for is a ticket, and an exemption speaks of the keys that it names alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.core import ids
from shared.core.control import Drawn
from shared.core.errors import Denied
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from shared.flow.exempt import exemption_of
from shared.flow.undo import Wish
from tests.bricks import key_body
from tests.fakes import World, vault_id
from tests.flow import moving
from tests.flow.conftest import evaluation, run
from tests.flow.pleading import calm_world, judged

ROW = remediation_id("KEY-KNOWN", vault_id().lower(), "")


def _hold(world: World, name: str, days: float = 1) -> None:
    path, made = f"{vault_id()}/keys/{name}".lower(), world.clock.now() - timedelta(days=days)
    world.arm.resources[path] = key_body(path, "kv-one", name, made, "1" * 32)


def _exempt(world: World) -> None:
    wish = Wish("ada", "they are of the old tool", world.clock.now() + timedelta(days=60))
    asked = exemption_of(world, world.records.rows[ROW], wish)
    yes = Yes("amit", asked.row.plan.fingerprint, "agreed", world.clock.now() + timedelta(days=1))
    approve(world, asked, yes)
    run(world)


def _row(world: World) -> Any:
    row = judged(world)
    assert row
    return row


def test_a_stray_key_is_a_ticket_and_ends_when_it_is_gone() -> None:
    """Nothing is written about it: whose it is a person finds out."""
    world = calm_world()
    _hold(world, "stray")
    found = _row(world)
    del world.arm.resources[f"{vault_id()}/keys/stray".lower()]

    assert (found.state, found.decision.kind, found.decision.reason) == ("observed", "ticket", "NoAutomaticRemedy")
    assert (found.finding.reason, found.finding.evidence["beyond"]) == ("HoldsStrayKeys", ["stray"])
    assert (_row(world).state, world.arm.writes()) == (State.RESOLVED, [])


def test_an_exemption_covers_the_keys_that_it_names() -> None:
    """One more key of nobody's is a finding again; the first ones come along with it."""
    world = calm_world()
    _hold(world, "old")
    _row(world)
    _exempt(world)
    exempted = _row(world)
    _hold(world, "new")
    found = _row(world)

    assert (exempted.state, exempted.exemption.covers) == (State.SUPPRESSED, ("HoldsStrayKeys", "old"))
    assert (found.state, found.finding.evidence["beyond"]) == (State.OBSERVED, ["new", "old"])


def test_a_key_that_comes_into_use_stays_exempted() -> None:
    """It is the same key; that a workspace uses it now makes it no other."""
    world = calm_world()
    _hold(world, "old")
    _row(world)
    _exempt(world)
    uri = {"keyVaultUri": "https://kv-one.vault.azure.net/", "keyName": "old", "keyVersion": "1" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": uri}
    moving.workspace_of(world)["properties"]["encryption"] = {"entities": {"managedServices": entity}}

    assert _row(world).state is State.SUPPRESSED


def test_a_key_that_was_made_during_the_look_is_judged_anew() -> None:
    """It may be ours, drawn after the look had asked what is known: nobody is told before another look."""
    world = calm_world()
    _hold(world, "fresh", days=0)
    evaluate(world, evaluation(world))
    young = world.records.rows[ROW].row
    delay = min(delay for name, _, delay in world.queue.sent if name == "evaluate")
    run(world)

    assert (young.decision.kind, young.decision.reason, delay) == ("observe", "FindingIsYoung", 300)
    assert world.records.rows[ROW].row.decision.reason == "NoAutomaticRemedy"


def test_a_name_that_was_drawn_is_known_for_an_hour() -> None:
    """It is being made. If nobody has seen by then that it is ours, it is as strange as any other."""
    world = calm_world()
    drawn = Drawn("", vault_id().lower(), "cmk-dbw-one-1", world.clock.now())
    world.records.remember(ids.parse(vault_id()), lambda before: replace(before, drawn=(drawn,)))
    _hold(world, "cmk-dbw-one-1", days=0)
    being_made = judged(world)
    world.clock.advance(3600)

    assert (being_made, _row(world).finding.reason) == (None, "HoldsStrayKeys")


def test_the_keys_of_a_migration_are_known() -> None:
    """It was asked for and approved, and so was its key."""
    world = moving.moving_world()
    moving.look_at(world)
    moving.agree(world)

    assert (len(set(moving.layers_of(world).values())), judged(world)) == (1, None)


def test_what_may_not_be_listed_is_unknown_and_ends_nothing() -> None:
    """A 403 on the list of keys: the finding stands."""
    world = calm_world()
    _hold(world, "stray")
    _row(world)
    world.vaults.failures = [Denied("AuthorizationFailed", "no") for _ in range(9)]
    stands = _row(world)
    other = calm_world()
    other.vaults.failures = [Denied("AuthorizationFailed", "no") for _ in range(9)]

    assert (stands.state, stands.verdict) == (State.OBSERVED, "NonCompliant")
    assert (_row(other).verdict, _row(other).decision.reason) == ("Unknown", "CannotRead")
