"""What could not be worked on: why, what it would do, and a button to try it again."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.core.errors import RemediationError
from shared.core.ports import Ports
from shared.core.wake import Cause
from shared.flow.redrive import redrive
from shared.web import asked
from shared.web.answers import Told, problem_of
from shared.web.auth import Caller
from shared.web.console import words
from shared.web.console.forms import form_of
from shared.web.console.pages import HEADERS, page

ROWS = 50  # of a page
# What each source is, and what follows where nobody does anything.
MEANS = {
    "event": "An event made no sense. Nothing of it is kept; if something was written, the nightly look over the estate finds it.",
    "wake": "An event that came through the queue killed its worker. The nightly look over the estate finds what it spoke of.",
    "evaluate": "A look at a target could not be ended, or killed its worker. Each night it is tried again.",
    "apply": "A write killed its worker five times; its remediation has failed and says how far it came.",
    "notify": "Somebody could not be told. Each night it is tried again.",
    "dead letter": "Event Grid gave up on an event. Each night what it told of is looked at.",
    "sweep": "A subscription could not be looked over. The next sweep does it.",
}


@dataclass(frozen=True, slots=True)
class PoisonPages:
    """The endpoints."""

    ports: Ports

    def show(self, request: Request) -> Response:
        """Show what is on record."""
        return self._page(request)

    def redrive(self, request: Request) -> Response:
        """Try one of these again, and show the list."""
        form_of(request)
        caller: Caller = request.state.caller
        poison_id = request.path_params["id"]
        record = self.ports.records.poisoned(poison_id) if asked.is_id(poison_id) else None
        if record is None:
            raise HTTPException(404, "There is no such record of poison")
        try:
            redrive(self.ports, record, Cause("person", record.id, caller.object_id))
        except RemediationError as error:
            return self._page(request, words.for_people(problem_of(error)))
        return RedirectResponse("/poison", 303, HEADERS)

    def _page(self, request: Request, told: Told | None = None) -> Response:
        cursor = request.query_params.get("cursor", "") if request.method == "GET" else ""
        found = self.ports.records.poison_page(cursor=cursor, limit=ROWS)
        return page(
            request, "poison.html", told.status if told else 200, items=found.items, means=MEANS, told=told,
            following=f"?cursor={found.cursor}" if found.cursor else "", begun=bool(cursor),
        )  # fmt: skip
