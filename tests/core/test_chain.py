"""The history: a change anywhere in it shows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.chain import START, Entry, link, verify
from tests.fakes import NOON


def _history(length: int = 4) -> list[Entry]:
    entries: list[Entry] = []
    for n in range(1, length + 1):
        previous = entries[-1].hash if entries else START
        entry = Entry(n, NOON + timedelta(seconds=n), "e", "queued", "apply", "r", {"n": n}, previous)
        entries.append(replace(entry, hash=link(entry)))
    return entries


def test_a_whole_history_verifies() -> None:
    """An untouched chain that ends where the row says is whole; so is none at all."""
    history = _history()

    assert verify(history, 4, history[-1].hash) == ""
    assert verify([], 0, START) == ""


@pytest.mark.parametrize(
    "change",
    [{"reason": "other"}, {"actor": "x"}, {"detail": {"n": 9}}, {"time": NOON}, {"state": "resolved"}, {"event": "f"}],
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_changed_entry_shows(place: int, change: dict[str, object]) -> None:
    """Changing any field of any entry breaks the chain there."""
    history = _history()
    newest = history[-1].hash
    history[place] = replace(history[place], **change)  # type: ignore[arg-type]

    assert verify(history, 4, newest) == f"entry {place + 1} was changed"


def test_a_removed_or_moved_entry_shows() -> None:
    """Taking entries out, at the end as well, or swapping them, breaks the chain."""
    history = _history()
    newest = history[-1].hash

    assert verify(history[1:], 4, newest)
    assert verify(history[:-1], 4, newest)
    assert verify([history[1], history[0], *history[2:]], 4, newest)
    assert verify([*history[:1], *history[2:]], 4, newest)


def test_a_rewritten_tail_shows() -> None:
    """A forged entry with a right hash of its own does not fit the row's newest hash."""
    history = _history()
    newest = history[-1].hash
    forged = replace(history[-1], reason="nothing happened")
    history[-1] = replace(forged, hash=link(forged))

    assert verify(history, 4, newest)
