"""Two people, or a person and a look, at the same moment: 500 times each, one outcome, at most one write.

Each side runs in a thread of its own and stops before each call to records, queue and diary; a number says who goes on.
So every run is another interleaving, and the same number is the same one.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from shared.core import chain
from shared.core.errors import RemediationError
from shared.core.ports import Stored
from shared.core.record import State
from shared.flow.approve import approve, reject
from shared.flow.cancel import cancel
from shared.flow.evaluate import evaluate
from shared.flow.exempt import exemption_of
from shared.flow.undo import Wish
from tests.fakes import NOON, World, vault_body
from tests.flow.conftest import evaluation, run
from tests.flow.narrowing import yes
from tests.flow.wanting import asked, the

TIMES = 500


class Turns:
    """Lets one of several threads run at a time, and draws who is next at every stop."""

    def __init__(self, number: int, sides: int) -> None:
        self._chance = random.Random(number)
        self._changed = threading.Condition()
        self._waiting = set(range(sides))
        self._turn = self._chance.choice(sorted(self._waiting))
        self._local = threading.local()

    def run(self, sides: Sequence[Callable[[], object]]) -> list[object]:
        """Run all sides to their end; return what each returned, or the error that it ended with."""
        ends: list[object] = [None] * len(sides)

        def one(place: int) -> None:
            self._local.place = place
            self._await()
            try:
                ends[place] = sides[place]()
            except RemediationError as error:
                ends[place] = error
            finally:
                self._leave()

        threads = [threading.Thread(target=one, args=(place,)) for place in range(len(sides))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
        return ends

    def stop(self) -> None:
        """Let somebody else go on, perhaps."""
        if not hasattr(self._local, "place"):
            return
        with self._changed:
            self._turn = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()
        self._await()

    def _await(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._turn == self._local.place, 30)

    def _leave(self) -> None:
        with self._changed:
            self._waiting.discard(self._local.place)
            if self._waiting:
                self._turn = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()
        del self._local.place


@contextmanager
def _stopping(world: World, turns: Turns) -> Iterator[None]:
    """Stop before every call that another process could come before."""
    ports = [
        (world.records, ("get", "save", "history", "known", "begin")),
        (world.queue, ("send",)),
        (world.diary, ("author",)),
    ]
    for port, names in ports:
        for name in names:
            setattr(port, name, _stopped(getattr(port, name), turns))
    yield
    for port, names in ports:
        for name in names:
            delattr(port, name)


def _stopped(call: Callable[..., Any], turns: Turns) -> Callable[..., Any]:
    def stopped(*args: Any, **named: Any) -> Any:
        turns.stop()
        return call(*args, **named)

    return stopped


def _race(world: World, number: int, *sides: Callable[[], object]) -> list[object]:
    turns = Turns(number, len(sides))
    with _stopping(world, turns):
        return turns.run(sides)


def _says_yes(world: World, person: str, row_id: str = "") -> Callable[[], object]:
    """Return a request: it reads the row as it is then, and says yes to the plan that was seen before."""
    seen = yes(world, _stored(world, row_id).row, person)
    return lambda: approve(world, _stored(world, row_id), seen)


def _says_no(world: World, row_id: str = "") -> Callable[[], object]:
    return lambda: reject(world, _stored(world, row_id), "eve", "no")


def _cancels(world: World) -> Callable[[], object]:
    return lambda: cancel(world, the(world), "eve", "stop")


def _stored(world: World, row_id: str = "") -> Stored:
    if not row_id:
        return the(world)
    found = world.records.get(row_id)
    assert found is not None
    return found


def _check_histories(world: World) -> None:
    for stored in world.records.rows.values():
        assert chain.verify(world.records.history(stored.row.id), stored.head, stored.newest) == ""


def _names(world: World, row_id: str = "") -> Counter[str]:
    return Counter(it.event for it in world.records.history(_stored(world, row_id).row.id))


def _won(ends: list[object]) -> list[bool]:
    return [isinstance(end, Stored) for end in ends]


def test_yes_and_no_at_once() -> None:
    """One of them is told that the other was faster; where the no was first nothing is ever written."""
    outcomes = Counter[tuple[bool, ...]]()
    for number in range(TIMES):
        world, _ = asked()
        ends = _race(world, number, _says_yes(world, "ada"), _says_no(world))
        run(world)
        said_yes, said_no = _won(ends)
        assert said_yes != said_no, number
        assert the(world).row.state is (State.RESOLVED if said_yes else State.REJECTED), number
        assert len(world.arm.writes()) == int(said_yes), number
        _check_histories(world)
        outcomes[said_yes, said_no] += 1

    assert set(outcomes) == {(True, False), (False, True)}, outcomes


def test_two_say_yes_at_once_where_one_is_enough() -> None:
    """One yes counts, the other is told so; the plan is carried out once."""
    for number in range(TIMES):
        world, _ = asked()
        ends = _race(world, number, _says_yes(world, "ada"), _says_yes(world, "amit"))
        run(world)
        assert sum(_won(ends)) == 1, number
        assert (the(world).row.state, len(world.arm.writes())) == (State.RESOLVED, 1), number
        assert _names(world)["approved"] == 1, number
        _check_histories(world)


def test_two_say_yes_at_once_where_two_are_needed() -> None:
    """Both count where both are saved: then it is done, once. Where one was too late it still waits for a second."""
    outcomes = Counter[int]()
    for number in range(TIMES):
        world, _ = asked()
        world.diary.last = ""
        ends = _race(world, number, _says_yes(world, "ada"), _says_yes(world, "amit"))
        run(world)
        counted = sum(_won(ends))
        expected = (State.RESOLVED, 1) if counted == 2 else (State.AWAITING_APPROVAL, 0)
        assert (the(world).row.state, len(world.arm.writes())) == expected, number
        assert _names(world)["approved"] == counted, number
        _check_histories(world)
        outcomes[counted] += 1

    assert set(outcomes) == {1, 2}


def test_one_person_at_two_windows_is_one_person() -> None:
    """The same person twice at the same moment never makes two."""
    for number in range(TIMES):
        world, _ = asked()
        world.diary.last = ""
        ends = _race(world, number, _says_yes(world, "ada"), _says_yes(world, "ada"))
        run(world)
        assert sum(_won(ends)) == 1, number
        assert (the(world).row.state, world.arm.writes()) == (State.AWAITING_APPROVAL, []), number


def test_a_yes_and_a_look_that_finds_another_plan_at_once() -> None:
    """The plan that nobody saw is never carried out: what was approved is, or people are asked about the new one."""
    outcomes = Counter[bool]()
    for number in range(TIMES):
        world, wanting = asked()
        seen = the(world).row.plan
        wanting.wants = {"enabledForDeployment": False}
        world.clock.advance(60)
        message = evaluation(world)
        ends = _race(world, number, _says_yes(world, "ada"), partial(evaluate, world, message))
        run(world)
        row = the(world).row
        assert (row.state, world.arm.writes()) == (State.AWAITING_APPROVAL, []), number
        assert row.plan.fingerprint != seen.fingerprint, number
        _check_histories(world)
        outcomes[_won(ends)[0]] += 1

    assert set(outcomes) == {True, False}, outcomes


def test_a_yes_and_a_look_that_finds_it_right_at_once() -> None:
    """Somebody puts it right by hand: it ends as resolved, and we write nothing."""
    for number in range(TIMES):
        world, _ = asked()
        world.arm.put(vault_body(enablePurgeProtection=True))
        world.clock.advance(60)
        message = evaluation(world)
        _race(world, number, _says_yes(world, "ada"), partial(evaluate, world, message))
        run(world)
        assert (the(world).row.state, world.arm.writes()) == (State.RESOLVED, []), number
        _check_histories(world)


def test_a_cancellation_and_the_work_at_once() -> None:
    """It is cancelled, or it is done; never both, never half."""
    outcomes = Counter[bool]()
    for number in range(TIMES):
        world, _ = asked()
        approve(world, the(world), yes(world, the(world).row))
        ends = _race(world, number, _cancels(world), partial(run, world))
        run(world)
        cancelled = _won(ends)[0]
        row = the(world).row
        assert len(world.arm.writes()) <= 1, number
        if not cancelled:
            assert (row.state, len(world.arm.writes())) == (State.RESOLVED, 1), number
        elif not world.arm.writes():
            assert (row.state, row.approvals, row.approved) == (State.AWAITING_APPROVAL, (), ()), number
        _check_histories(world)
        outcomes[cancelled] += 1

    assert set(outcomes) == {True, False}, outcomes


@pytest.mark.parametrize("other", ["no", "yes"])
def test_an_exemption_is_given_once_or_not_at_all(other: str) -> None:
    """Yes and no, or two times yes, to a wish: the finding is exempted exactly where a yes was saved."""
    others: dict[str, Callable[..., Callable[[], object]]] = {
        "yes": partial(_says_yes, person="amit"),
        "no": _says_no,
    }
    for number in range(TIMES):
        world, _ = asked()
        wish = exemption_of(world, the(world), Wish("mia", "later", NOON.replace(month=12)))
        row_id = wish.row.id
        ends = _race(world, number, _says_yes(world, "ada", row_id), others[other](world, row_id=row_id))
        run(world)
        given = _names(world)["exempted"]
        assert sum(_won(ends)) == 1, number
        assert given == int(_names(world, row_id)["approved"]), number
        assert (the(world).row.exemption is not None) == bool(given), number
        _check_histories(world)
