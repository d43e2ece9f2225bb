"""The whole web side as one ASGI app: the API for programs, pages for people, and one gate in front of both."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.core.errors import RemediationError
from shared.core.ports import Ports
from shared.web import api
from shared.web.answers import refusal
from shared.web.auth import Door
from shared.web.console import routes as console
from shared.web.gate import Gate, is_api
from shared.web.limits import Limits
from shared.web.refusals import Turned


def site(ports: Ports, door: Door, limits: Limits) -> Starlette:
    """Return the ASGI app."""
    for_programs, open_paths = api.routes(ports)
    handlers: dict[Any, Callable[[Request, Exception], Any]] = dict.fromkeys(
        (HTTPException, RemediationError, Turned), _turned_away
    )
    app = Starlette(routes=[*for_programs, *console.routes(ports)], exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.add_middleware(
        Gate, door=door, limits=limits, told=told,
        is_open=lambda path: path in open_paths or path.startswith(console.OPEN),
    )  # fmt: skip
    return app


def told(request: Request, error: Exception) -> Response:
    """Return the answer to an error: a problem document to programs, a page to people."""
    return refusal(error) if is_api(request.url.path) else console.turned_away(request, error)


async def _turned_away(request: Request, error: Exception) -> Response:
    return told(request, error)
