"""How everything stands on record, read part by part: rows and last judgements. Nothing here can write, or ask Azure."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from shared.core import ids
from shared.core.judgement import Judgement
from shared.core.ports import Trail
from shared.core.ports.standing import Standing
from shared.core.record import Remediation, State

KINDS = (ids.VAULT, ids.WORKSPACE)
_WITH_HISTORY = 100
_PART = 500  # rows of one answer of storage; with one more it stays below the thousand that Table Storage gives
_TARGETS = 900  # judgements of one answer, likewise


def rows(ports: Standing, states: Sequence[State]) -> Iterator[Remediation]:
    """Yield the rows in these states by id."""
    cursor = ""
    while True:
        page = ports.records.walk(states=states, cursor=cursor, limit=_PART)
        yield from page.items
        cursor = page.cursor
        if not cursor:
            return


def trails(ports: Standing) -> Iterator[Trail]:
    """Yield every row with its history by id: two lists, joined part by part."""
    cursor = ""
    while True:
        page = ports.records.heads(cursor, _WITH_HISTORY)
        if not page.items:
            return
        entries = ports.records.histories(page.items[0].row.id, page.items[-1].row.id)
        past = {row_id: [entry for _, entry in group] for row_id, group in groupby(entries, key=itemgetter(0))}
        for it in page.items:
            yield Trail(it, tuple(past.get(it.row.id, ())[: it.head]))
        cursor = page.cursor
        if not cursor:
            return


def judgements(ports: Standing) -> Iterator[Judgement]:
    """Yield the last judgement on every target: vaults by name, then workspaces."""
    for kind in KINDS:
        cursor = ""
        while True:
            page = ports.estate.page(kind, text="", worst="", cursor=cursor, limit=_TARGETS)
            yield from page.items
            cursor = page.cursor
            if not cursor:
                break


def unread(ports: Standing) -> tuple[str, ...]:
    """Return the subscriptions that the last look over the estate could not read."""
    return tuple(it for survey in ports.surveys.latest(1) for it in survey.unread)
