"""The rows, their histories and the order in which they are listed, in one partition of Table Storage.

    row                holds
    row-id             the current row; head and newest continue its history
    history-id-000001  one entry
    list-place         the row once more, at its place in the list (core/shelf.py)

All in one partition: what a change writes it writes together or not at all, and a list is read in its order without a
look at what it does not show (decision 0024).
"""

import base64
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Entity, Table, cells, encoded, etag_of, joined
from shared.core.chain import START, Entry, link
from shared.core.errors import BadInput, RowChanged
from shared.core.ports import Event, Page, Stored, StoredPage, SummaryPage
from shared.core.record import Remediation, State
from shared.core.shelf import Summary, Wanted, bounds, place, summary

_ROWS = "rows"
_AT_ONCE = 1000  # entities that storage gives in one answer, at most
_MOST_LOOKED_AT = 5000  # entities that one search goes through before it shows what it has


class TableRows:
    """The rows of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _service(self) -> TableServiceClient:
        return TableServiceClient(self._url, credential=self._credential, retry_total=3)

    @cached_property
    def _rows(self) -> Table:
        return Table(self._service, "remediations")

    def get(self, row_id: str) -> Stored | None:
        """Return the row, or None."""
        entity = self._rows.get(_ROWS, f"row-{row_id}")
        return _stored(entity) if entity else None

    def save(self, row: Remediation, event: Event, over: Stored | None) -> Stored:
        """Write the row, its history entry and its place together. Raises RowChanged where the row has changed since `over`."""
        entry, body = _next(row, event, over), cells("body", encoded(row))
        chained = {"head": entry.n, "newest": entry.hash, "state": row.state.value}
        entity = {"PartitionKey": _ROWS, "RowKey": f"row-{row.id}", **chained, **body}
        past = {"PartitionKey": _ROWS, "RowKey": f"history-{row.id}-{entry.n:07}", **cells("body", encoded(entry))}
        listed = {
            "PartitionKey": _ROWS, "RowKey": f"list-{place(row)}", "control": row.control, "target": row.target.lower(),
            "state": row.state.value, "summary": encoded(summary(row)), **body,
        }  # fmt: skip
        gone = f"list-{place(over.row)}" if over else listed["RowKey"]
        try:
            etag = self._rows.together(
                entity, over.etag if over else "", past, listed, gone if gone != listed["RowKey"] else ""
            )
        except RowChanged:
            # The SDK sends a write again when its answer is lost: then the change that we meet is our own.
            now = self.get(row.id)
            if now is None or now.newest != entry.hash:
                raise
            return now
        return Stored(row, etag, entry.n, entry.hash)

    def page(self, *, states: Sequence[State], control: str, target: str, cursor: str, limit: int) -> Page:
        """Return rows in the order of their places; empty filters match all."""
        wanted = Wanted(states=tuple(states), control=control, target=target)
        found = list(itertools.islice(self._listed(wanted, cursor, limit + 1), limit + 1))
        rows = tuple(msgspec.json.decode(joined("body", it), type=Remediation) for it in found[:limit])
        return Page(rows, _sealed(found[limit - 1]) if len(found) > limit else "")

    def walk(self, *, states: Sequence[State], cursor: str, limit: int) -> Page:
        """Return rows in these states in the order of their ids."""
        condition, parameters = _any_of(states)
        low = f"row-{_id(cursor)}"
        entities = self._rows.run(_ROWS, low, "row.", condition, parameters=parameters, results_per_page=limit + 1)
        found = list(itertools.islice(entities, limit + 1))
        rows = tuple(_stored(it).row for it in found[:limit])
        return Page(rows, rows[-1].id if len(found) > limit else "")

    def summaries(self, wanted: Wanted, *, cursor: str, limit: int) -> SummaryPage:
        """Return what a list shows of rows, in the order of their places."""
        found = list[Summary]()
        last, size = None, limit + 1 if not wanted.text else _AT_ONCE
        for looked, it in enumerate(self._listed(wanted, cursor, size, select=["RowKey", "summary"])):
            row = msgspec.json.decode(it["summary"], type=Summary)
            fits = wanted.takes(row)
            if looked == _MOST_LOOKED_AT or (fits and len(found) == limit):
                return SummaryPage(tuple(found), _sealed(last), unseen=not fits)
            found += [row] if fits else []
            last = it
        return SummaryPage(tuple(found), "")

    def _listed(self, wanted: Wanted, cursor: str, size: int, **query: Any) -> Iterator[Entity]:
        """Yield the list from a cursor on, `size` entities a call to storage."""
        low, high = bounds(wanted.reach())
        conditions, parameters = _any_of(wanted.states)
        if wanted.control:
            conditions, parameters["control"] = conditions + " and control eq @control", wanted.control
        if wanted.target:
            conditions, parameters["target"] = conditions + " and target eq @target", wanted.target.lower()
        begin = max(f"list-{low}", _opened(cursor))
        return self._rows.run(
            _ROWS, begin, f"list-{high}", conditions, parameters=parameters, results_per_page=size, **query
        )

    def heads(self, cursor: str, limit: int) -> StoredPage:
        """Return rows in the order of their ids, as they are guarded and continued."""
        entities = self._rows.run(_ROWS, f"row-{_id(cursor)}", "row.", results_per_page=min(limit + 1, _AT_ONCE))
        found = tuple(_stored(it) for it in itertools.islice(entities, limit + 1))
        return StoredPage(found[:limit], found[limit - 1].row.id if len(found) > limit else "")

    def history(self, row_id: str, after: int = 0) -> tuple[Entry, ...]:
        """Return the history of a row, oldest first, from behind one entry on."""
        found = self._rows.run(_ROWS, f"history-{row_id}-{after:07}", f"history-{row_id}.")
        return tuple(msgspec.json.decode(joined("body", entity), type=Entry) for entity in found)

    def histories(self, first: str, last: str) -> Iterator[tuple[str, Entry]]:
        """Yield the entries of all rows from one id to another, each with its row's id, row by row, oldest first."""
        found = self._rows.run(_ROWS, f"history-{first}-", f"history-{last}.", results_per_page=_AT_ONCE)
        for entity in found:
            row_id = str(entity["RowKey"]).split("-")[1]
            yield row_id, msgspec.json.decode(joined("body", entity), type=Entry)


def _any_of(states: Sequence[State]) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row is in one of these states, and its parameters. None given: no condition."""
    # The SDK finds its parameters between spaces.
    condition = " and ( " + " or ".join(f"state eq @s{n}" for n in range(len(states))) + " )" if states else ""
    return condition, {f"s{n}": state.value for n, state in enumerate(states)}


def _id(cursor: str) -> str:
    if cursor and not re.fullmatch("[0-9A-Za-z]{1,32}", cursor):
        raise BadInput("BadCursor", "the cursor is not one that this list has given out: start without one")
    return cursor


def _sealed(entity: Entity | None) -> str:
    """Return the cursor that goes on after an entity of the list."""
    place_ = str(entity["RowKey"]).removeprefix("list-") if entity else ""
    return base64.urlsafe_b64encode(place_.encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    """Return the row key that a cursor stands for, '' for none. Raises BadInput for what is no cursor of ours."""
    try:
        place_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        place_ = "?"
    if cursor and not re.fullmatch("[0-9]-[0-9]{12}-[0-9A-Za-z]{1,32}", place_):
        raise BadInput("BadCursor", "the cursor is not one that this list has given out: start without one")
    return f"list-{place_}" if cursor else ""


def _next(row: Remediation, event: Event, over: Stored | None) -> Entry:
    entry = Entry(
        n=(over.head if over else 0) + 1, time=row.updated, event=event.name, state=row.state, actor=event.actor,
        reason=event.reason, detail=msgspec.to_builtins(dict(event.detail)), previous=over.newest if over else START,
    )  # fmt: skip
    return replace(entry, hash=link(entry))


def _stored(entity: Entity) -> Stored:
    row = msgspec.json.decode(joined("body", entity), type=Remediation)
    return Stored(row, etag_of(entity), int(entity["head"]), str(entity["newest"]))
