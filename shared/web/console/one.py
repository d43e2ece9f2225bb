"""The page of one remediation: what was found, what the plan would change, what a person can say to it, what has happened."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.core import chain
from shared.core.errors import RemediationError
from shared.core.ports import Ports, Stored
from shared.core.record import BUSY, Remediation
from shared.core.ticket import content_of
from shared.flow.approve import requesters
from shared.web import asked
from shared.web.answers import problem_of
from shared.web.auth import Caller
from shared.web.console import plan
from shared.web.console.acts import ACTS, DONE, Said, offers
from shared.web.console.forms import Form, form_of
from shared.web.console.pages import HEADERS, page
from shared.web.origin import origin
from shared.web.refusals import Turned

# What stops somebody from saying yes to their own wish is known before they have written a word.
_OWN = "You asked for this, or picked its vault: somebody else must approve it."


@dataclass(frozen=True, slots=True)
class One:
    """The endpoints."""

    ports: Ports

    def show(self, request: Request) -> Response:
        """Show the page."""
        return self._page(request, self._stored(request))

    def live(self, request: Request) -> Response:
        """Show how far a remediation has come: a part of its page, which asks for itself again and again."""
        stored = self._stored(request)
        seen = request.query_params.get("state", "")
        # Once it has come to another state there is something else to do: the whole page is made anew.
        headers = {"HX-Refresh": "true"} if seen != stored.row.state else {}
        return page(request, "live.html", headers=headers, row=stored.row, steps=plan.shown(stored.row.plan.steps))

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
            return self._page(request, self._stored(request), error=error, typed=form, tried=name)
        return RedirectResponse(f"/remediations/{done.row.id}?done={name}", 303, HEADERS)

    def _page(
        self,
        request: Request,
        stored: Stored,
        *,
        error: Exception | None = None,
        typed: Form | None = None,
        tried: str = "",
    ) -> Response:
        row = stored.row
        history = self.ports.records.history(row.id)
        control = next((it.control for it in self.ports.remediators if it.control.id == row.control), None)
        content = content_of(row, control, self.ports.choices)
        filed = self.ports.tickets.find(row.id)
        told = problem_of(error) if error else None
        return page(
            request,
            "remediation.html",
            status=told.status if told else 200,
            row=row,
            control=control,
            content=content,
            steps=plan.shown(row.plan.steps),
            version=asked.etag(stored).strip('"'),
            history=tuple(reversed(history)),
            chain=chain.verify(history, stored.head, stored.newest),
            ticket=filed.ticket if filed else None,
            offers=offers(row, eligible=bool(content.eligible), now=self.ports.clock.now()),
            own=self._own(request, row),
            vaults=content.eligible,
            busy=row.state in BUSY,
            told=told,
            tried=tried,
            typed=typed.fields if typed else {},
            done=DONE.get(request.query_params.get("done", ""), "") if not told else "",
            now=self.ports.clock.now(),
        )

    def _own(self, request: Request, row: Remediation) -> str:
        caller: Caller = request.state.caller
        return _OWN if caller.object_id in requesters(self.ports, row) else ""

    def _stored(self, request: Request) -> Stored:
        row_id = request.path_params["id"]
        stored = self.ports.records.get(row_id) if asked.is_id(row_id) else None
        if stored is None:
            raise HTTPException(404, "There is no such remediation")
        return stored
