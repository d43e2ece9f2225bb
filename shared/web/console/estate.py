"""The estate: workspaces by layer, vaults by control, and what is behind each: every verdict and who uses which key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.core import ids
from shared.core.choices import LAYERS
from shared.core.errors import BadInput, RemediationError
from shared.core.judgement import ORDER
from shared.core.ports import Ports
from shared.flow.explain import explain
from shared.flow.request import Plea
from shared.flow.request import request as ask_for
from shared.web.answers import Told, problem_of
from shared.web.console import plan, words
from shared.web.console.drawing import drawn
from shared.web.console.forms import form_of
from shared.web.console.pages import HEADERS, page
from shared.web.origin import origin

ROWS = 50  # of a page
_LOUD = ("NonCompliant", "Unknown")
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
            begun="cursor" in query, first=f"?{urlencode(kept)}", last=next(iter(self.ports.surveys.latest(1)), None),
        )  # fmt: skip

    def explain(self, request: Request) -> Response:
        """Read one resource from Azure now, and show what every control says of it and would do. Nothing is written."""
        asked_for = request.query_params.get("resource", "").strip()
        if not asked_for:
            return self._explained(request, "")
        named = [asked_for] if asked_for.startswith("/") else self._named(asked_for)
        if len(named) != 1:
            return self._explained(request, asked_for, named=named)
        try:
            found = explain(self.ports, named[0])
        except RemediationError as error:
            return self._explained(request, asked_for, told=problem_of(error))
        return self._explained(request, named[0], found=found)

    def ask(self, request: Request) -> Response:
        """Ask for a key of a workspace's own, and show the request; where there is none to be had, say why."""
        form, caller = form_of(request), request.state.caller
        workspace = form.text("workspace")
        try:
            stored = ask_for(self.ports, Plea(caller.object_id, workspace, form.text("comment"), origin(request)))
        except RemediationError as error:
            return self._explained(request, workspace, told=words.for_people(problem_of(error)))
        return RedirectResponse(f"/remediations/{stored.row.id}?done=key", 303, HEADERS)

    def _named(self, name: str) -> list[str]:
        """Return the targets of the estate that have a name, by id."""
        pages = [self.ports.estate.page(it, text=name, worst="", cursor="", limit=ROWS) for it in _KINDS.values()]
        found = [it for page_ in pages for it in page_.items]
        exact = [it.target for it in found if it.name.lower() == name.lower()]
        return exact or [it.target for it in found]

    def _explained(
        self,
        request: Request,
        resource: str,
        *,
        found: Mapping[str, Any] | None = None,
        told: Told | None = None,
        named: Sequence[str] | None = None,
    ) -> Response:
        verdicts = sorted(found["verdicts"], key=lambda it: ORDER.index(it["verdict"])) if found else []
        graph = found["graph"] if found else None
        return page(
            request,
            "explain.html",
            told.status if told else 200,
            resource=resource,
            is_workspace=found is not None and found["kind"] == ids.WORKSPACE,
            found=found,
            told=told,
            named=named,
            loud=[(it, plan.shown(it["plan"].steps, self._names())) for it in verdicts if it["verdict"] in _LOUD],
            quiet=[it for it in verdicts if it["verdict"] not in _LOUD],
            drawing=drawn(graph) if graph else None,
            kinds={it.principal: str(it.kind) for it in graph["identities"]} if graph else {},
        )

    def _names(self) -> Mapping[str, str]:
        databricks = self.ports.choices.databricks
        return {databricks: "AzureDatabricks"} if databricks else {}
