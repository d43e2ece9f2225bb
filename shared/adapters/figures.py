"""Figures in Table Storage: one set a day, newest first, and beside them how far each history has been followed.

table     partition   row             holds
figures   days        countdown       the figures of a day, and its point of the trend
figures   tracks      a row's id      what its history has told so far
figures   readings    subscription-hash  how often a vault was called
figures   claim       figures         who makes them just now, and since when
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property

import msgspec
from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient

from shared.adapters.tables import Table, cells, encoded, etag_of, joined
from shared.core.errors import RowChanged
from shared.core.figures.figures import Figures, Point
from shared.core.figures.reading import Reading
from shared.core.figures.track import Track
from shared.core.ids import parse
from shared.core.record import key

_DAYS, _TRACKS, _CLAIM, _ROW, _READINGS = "days", "tracks", "claim", "figures", "readings"
_AT_ONCE = 1000  # entities that storage gives in one answer, at most
_FAR = 99_999_999  # later than any day there is, as 20261124: what is taken from it counts down


class TableFigures:
    """The figures of one storage account."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _table(self) -> Table:
        service = TableServiceClient(self._url, credential=self._credential, retry_total=3)
        return Table(service, "figures")

    def claim(self, now: datetime, lease: timedelta) -> str:
        """Take the making of figures: compare and set, so that of two at the same moment one has it."""
        found = self._table.get(_CLAIM, _ROW)
        if found and datetime.fromisoformat(str(found["since"])) > now - lease:
            return ""
        token = secrets.token_hex(16)
        fresh = {"PartitionKey": _CLAIM, "RowKey": _ROW, "since": now.isoformat(), "token": token}
        try:
            self._table.swap(fresh, etag_of(found) if found else "")
        except RowChanged:
            # Somebody else was faster, or our own write, sent again by the SDK after its answer was lost.
            found = self._table.get(_CLAIM, _ROW)
            return token if found and found["token"] == token else ""
        return token

    def release(self, claim: str) -> None:
        """Remove the claim, unless somebody else has taken it by now."""
        found = self._table.get(_CLAIM, _ROW)
        if found and found["token"] == claim:
            with suppress(RowChanged):
                self._table.remove(_CLAIM, _ROW, etag_of(found))

    def tracks(self, after: str, last: str) -> Mapping[str, Track]:
        """Return what is known of the rows with ids behind `after`, up to and with `last`, by id."""
        found = self._table.run(_TRACKS, after, f"{last}~", results_per_page=_AT_ONCE)
        return {str(it["RowKey"]): msgspec.json.decode(joined("body", it), type=Track) for it in found}

    def follow(self, tracks: Mapping[str, Track]) -> None:
        """Keep these in place of what was known before, a hundred at a time."""
        self._table.put_all(
            [{"PartitionKey": _TRACKS, "RowKey": name, **cells("body", encoded(it))} for name, it in tracks.items()]
        )

    def keep(self, figures: Figures) -> None:
        """Keep the figures of a day in place of any earlier ones of it."""
        row, point = _row(figures.day), encoded(figures.point())
        self._table.put({"PartitionKey": _DAYS, "RowKey": row, "point": point, **cells("body", encoded(figures))})

    def latest(self) -> Figures | None:
        """Return the figures made last, or None."""
        found = next(self._table.run(_DAYS, "", "~", results_per_page=1), None)
        return msgspec.json.decode(joined("body", found), type=Figures) if found else None

    def trend(self, first: str, last: str) -> Sequence[Point]:
        """Return a point for each day that has figures, the earliest first."""
        found = self._table.run(
            _DAYS, _before(last), f"{_row(first)}~", results_per_page=_AT_ONCE, select=["RowKey", "point"]
        )
        return [msgspec.json.decode(str(it["point"]), type=Point) for it in found][::-1]

    def note(self, reading: Reading) -> None:
        """Keep how often a vault was called in place of what was known of it."""
        self._table.put({
            "PartitionKey": _READINGS, "RowKey": _reading(reading.vault), **cells("body", encoded(reading))
        })  # fmt: skip

    def readings(self, subscription: str = "") -> Mapping[str, Reading]:
        """Return what is known of the vaults of a subscription, or of all, by id in lower case."""
        first, last = (f"{subscription.lower()}-", f"{subscription.lower()}-~") if subscription else ("", "~")
        found = self._table.run(_READINGS, first, last, results_per_page=_AT_ONCE)
        made = (msgspec.json.decode(joined("body", it), type=Reading) for it in found)
        return {it.vault: it for it in made}

    def drop(self, vaults: Sequence[str]) -> None:
        """Forget what is known of these vaults, by id in lower case."""
        for vault in vaults:
            self._table.remove(_READINGS, _reading(vault))

    def forget(self, before: str) -> int:
        """Remove the figures of days before this one; return how many."""
        old = [str(it["RowKey"]) for it in self._table.run(_DAYS, _row(before), "~", select=["RowKey"])]
        for row in old:
            self._table.remove(_DAYS, row)
        return len(old)


def _row(day: str) -> str:
    """Return the row key of a day, which sorts the newest first."""
    return f"{_FAR - int(day.replace('-', '')):08}"


def _reading(vault: str) -> str:
    """Return the row key of a vault's reading: those of one subscription lie side by side."""
    return f"{parse(vault).subscription}-{key(vault)}"


def _before(day: str) -> str:
    """Return a text that sorts just before the row key of a day."""
    return f"{int(_row(day)) - 1:08}~"
