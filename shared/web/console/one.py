"""The page of one remediation: what was found, what the plan would change, what a person can say to it, what has happened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.core import chain, ids
from shared.core.chain import Entry
from shared.core.errors import RemediationError
from shared.core.ports import Ports, Stored
from shared.core.record import BUSY, Remediation, State
from shared.core.ticket import content_of
from shared.flow.approve import Outlook, outlook
from shared.web import asked
from shared.web.answers import Told, problem_of
from shared.web.auth import Caller
from shared.web.console import plan, words
from shared.web.console.acts import ACTS, DONE, Said, offers
from shared.web.console.forms import Form, form_of
from shared.web.console.pages import HEADERS, page
from shared.web.origin import origin
from shared.web.refusals import Stale, Turned

# After these a look follows within seconds: until then there is nothing for a person to say.
_FOLLOWED = frozenset({"confirmed", "retried", "picked", "lifted"})
_LONGEST_LOOK = timedelta(minutes=2)
# What tells a reader how it went; the steps of the machinery between them are folded away.
_TOLD = frozenset({State.RESOLVED, State.FAILED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class One:
    """The endpoints."""

    ports: Ports

    def show(self, request: Request) -> Response:
        """Show the page."""
        return self._page(request, self._stored(request))

    def live(self, request: Request) -> Response:
        """Show how far a remediation has come: a part of its page, which asks for itself again and again.

        204 where there is nothing new. Once there is something else to do, the page at work is made anew, and one that
        somebody may be typing into says that it is old.
        """
        stored = self._stored(request)
        row, seen = stored.row, request.query_params.get("version", "")
        if request.query_params.get("at", "") == "rest":
            is_same = seen == _version(stored)
            return Response(status_code=204, headers=HEADERS) if is_same else page(request, "old.html", row=row)
        goes_on = self._is_at_work(row, self.ports.records.history(row.id))
        return page(request, "live.html", headers={} if goes_on else {"HX-Refresh": "true"}, **self._progress(stored))

    def act(self, request: Request) -> Response:
        """Do what a form says, then show the page again; where it cannot be done, say why beside what was typed."""
        form, stored = form_of(request), self._stored(request)
        name = request.path_params["act"]
        act = ACTS.get(name)
        if act is None:
            raise HTTPException(404, "There is no such act")
        caller: Caller = request.state.caller
        try:
            asked.check_version(stored, {f'"{form.text("version")}"'})
            done = act(self.ports, stored, Said(caller.object_id, form, origin(request)))
        except (RemediationError, Turned) as error:
            now = self._stored(request)
            told = words.for_people(problem_of(error))
            if isinstance(error, Stale):
                told = self._overtaken(told, now)
            return self._page(request, now, told=told, typed=form, tried=name)
        return RedirectResponse(f"/remediations/{done.row.id}?done={name}", 303, HEADERS)

    def _overtaken(self, told: Told, stored: Stored) -> Told:
        """Say what came in between: whoever pressed a button must know that theirs did nothing."""
        last = self.ports.records.history(stored.row.id)[-1]
        said = (
            f"While you had the page open, this happened: {last.event} ({last.actor}, {last.time:%Y-%m-%d %H:%M:%S} UTC). "
            "Nothing of yours was done. What you see below is how it stands now."
        )
        return replace(told, detail=said)

    def _page(
        self,
        request: Request,
        stored: Stored,
        *,
        told: Told | None = None,
        typed: Form | None = None,
        tried: str = "",
    ) -> Response:
        row, now = stored.row, self.ports.clock.now()
        caller: Caller = request.state.caller
        history = self.ports.records.history(row.id)
        control = next((it.control for it in self.ports.remediators if it.control.id == row.control), None)
        content = content_of(row, control, self.ports.choices)
        filed = self.ports.tickets.find(row.id)
        at_work = self._is_at_work(row, history)
        offered = () if at_work and row.state not in BUSY else offers(row, eligible=bool(content.eligible), now=now)
        done = DONE.get(request.query_params.get("done", ""), "")
        return page(
            request,
            "remediation.html",
            status=told.status if told else 200,
            control=control,
            content=content,
            history=tuple(reversed(history)),
            told_entries=tuple(reversed([it for it in history if _is_told(it)])),
            chain=chain.verify(history, stored.head, stored.newest),
            newest=stored.newest,
            ticket=filed.ticket if filed else None,
            offers=offered,
            outlook=self._outlook(row, caller) if "approve" in offered else None,
            vaults=content.eligible,
            at_work=at_work,
            told=told,
            tried=tried,
            typed=typed.fields if typed else {},
            # Said once, to whoever did it: a reload, or what has happened since, ends it.
            done=done if not told and history[-1].actor == caller.object_id else "",
            no=_last_no(history) if row.state is State.REJECTED else None,
            advice=words.advice(str(_in_the_way(row).get("reason", ""))),
            now=now,
            **self._progress(stored),
        )

    def _progress(self, stored: Stored) -> dict[str, Any]:
        """Return what both the page and its part at work show."""
        row = stored.row
        target = ids.parse(row.target)
        drawn = self.ports.records.known(target).memory.drawn if target.kind == ids.WORKSPACE else ()
        names = {self.ports.choices.databricks: "AzureDatabricks"} if self.ports.choices.databricks else {}
        steps = plan.shown(row.plan.steps, names, plan.made_of(drawn))
        return {"row": row, "steps": steps, "version": _version(stored)}

    def _is_at_work(self, row: Remediation, history: tuple[Entry, ...]) -> bool:
        last = history[-1]
        follows = last.event in _FOLLOWED and last.time > self.ports.clock.now() - _LONGEST_LOOK
        return row.state in BUSY or (follows and row.is_open) or (follows and row.state is State.SUPERSEDED)

    def _outlook(self, row: Remediation, caller: Caller) -> Outlook | None:
        """Return what the reader's yes would be worth; None where Azure cannot be asked now."""
        try:
            return outlook(self.ports, row, caller.object_id)
        except RemediationError:
            return None

    def _stored(self, request: Request) -> Stored:
        row_id = request.path_params["id"]
        stored = self.ports.records.get(row_id) if asked.is_id(row_id) else None
        if stored is None:
            raise HTTPException(404, "There is no such remediation")
        return stored


def _version(stored: Stored) -> str:
    return asked.etag(stored).strip('"')


def _is_told(entry: Entry) -> bool:
    return entry.state in _TOLD or "comment" in entry.detail or entry.n == 1


def _last_no(history: tuple[Entry, ...]) -> Entry | None:
    return next((it for it in reversed(history) if it.event == "rejected"), None)


def _in_the_way(row: Remediation) -> Mapping[str, Any]:
    found = row.finding.evidence.get("stands_in_the_way")
    return found if isinstance(found, Mapping) else {}
