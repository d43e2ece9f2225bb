"""The pages' route table, and what a page says where a request cannot be answered."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.core.ports import Ports
from shared.web.answers import problem_of
from shared.web.console import assets, words
from shared.web.console.estate import EstatePages
from shared.web.console.lists import Lists
from shared.web.console.one import One
from shared.web.console.overview import Overview
from shared.web.console.pages import page
from shared.web.console.poison import PoisonPages
from shared.web.console.reports import ReportPages

OPEN = "/static/"  # below it nothing is private


def routes(ports: Ports) -> Sequence[Route]:
    """Return the table. Reading is GET, whatever changes something is POST."""
    lists, one, estate, poison = Lists(ports), One(ports), EstatePages(ports), PoisonPages(ports)
    reports = ReportPages(ports)
    return (
        Route("/", lists.queue, methods=["GET"]),
        Route("/history", lists.history, methods=["GET"]),
        Route("/reject", lists.reject, methods=["POST"]),
        Route("/remediations/{id}", one.show, methods=["GET"]),
        Route("/remediations/{id}/live", one.live, methods=["GET"]),
        Route("/remediations/{id}/{act}", one.act, methods=["POST"]),
        Route("/overview", Overview(ports).show, methods=["GET"]),
        Route("/estate", estate.show, methods=["GET"]),
        Route("/explain", estate.explain, methods=["GET"]),
        Route("/key-requests", estate.ask, methods=["POST"]),
        Route("/reports", reports.reports, methods=["GET"]),
        Route("/what-if", reports.what_if, methods=["GET"]),
        Route("/poison", poison.show, methods=["GET"]),
        Route("/poison/{id}/redrive", poison.redrive, methods=["POST"]),
        Route(OPEN + "{version}/{name}", assets.serve, methods=["GET"]),
    )


def turned_away(request: Request, error: Exception) -> Response:
    """Return the page that says why a request has no other answer, and what to do about it."""
    told = words.for_people(problem_of(error))
    headers = {"Retry-After": str(told.retry_after)} if told.retry_after else {}
    return page(request, "problem.html", told.status, headers, told=told)
