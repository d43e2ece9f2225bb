"""The figures of the day: one pass over the estate and one over the rows, in parts, so that memory stays small.

    claim -- estate, page by page -- rows, page by page: what is new in their histories, followed and kept -- the day -- release
               census, keys, costs     '-- most of a page is new: its histories in one read; else each alone

How far a history has been followed is kept beside the figures, so that each run reads only what has come since. All of it
can be reckoned again at any time: a kill at any write costs the run, and the next one ends it. The claim of one that
died lapses.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from shared.core.chain import Entry
from shared.core.errors import Temporary
from shared.core.figures import WINDOW
from shared.core.figures.age import Ages
from shared.core.figures.census import Census, counted
from shared.core.figures.cost import Cost, Spending
from shared.core.figures.figures import KEPT, Figures
from shared.core.figures.kpi import kpis
from shared.core.figures.missed import LOOKS, missed
from shared.core.figures.pace import Watch
from shared.core.figures.track import Track, followed
from shared.core.ports import Ports, Stored
from shared.flow.acquaint import acquaint
from shared.flow.say import say
from shared.flow.standing import judgements
from shared.flow.trace import span

_log = logging.getLogger("cmkwarden.figures")

FRESH = timedelta(hours=1)  # for which a page shows them without asking for new ones
PATIENCE = timedelta(seconds=20)  # that whoever asks for a page is made to wait
_LEASE = timedelta(minutes=15)  # longer than a function may run
_PAGE = 500  # rows in hand at once
_DENSE = 4  # entries read for one that is new, at which reading them all at once is still cheaper


class _TooLong(Exception):  # noqa: N818 - a situation
    """Whoever waits has waited long enough; what was followed so far is kept."""


def figures(ports: Ports, *, patience: timedelta | None = None) -> Figures | None:
    """Make the figures of this day; None where somebody else is at it, or it took longer than `patience`.

    Raises Temporary where our own storage is not to be had.
    """
    began = ports.clock.now()
    claim = ports.figures.claim(began, _LEASE)
    if not claim:
        return None
    try:
        with span("figures"):
            made = _made(ports, began, began + patience if patience else None)
    except _TooLong:
        say(_log, "figures_too_long", logging.WARNING, seconds=(ports.clock.now() - began).total_seconds())
        return None
    finally:
        ports.figures.release(claim)
    say(
        _log, "figures", rows=made.rows, targets=made.targets, seconds=(ports.clock.now() - began).total_seconds()
    )  # fmt: skip
    _tell(ports, made)
    return made


def shown(ports: Ports) -> Figures | None:
    """Return figures to show: the latest, made anew where they are older than an hour; None where there are none yet.

    Raises Temporary where our own storage is not to be had, and there is nothing older to show.
    """
    last = ports.figures.latest()
    if last and last.made > ports.clock.now() - FRESH:
        return last
    try:
        return figures(ports, patience=PATIENCE) or last
    except Temporary:
        if last is None:
            raise
        return last


def _made(ports: Ports, now: datetime, until: datetime | None) -> Figures:
    since = now - WINDOW
    census, ages, spending, watch = Census(ports.choices.production), Ages(), Spending(), Watch(since)
    for it in judgements(ports):
        for each in (census, ages, spending):
            each.add(it)
        if until is None:  # by the timer: for whom somebody waits at a page there is no time
            acquaint(it)
        _check(ports, until)
    for after, page in _pages(ports, until):
        tracks = _followed(ports, after, page, since)
        for stored in page:
            watch.add(stored.row.control, tracks[stored.row.id])
    groups, left_out = census.groups()
    made = Figures(
        now, since, watch.rows, census.targets, groups, watch.paces(), missed(ports.surveys.latest(LOOKS), since),
        counted(census.rotation), left_out, ages.age(now, ports.choices.key_age), _cost(ports, spending, now),
    )  # fmt: skip
    ports.figures.keep(made)
    ports.figures.forget(f"{now - KEPT:%Y-%m-%d}")
    return made


def _tell(ports: Ports, made: Figures) -> None:
    """Say every figure, one a line: the workbook shows them, and what they are made of, from the log alone."""
    for it in kpis(made, ports.choices.goals):
        say(
            _log, "kpi", id=it.id, value="" if it.whole.value is None else it.whole.value, unit=it.currency or it.unit,
            goal="" if it.goal is None else it.goal, lacking=it.whole.lacking,
            parts=",".join(f"{name}:{count}" for name, count in it.whole.parts.items()),
        )  # fmt: skip


def _cost(ports: Ports, spending: Spending, now: datetime) -> Cost | None:
    """Return what everything costs, by what the sweep has asked of Azure Monitor; nobody is asked here."""
    if ports.choices.prices is None:
        return None
    readings = ports.figures.readings()
    ports.figures.drop([vault for vault, it in readings.items() if it.until < now - WINDOW])
    return spending.cost(readings, ports.choices.prices, now)


def _pages(ports: Ports, until: datetime | None) -> Iterator[tuple[str, Sequence[Stored]]]:
    """Yield the rows in parts, each with the id before its first."""
    cursor = ""
    while True:
        page = ports.records.heads(cursor, _PAGE)
        if page.items:
            yield cursor, page.items
        cursor = page.cursor
        if not cursor:
            return
        _check(ports, until)


def _check(ports: Ports, until: datetime | None) -> None:
    if until and ports.clock.now() > until:
        raise _TooLong


def _followed(ports: Ports, after: str, page: Sequence[Stored], since: datetime) -> Mapping[str, Track]:
    """Return the tracks of these rows, followed to where each history ends, and keep what has changed."""
    known = ports.figures.tracks(after, page[-1].row.id)
    tracks = {it.row.id: known.get(it.row.id, Track()) for it in page}
    behind = [it for it in page if it.head > tracks[it.row.id].head]
    new = sum(it.head - tracks[it.row.id].head for it in behind)
    if sum(it.head for it in page) <= _DENSE * new:
        found = {row_id: [entry for _, entry in group] for row_id, group in _histories(ports, behind)}
    else:
        found = {it.row.id: list(ports.records.history(it.row.id, tracks[it.row.id].head)) for it in behind}
    changed = {it.row.id: _on(tracks[it.row.id], found.get(it.row.id, ()), since) for it in behind}
    if changed:
        ports.figures.follow(changed)
    return {**tracks, **changed}


def _on(track: Track, entries: Sequence[Entry], since: datetime) -> Track:
    """Return the track after the entries that follow on it. The row may have moved on since its head was read."""
    new = [it for it in entries if it.n > track.head]
    return followed(track, (it for n, it in enumerate(new, track.head + 1) if it.n == n), since)


def _histories(ports: Ports, behind: Sequence[Stored]) -> Iterator[tuple[str, Iterator[tuple[str, Entry]]]]:
    return groupby(ports.records.histories(behind[0].row.id, behind[-1].row.id), key=itemgetter(0))
