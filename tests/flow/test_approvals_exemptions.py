"""Exemptions: asked for by one, approved by another, dated, for what was found and nothing beyond."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core import chain
from shared.core.choices import Mode
from shared.core.control import Finding
from shared.core.errors import BadInput, Refused, RemediationError
from shared.core.ports import Event, Stored
from shared.core.record import Remediation, State
from shared.flow.approve import approve, reject
from shared.flow.evaluate import evaluate
from shared.flow.exempt import end_exemption, exemption_of
from shared.flow.sweep import sweep
from shared.flow.undo import Wish, undo_of
from tests.access import DATABRICKS, policy
from tests.fakes import World
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import access_world, entries_of, look_at, row_of, stored_of, yes

DAY = timedelta(days=1)
BROAD = policy(DATABRICKS, ["get", "wrapKey", "unwrapKey", "purge"])


def _found(**choices: Any) -> World:
    """Return a world with one finding that waits for approval."""
    world = access_world(BROAD, **{"mode": Mode.APPROVE, **choices})
    look_at(world)
    return world


def _asked(world: World, days: int = 10, comment: str = "the migration needs it") -> Stored:
    return exemption_of(world, stored_of(world), Wish("mia", comment, world.clock.now() + days * DAY))


def _wish(world: World) -> Remediation:
    (row,) = [it.row for it in world.records.rows.values() if it.row.exempts]
    return row


def _granted(world: World, days: int = 10) -> Stored:
    wish = _asked(world, days)
    approve(world, wish, yes(world, wish.row))
    run(world)
    return world.records.rows[wish.row.id]


def _again(world: World) -> None:
    world.clock.advance(60)
    look_at(world)


def test_an_exemption_that_somebody_else_approved_holds_and_ends() -> None:
    """The finding is suppressed until the date, whatever looks come; after it people are asked again."""
    world = _found()
    wish = _granted(world)
    _again(world)
    row = row_of(world)
    assert (wish.row.state, row.state, row.decision.reason) == (State.RESOLVED, State.SUPPRESSED, "Exempted")
    assert row.exemption is not None
    assert (row.exemption.owner, row.exemption.reason) == ("mia", "the migration needs it")
    entry = next(it for it in world.records.history(row.id) if it.event == "exempted")
    assert (entry.actor, entry.detail["approved"], entry.detail["wish"]) == ("mia", ["ada"], wish.row.id)

    world.clock.time += 10 * DAY
    _again(world)
    assert (row_of(world).state, world.arm.writes()) == (State.AWAITING_APPROVAL, [])


def test_until_it_is_approved_nothing_is_exempted() -> None:
    """Asking exempts nothing: what happens by itself happens."""
    world = _found(mode=Mode.APPROVE)
    _asked(world)

    assert (row_of(world).exemption, row_of(world).state) == (None, State.AWAITING_APPROVAL)


def test_whoever_asks_for_it_does_not_approve_it() -> None:
    """The requester is never the approver."""
    world = _found()
    wish = _asked(world)
    with pytest.raises(Refused) as caught:
        approve(world, wish, yes(world, wish.row, person="mia"))

    assert caught.value.reason == "OwnRequest"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"comment": " "}, "NoComment"),
        ({"comment": "x" * 2001}, "NoComment"),
        ({"days": 91}, "BadExpiry"),
        ({"days": 0}, "BadExpiry"),
        ({"days": -1}, "BadExpiry"),
    ],
)
def test_a_wish_needs_a_reason_and_an_end_within_ninety_days(change: dict[str, Any], reason: str) -> None:
    """Whatever is missing or too long is refused, and no row is opened."""
    world = _found()
    with pytest.raises(BadInput) as caught:
        _asked(world, **change)

    assert caught.value.reason == reason
    assert not [it for it in world.records.rows.values() if it.row.exempts]


def test_only_a_finding_that_stands_can_be_exempted() -> None:
    """Not what is resolved, not what nobody could judge, not an undo, not another wish."""
    world = access_world(BROAD)
    look_at(world)
    until = world.clock.now() + DAY
    undo = undo_of(world, stored_of(world), Wish("mia", "x", until))
    other = _found()
    other.choices = type(other.choices)(databricks="")
    other.clock.advance(60)
    look_at(other)
    for where, stored in (
        (world, stored_of(world)),
        (world, undo),
        (other, stored_of(other, "")),
        (_found(), None),
    ):
        with pytest.raises(Refused) as caught:
            exemption_of(where, stored or _asked(where), Wish("mia", "x", until))
        assert caught.value.reason == "NothingToExempt"


def test_the_same_is_not_asked_for_twice_at_once_but_again_after_an_end() -> None:
    """While one waits another is refused; after a no it may be asked for again, in the same row, one history."""
    world = _found()
    wish = _asked(world)
    with pytest.raises(Refused) as caught:
        _asked(world)
    assert caught.value.reason == "ExemptionIsAsked"

    reject(world, wish, "ada", "no")
    again = _asked(world, days=20)
    assert (again.row.id, again.row.occurrence) == (wish.row.id, 2)
    assert again.row.plan.fingerprint != wish.row.plan.fingerprint
    assert chain.verify(world.records.history(again.row.id), again.head, again.newest) == ""


def _grows(world: World) -> None:
    """The row comes to speak of one permission more."""
    stored = stored_of(world)
    evidence = {**stored.row.finding.evidence, "beyond": ["purge", "backup"]}
    finding = Finding(stored.row.finding.reason, stored.row.finding.message, evidence)
    world.records.save(replace(stored.row, finding=finding), Event("evaluated", "evaluate", "X", {}), stored)


def test_a_finding_that_grows_while_the_wish_waits_is_not_exempted() -> None:
    """The yes is refused, since nobody saw what came: it must be asked for again."""
    world = _found()
    wish = _asked(world)
    _grows(world)
    with pytest.raises(Refused) as caught:
        approve(world, wish, yes(world, wish.row))

    assert (caught.value.reason, row_of(world).exemption) == ("FindingHasChanged", None)


def test_a_finding_that_grows_after_the_yes_is_not_exempted_either() -> None:
    """Between the yes and its message: the wish fails, and the finding stands."""
    world = _found()
    wish = _asked(world)
    approve(world, wish, yes(world, wish.row))
    _grows(world)
    run(world)

    assert (_wish(world).state, row_of(world).exemption) == (State.FAILED, None)
    assert row_of(world).state is State.AWAITING_APPROVAL


def test_what_came_and_was_not_looked_at_is_not_exempted() -> None:
    """Somebody has added a permission, and no row says so yet: the look that follows the exemption opens it again."""
    world = _found()
    wish = _asked(world)
    entries_of(world)[0]["permissions"]["keys"].append("backup")
    approve(world, wish, yes(world, wish.row))
    world.clock.advance(60)
    run(world)

    assert (_wish(world).state, row_of(world).state) == (State.RESOLVED, State.AWAITING_APPROVAL)


@pytest.mark.parametrize("what", ["past", "gone"])
def test_a_wish_that_is_past_or_pointless_is_refused(what: str) -> None:
    """Its date has come while it waited, or the finding has gone."""
    world = _found()
    wish = _asked(world, days=2)
    if what == "past":
        world.clock.time += 3 * DAY
    else:
        entries_of(world)[0]["permissions"]["keys"].remove("purge")
        _again(world)
    with pytest.raises(Refused) as caught:
        approve(world, wish, yes(world, wish.row))

    assert caught.value.reason == {"past": "ExemptionIsPast", "gone": "NothingToExempt"}[what]


def test_an_exemption_can_be_approved_in_a_freeze() -> None:
    """It writes nothing to Azure: no stop is in its way."""
    world = _found()
    wish = _asked(world)
    world.choices = type(world.choices)(databricks=DATABRICKS, mode=Mode.APPROVE, kill_switch=True)
    approve(world, wish, yes(world, wish.row))
    run(world)

    assert (row_of(world).state, _wish(world).state) == (State.SUPPRESSED, State.RESOLVED)


@pytest.mark.parametrize("death", range(8))
def test_a_kill_at_any_save_is_healed(death: int) -> None:
    """Killed at each save of granting an exemption: its message comes again, and it ends the same."""
    world = _found()
    wish = _asked(world)
    approve(world, wish, yes(world, wish.row))
    save, saves = world.records.save, [0]

    def saving(row: Remediation, event: Event, over: Stored | None) -> Stored:
        saves[0] += 1
        if saves[0] * 2 - 1 == death:
            raise _Killed
        saved = save(row, event, over)
        if saves[0] * 2 == death:
            raise _Killed
        return saved

    world.records.save = saving  # type: ignore[method-assign]
    with suppress(_Killed):
        run(world)
    world.records.save = save  # type: ignore[method-assign]
    world.clock.advance(world.choices.claim.total_seconds() + 1)
    sweep(world)
    run(world)

    assert (row_of(world).state, _wish(world).state) == (State.SUPPRESSED, State.RESOLVED)
    assert [it.event for it in world.records.history(row_of(world).id)].count("exempted") == 1


class _Killed(BaseException):
    """The process dies here."""


def test_while_the_original_is_worked_on_the_exemption_waits() -> None:
    """What is on its way ends first; what it resolves needs no exemption."""
    world = _found()
    wish = _asked(world)
    approve(world, wish, yes(world, wish.row))
    approve(world, stored_of(world), yes(world, row_of(world)))
    run(world)

    assert (row_of(world).state, row_of(world).exemption) == (State.RESOLVED, None)
    assert (_wish(world).state, len(world.arm.writes())) == (State.FAILED, 1)


def test_one_person_ends_an_exemption_and_the_finding_is_looked_at() -> None:
    """It falls on the safe side, so it takes one; the reason and the address are on record."""
    world = _found()
    _granted(world)
    end_exemption(world, stored_of(world), "eve", "done early", "192.0.2.9")
    entry = world.records.history(row_of(world).id)[-1]
    run(world)

    assert (row_of(world).state, row_of(world).exemption) == (State.AWAITING_APPROVAL, None)
    assert (entry.event, entry.actor, entry.reason) == ("lifted", "eve", "ExemptionEnded")
    assert (entry.detail["comment"], entry.detail["from"]) == ("done early", "192.0.2.9")


def test_where_no_exemption_is_in_force_there_is_none_to_end() -> None:
    """None at all, one that is past, and a wish for one."""
    world = _found()
    rows = [stored_of(world), _asked(world)]
    past = _found()
    _granted(past, days=1)
    past.clock.time += 2 * DAY
    for where, stored in [*((world, it) for it in rows), (past, stored_of(past))]:
        with pytest.raises(Refused) as caught:
            end_exemption(where, stored, "eve")
        assert caught.value.reason == "NotExempted"


def test_no_tag_exempts() -> None:
    """Tags that say so change nothing: only a row with owner, reason and date does."""
    world = access_world(BROAD, mode=Mode.APPROVE)
    tags = {"exempt": "true", "exemption": "all", "cmk-exempt": "KV-ACCESS", "cmk-vault": "true"}
    world.grants.vault["tags"] = tags
    evaluate(world, evaluation(world))

    assert row_of(world).state is State.AWAITING_APPROVAL


def test_no_look_and_no_sweep_decides_on_a_wish() -> None:
    """Nights and events leave it waiting for people."""
    world = _found()
    wish = _asked(world, days=60)
    for _ in range(5):
        world.clock.time += DAY
        sweep(world)
        run(world)

    assert world.records.rows[wish.row.id].row == wish.row


def test_a_wish_that_conflicts_or_fails_is_for_people_again() -> None:
    """A failed wish is left alone by the sweep; asking again opens it anew."""
    world = _found()
    wish = _asked(world, days=2)
    approve(world, wish, yes(world, wish.row))
    world.clock.time += 3 * DAY
    run(world)
    assert _wish(world).state is State.FAILED
    sweep(world)
    run(world)
    assert _wish(world).state is State.FAILED

    with suppress(RemediationError):
        _asked(world)
    assert _wish(world).state is State.AWAITING_APPROVAL


def test_an_exemption_does_not_end_under_somebodys_hands() -> None:
    """While the row is worked on for what goes beyond the exemption, its end waits."""
    world = _found()
    _granted(world)
    stored = replace(stored_of(world), row=replace(row_of(world), state=State.APPLYING))
    with pytest.raises(Refused) as caught:
        end_exemption(world, stored, "eve")

    assert caught.value.reason == "BeingWorkedOn"


def test_a_look_at_the_original_in_between_only_delays_the_exemption() -> None:
    """The original is saved by a look just when it is to be exempted: tried again, and exempted once."""
    world = _found()
    wish = _asked(world)
    approve(world, wish, yes(world, wish.row))
    save = world.records.save

    def saving(row: Remediation, event: Event, over: Stored | None) -> Stored:
        if event.name == "exempted":
            world.records.save = save  # type: ignore[method-assign]
            save(row_of(world), Event("evaluated", "evaluate", "X", {}), stored_of(world))
        return save(row, event, over)

    world.records.save = saving  # type: ignore[method-assign]
    run(world)

    assert (row_of(world).state, _wish(world).state) == (State.SUPPRESSED, State.RESOLVED)
    assert [it.event for it in world.records.history(wish.row.id)].count("postponed") == 1
