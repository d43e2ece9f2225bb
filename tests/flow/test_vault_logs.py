"""KV-LOGS on its road: who reads what, a yes that is written once and seen, what a rival does meanwhile, and the way back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediators import REMEDIATORS
from remediators.vault_logs import VAULT_LOGS
from shared.core import words
from shared.core.choices import Mode
from shared.core.errors import Denied
from shared.core.ids import parse
from shared.core.ports import Stored
from shared.core.record import State, remediation_id
from shared.flow.approve import Yes, approve
from shared.flow.evaluate import evaluate
from shared.flow.sweep import sweep
from shared.flow.undo import Wish, undo_of
from tests.fakes import World, vault_body, vault_id
from tests.flow.conftest import evaluation, run
from tests.vaults import LOGS, SETTINGS, setting

OURS = f"{vault_id()}{SETTINGS}/cmkwarden-audit".lower()


def _world(**choices: Any) -> World:
    """A world with one protected CMK vault that sends its log nowhere, after a look at it."""
    world = World(**{"log_workspace": words.log_workspace(LOGS), **choices})
    world.remediators = (VAULT_LOGS,)
    world.arm.put(vault_body(enablePurgeProtection=True))
    evaluate(world, evaluation(world))
    run(world)
    return world


def _row(world: World) -> Stored:
    return world.records.rows[remediation_id("KV-LOGS", vault_id().lower(), "")]


def _yes(world: World, stored: Stored, person: str = "amit") -> None:
    until = world.clock.now() + timedelta(days=1)
    approve(world, stored, Yes(person, stored.row.plan.fingerprint, "seen", until))
    run(world)


def test_a_yes_sends_the_log_once_and_a_read_ends_it() -> None:
    """Asked in the auto scope too; one PUT under our name; the row is resolved by what a read shows."""
    world = _world()
    asked = _row(world).row
    _yes(world, _row(world))

    assert (asked.state, asked.decision.reason) == (State.AWAITING_APPROVAL, "NeedsAPerson")
    assert world.arm.writes() == [("PUT", OURS)]
    assert (_row(world).row.state, _row(world).row.verdict) == (State.RESOLVED, "Compliant")


def test_what_a_read_does_not_show_is_not_done() -> None:
    """Azure says yes and does nothing: the row is not resolved."""
    world = _world()
    world.arm.swallows = True
    _yes(world, _row(world))

    assert _row(world).row.state is State.FAILED


def test_who_sends_the_log_meanwhile_makes_ours_needless() -> None:
    """Somebody's own setting comes between the yes and the write: nothing is written."""
    world = _world()
    stored = _row(world)
    until = world.clock.now() + timedelta(days=1)
    approve(world, stored, Yes("amit", stored.row.plan.fingerprint, "seen", until))
    world.arm.resources[f"{vault_id()}{SETTINGS}/theirs".lower()] = setting()
    run(world)

    assert (_row(world).row.state, world.arm.writes()) == (State.RESOLVED, [])


def test_another_workspace_than_the_one_agreed_to_is_not_written() -> None:
    """CMK_LOG_WORKSPACE changes while the yes is on its way: people are asked anew, with the new place."""
    world = _world()
    stored = _row(world)
    until = world.clock.now() + timedelta(days=1)
    approve(world, stored, Yes("amit", stored.row.plan.fingerprint, "seen", until))
    other = words.log_workspace(LOGS.replace("log-cmk", "log-other"))
    world.choices = replace(world.choices, log_workspace=other)
    run(world)

    assert (_row(world).row.state, world.arm.writes()) == (State.AWAITING_APPROVAL, [])
    assert str(other) in _row(world).row.decision.message


@pytest.mark.parametrize(
    ("choices", "tags", "calls"),
    [
        ({}, {"cmk-vault": "true"}, 1),
        ({}, {}, 0),
        ({"modes": {"KV-LOGS": Mode.OFF}}, {"cmk-vault": "true"}, 0),
    ],
)
def test_only_a_cmk_vault_costs_a_call_and_only_while_the_control_is_on(
    choices: dict[str, Any], tags: dict[str, str], calls: int
) -> None:
    """One list for a vault in scope; none for another vault, and none where the control is off."""
    world = World(**choices)
    world.remediators = (VAULT_LOGS,)
    world.arm.put(vault_body(tags=tags))
    evaluate(world, evaluation(world))

    assert len(world.vaults.calls) == calls


def test_the_apply_of_another_control_does_not_read_the_logs() -> None:
    """KV-RECOVERY is judged again before its write and after it, and the settings are read by the looks alone."""
    world = World(log_workspace=words.log_workspace(LOGS))
    world.remediators = REMEDIATORS
    world.arm.put(vault_body())
    evaluate(world, evaluation(world))
    before = [it for it in world.vaults.calls if it.endswith(SETTINGS)]
    run(world)

    assert len(before) == 1
    assert ("PATCH", vault_id().lower()) in world.arm.writes()
    assert [it for it in world.vaults.calls if it.endswith(SETTINGS)] == before


def test_what_may_not_be_read_is_unknown_and_closes_nothing() -> None:
    """The reader loses its right: the finding stands, as unknown."""
    world = _world()
    world.vaults.failures = [Denied("AuthorizationFailed", "you may not")]
    world.clock.advance(60)
    evaluate(world, evaluation(world))

    (judgement,) = world.estate.kept.values()
    assert [(it.verdict, it.reason) for it in judgement.rulings] == [("Unknown", "AuthorizationFailed")]
    assert (_row(world).row.state, _row(world).row.finding.reason) == (State.AWAITING_APPROVAL, "AuditLogIsOff")


def test_the_way_back_is_an_owners_command() -> None:
    """The undo writes nothing: it exempts the finding, names the command, and ends when the setting is gone."""
    world = _world()
    _yes(world, _row(world))
    wish = Wish("olga", "too dear", world.clock.now() + timedelta(days=30))
    undo = undo_of(world, _row(world), wish)
    _yes(world, undo)
    waits = world.records.rows[undo.row.id].row
    del world.arm.resources[OURS]
    world.clock.advance(60)
    sweep(world)
    run(world)

    assert (waits.state, waits.decision.reason) == (State.OBSERVED, "UndoByHand")
    assert waits.finding.evidence["proposed"] == [
        f"az monitor diagnostic-settings delete --resource {parse(vault_id())} --name cmkwarden-audit"
    ]
    assert world.records.rows[undo.row.id].row.state is State.RESOLVED
    assert _row(world).row.state is State.SUPPRESSED
    assert world.arm.writes() == [("PUT", OURS)]
