"""The estate: workspaces by layer, vaults by control, and what is behind each: every verdict and who uses which key."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from shared.core import ids
from shared.core.choices import LAYERS
from shared.core.errors import BadInput, RemediationError
from shared.core.judgement import ORDER
from shared.core.ports import Ports
from shared.flow.explain import explain
from shared.web.answers import problem_of
from shared.web.console import plan
from shared.web.console.drawing import drawn
from shared.web.console.pages import page

ROWS = 50  # of a page
_KINDS = {"workspaces": ids.WORKSPACE, "vaults": ids.VAULT}


@dataclass(frozen=True, slots=True)
class EstatePages:
    """The endpoints."""

    ports: Ports

    def show(self, request: Request) -> Response:
        """Show how every target stood when it was last looked at."""
        query = request.query_params
        kind, worst, text = query.get("kind", "workspaces"), query.get("worst", ""), query.get("q", "")[:100]
        if kind not in _KINDS or worst not in {"", *ORDER}:
            raise BadInput("BadFilter", f"kind must be workspaces or vaults, worst one of {', '.join(ORDER)}")
        found = self.ports.estate.page(_KINDS[kind], text=text, worst=worst, cursor=query.get("cursor", ""), limit=ROWS)
        kept = {"kind": kind, "worst": worst, "q": text}
        return page(
            request, "estate.html", items=found.items, kind=kind, worst=worst, text=text, order=ORDER, layers=LAYERS,
            controls=[it.control for it in self.ports.remediators if _KINDS[kind] in it.control.targets],
            following=f"?{urlencode({**kept, 'cursor': found.cursor})}" if found.cursor else "",
            begun="cursor" in query, first=f"?{urlencode(kept)}",
        )  # fmt: skip

    def explain(self, request: Request) -> Response:
        """Read one resource from Azure now, and show what every control says of it and would do. Nothing is written."""
        resource = request.query_params.get("resource", "").strip()
        if not resource:
            return page(request, "explain.html", resource="", found=None, told=None, drawing=None, plans={})
        try:
            found = explain(self.ports, resource)
        except RemediationError as error:
            told = problem_of(error)
            return page(
                request, "explain.html", told.status, resource=resource, found=None, told=told, drawing=None, plans={}
            )
        plans = {n: plan.shown(it["plan"].steps) for n, it in enumerate(found["verdicts"])}
        drawing = drawn(found["graph"]) if found["graph"] else None
        return page(request, "explain.html", resource=resource, found=found, told=None, drawing=drawing, plans=plans)
