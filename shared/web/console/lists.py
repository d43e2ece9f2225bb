"""The queue and the history: rows in the order in which people read them, filtered, paged, exported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.core import chain
from shared.core.errors import BadInput, RemediationError
from shared.core.plan import rail_of_all
from shared.core.ports import Ports, SummaryPage
from shared.core.question import ends
from shared.core.record import State
from shared.core.shelf import Shelf, Summary, Wanted
from shared.flow.approve import reject
from shared.web import asked, shapes
from shared.web.answers import Told, problem_of
from shared.web.auth import Caller
from shared.web.console import sheet, words
from shared.web.console.forms import form_of
from shared.web.console.pages import HEADERS, page
from shared.web.origin import origin

ROWS = 25  # of a page
_MOST_EXPORTED = 10_000  # rows of a sheet
_AT_ONCE = 500  # with one more it stays below the thousand rows that Table Storage gives in one answer
_MOST_PROVED = 200  # rows of one file with their histories
_KNOWN = frozenset({"shelf", "state", "control", "q", "target", "cursor", "verify", "format", "done"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list. `until` is when the question ends that people are asked."""

    it: Summary
    severity: str
    until: datetime | None
    problem: str | None = None  # of its chain; None where nobody has looked


@dataclass(frozen=True, slots=True)
class Lists:
    """The endpoints."""

    ports: Ports

    def queue(self, request: Request) -> Response:
        """Show what waits for people: questions first, those that end soonest on top."""
        return self._queue(request)

    def _queue(
        self, request: Request, told: Told | None = None, typed: str = "", ticked: Sequence[str] = ()
    ) -> Response:
        wanted = _wanted(request, Shelf.WAITING)
        found = self._found(request, wanted)
        now = self.ports.clock.now()
        return page(
            request, "queue.html", told.status if told else 200, rows=self._rows(found), now=now, rail=self._rail(now),
            unseen=found.unseen, told=told, typed=typed, ticked=ticked, **self._around(request, wanted, found),
        )  # fmt: skip

    def history(self, request: Request) -> Response:
        """Show everything that is on record, or hand it out as a file."""
        wanted = _wanted(request, None)
        match request.query_params.get("format", ""):
            case "csv":
                return _file(sheet.of(self._every(wanted)), "text/csv; charset=utf-8", "remediations.csv")
            case "json":
                return self._proof(request, wanted)
            case "":
                pass
            case _:
                raise BadInput("BadFormat", "format must be csv or json")
        found = self._found(request, wanted)
        rows = self._rows(found, verify=request.query_params.get("verify") == "1")
        return page(request, "history.html", rows=rows, **self._around(request, wanted, found), unseen=found.unseen)

    def reject(self, request: Request) -> Response:
        """Say no to several plans with one reason. One that has changed since it was seen is left as it is."""
        form, caller = form_of(request), request.state.caller
        comment, ticked = form.text("comment"), form.every("row")
        if not ticked or not comment:
            problem = BadInput("NothingTicked", "tick the remediations to reject, and say why")
            told = words.for_people(problem_of(problem))
            return self._queue(request, told, comment, [it.partition(":")[0] for it in ticked])
        return page(request, "rejected.html", told=[self._rejected(request, caller, it, comment) for it in ticked])

    def _rejected(self, request: Request, caller: Caller, pair: str, comment: str) -> tuple[str, str, str]:
        """Return the id, the name of the target and what stood in the way, '' where nothing did."""
        row_id, _, fingerprint = pair.partition(":")
        stored = self.ports.records.get(row_id) if asked.is_id(row_id) else None
        if stored is None:
            return row_id, "", "there is no such remediation"
        if stored.row.plan.fingerprint != fingerprint:
            return row_id, stored.row.target, "its plan has changed since you saw it: look at it again"
        try:
            reject(self.ports, stored, caller.object_id, comment, origin(request))
        except RemediationError as error:
            return row_id, stored.row.target, error.message
        return row_id, stored.row.target, ""

    def _found(self, request: Request, wanted: Wanted) -> SummaryPage:
        return self.ports.records.summaries(wanted, cursor=request.query_params.get("cursor", ""), limit=ROWS)

    def _rows(self, found: SummaryPage, *, verify: bool = False) -> list[Row]:
        severities = {it.control.id: it.control.severity for it in self.ports.remediators}
        return [
            Row(
                it, severities.get(it.control, ""), ends(it, self.ports.choices) if it.asked else None,
                self._problem(it.id) if verify else None,
            )
            for it in found.items
        ]  # fmt: skip

    def _problem(self, row_id: str) -> str:
        stored = self.ports.records.get(row_id)
        if stored is None:
            return "the row is gone"
        return chain.verify(self.ports.records.history(row_id), stored.head, stored.newest)

    def _around(self, request: Request, wanted: Wanted, found: SummaryPage) -> dict[str, Any]:
        kept = {name: value for name, value in request.query_params.items() if name in _KNOWN and name != "cursor"}
        kept.pop("done", None)
        return {
            "wanted": wanted,
            "shelf": request.query_params.get("shelf", ""),
            "following": f"?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else "",
            "begun": "cursor" in request.query_params,
            "query": urlencode(kept),
            "first": f"?{urlencode(kept)}",
            "elsewhere": urlencode({name: value for name, value in kept.items() if name in {"q", "control"}}),
            "controls": [it.control.id for it in self.ports.remediators],
            "states": list(State),
        }

    def _rail(self, now: datetime) -> str:
        """Say what keeps everything from happening by itself; '' where nothing does."""
        rail = rail_of_all(self.ports.choices, now)
        return f"{rail.message[:1].upper()}{rail.message[1:]}." if rail else ""

    def _every(self, wanted: Wanted) -> Iterator[Summary]:
        cursor, left = "", _MOST_EXPORTED
        while left:
            found = self.ports.records.summaries(wanted, cursor=cursor, limit=min(left, _AT_ONCE))
            yield from found.items
            left -= len(found.items)
            cursor = found.cursor
            if not cursor:
                return

    def _proof(self, request: Request, wanted: Wanted) -> Response:
        """Hand out rows with their whole histories, each with what its chain says: what an auditor asks for."""
        cursor = request.query_params.get("cursor", "")
        found = self.ports.records.summaries(wanted, cursor=cursor, limit=_MOST_PROVED)
        rows = []
        for it in found.items:
            stored, past = self.ports.records.get(it.id), self.ports.records.history(it.id)
            if stored is not None:
                rows.append(shapes.with_history(stored.row, past, chain.verify(past, stored.head, stored.newest)))
        body = msgspec.json.format(msgspec.json.encode({"items": rows, "next": found.cursor or None}), indent=1)
        return _file(body, "application/json", "remediations.json")


def _wanted(request: Request, shelf: Shelf | None) -> Wanted:
    query = request.query_params
    unknown = set(query) - _KNOWN
    if unknown:
        raise BadInput("UnknownParameter", f"{min(unknown)[:40]!r} is no filter of this page")
    state, given = query.get("state", ""), query.get("shelf", "")
    if (state and state not in list(State)) or (given and given not in [*Shelf, "all"]):
        raise BadInput("BadState", f"state must be one of {', '.join(State)}; shelf one of {', '.join(Shelf)}, all")
    shelves = () if given == "all" or state else (Shelf(given),) if given else (shelf,) if shelf else ()
    return Wanted(
        shelves=shelves, states=(State(state),) if state else (), control=query.get("control", "")[:100],
        target=query.get("target", "")[:2048], text=query.get("q", "")[:200],
    )  # fmt: skip


def _file(body: bytes | str, media_type: str, name: str) -> Response:
    return Response(body, 200, {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}, media_type)
