"""What a yes would be worth is told before it is given, as giving it would turn out; whoever asks for a retry changes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.errors import Refused, Temporary
from shared.core.ports import Event, Stored
from shared.core.record import State
from shared.core.wake import Cause
from shared.flow.approve import Yes, approve, outlook, reject
from shared.flow.evaluate import evaluate
from shared.flow.retry import retry
from tests.fakes import World, vault_body
from tests.flow.conftest import delivery, evaluation


@pytest.fixture
def waiting() -> World:
    """A world with a vault whose protection waits for a yes."""
    world = World(auto_scope=())
    world.arm.put(vault_body(tags={"cmk-vault": "true"}))
    evaluate(world, evaluation(world))
    return world


def _stored(world: World) -> Stored:
    (stored,) = world.records.rows.values()
    return stored


def _yes(world: World, person: str) -> Stored:
    stored = _stored(world)
    return approve(
        world, stored, Yes(person, stored.row.plan.fingerprint, "right", world.clock.now() + timedelta(days=1))
    )


@pytest.mark.parametrize("author", ["somebody", ""])
def test_what_is_told_is_what_comes(waiting: World, author: str) -> None:
    """One yes where the author is known, two where nobody knows: told before, and so it turns out."""
    waiting.diary.last = author
    told = []
    for person in ("ada", "amit"):
        told.append(outlook(waiting, _stored(waiting).row, person))
        if _yes(waiting, person).row.state is State.QUEUED:
            break

    assert [(it.needed, it.given, it.against) for it in told] == ([(1, 0, "")] if author else [(2, 0, ""), (2, 1, "")])
    assert _stored(waiting).row.state is State.QUEUED


def test_what_stands_against_somebody_is_told_before(waiting: World) -> None:
    """The author, whoever asked for it, whoever has said yes: each is told, and each is refused."""
    waiting.diary.last = "ada"
    author = outlook(waiting, _stored(waiting).row, "ada").against
    with pytest.raises(Refused, match="you made the last change"):
        _yes(waiting, "ada")
    waiting.diary.last = ""
    _yes(waiting, "amit")
    again = outlook(waiting, _stored(waiting).row, "amit").against
    asker = outlook(waiting, replace(_stored(waiting).row, requester="dana"), "dana").against

    assert author.startswith("You made the change")
    assert again.startswith("You have said yes already")
    assert asker.startswith("You asked for this")


def test_whoever_asks_for_a_retry_may_say_yes(waiting: World) -> None:
    """No, then another try, then yes, all by one person: looking again changes nothing in Azure."""
    reject(waiting, _stored(waiting), "ada", "not now")
    stored = _stored(waiting)
    retry(waiting, stored, Cause("person", stored.row.id, "ada"))
    waiting.clock.advance(60)
    evaluate(waiting, delivery(waiting.queue.take("evaluate"), waiting.clock.now()))

    assert _stored(waiting).row.cause.actor == "ada"
    assert outlook(waiting, _stored(waiting).row, "ada").against == ""
    assert _yes(waiting, "ada").row.state is State.QUEUED


def test_a_log_that_cannot_be_read_promises_nothing(waiting: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is told, as nothing could be approved."""

    def busy(_target: object) -> str:
        raise Temporary("TooManyRequests", "later")

    monkeypatch.setattr(waiting.diary, "author", busy)
    with pytest.raises(Temporary):
        outlook(waiting, _stored(waiting).row, "ada")


def test_an_author_stays_one_whatever_came_after_the_event(waiting: World) -> None:
    """The event named Ada, the log names nobody; she says no and asks for another try: it is still her change."""
    stored = _stored(waiting)
    event = Event(
        "evaluated", "evaluate", "x", {"cause": {"kind": "event", "id": "e", "actor": "ada"}, "occurrence": 1}
    )
    waiting.records.save(replace(stored.row, cause=Cause("event", "e", "ada")), event, stored)
    waiting.diary.last = ""
    reject(waiting, _stored(waiting), "ada", "not now")
    retry(waiting, _stored(waiting), Cause("person", stored.row.id, "ada"))
    waiting.clock.advance(60)
    evaluate(waiting, delivery(waiting.queue.take("evaluate"), waiting.clock.now()))

    assert outlook(waiting, _stored(waiting).row, "ada").against.startswith("You made the change")
    with pytest.raises(Refused, match="you made the last change"):
        _yes(waiting, "ada")
