"""The route table of the JSON API. Each endpoint is a few lines over a verb of the flow or a read of the records.

Every route but health needs a token, checked before anything else: an unknown path tells a stranger nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.core import chain
from shared.core.errors import BadInput, Refused
from shared.core.ports import Ports, Stored
from shared.core.version import VERSION
from shared.core.wake import Cause
from shared.flow.approve import Yes, approve, reject
from shared.flow.cancel import cancel
from shared.flow.confirm import confirm
from shared.flow.exempt import end_exemption, exemption_of
from shared.flow.explain import explain
from shared.flow.pick import Pick, pick
from shared.flow.redrive import redrive
from shared.flow.retry import retry
from shared.flow.undo import Wish, undo_of
from shared.web import asked, doctor, evidence, keyrequests, kpis, reports, shapes, supposing, sweeps, tickets
from shared.web.answers import answer
from shared.web.auth import Caller
from shared.web.once import once
from shared.web.openapi import Operation, Parameter, document
from shared.web.origin import origin

_AN_ID = {"type": "string", "pattern": f"^{asked.ID}$"}
_ID = Parameter("id", "the remediation's id", _AN_ID, place="path", required=True)
_POISON_ID = Parameter("id", "the id of the record of poison", _AN_ID, place="path", required=True)
_MATCH = Parameter(
    "If-Match", "the ETag of the record as you saw it: if it has changed since, nothing happens (412)", place="header"
)


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints. All are plain functions, run in threads: the SDKs under them are synchronous."""

    ports: Ports

    def health(self, _request: Request) -> Response:
        """Say that the app is up."""
        return answer(shapes.Health("ok", VERSION))

    def findings(self, request: Request) -> Response:
        """List what is not as it should be, or could not be judged."""
        page = self.ports.records.page(**asked.filters(request, asked.OPEN))
        controls = {it.control.id: it.control for it in self.ports.remediators}
        items = []
        for row in page.items:
            control = controls.get(row.control)
            items.append(
                shapes.FindingOut(
                    remediation=row.id, control=row.control, title=control.title if control else "",
                    severity=control.severity if control else "", target=row.target, subject=row.subject,
                    verdict=row.verdict, reason=row.finding.reason, message=row.finding.message,
                    evidence=row.finding.evidence, state=row.state, decision=row.decision, opened=row.opened,
                    updated=row.updated,
                )
            )  # fmt: skip
        return answer(shapes.FindingPage(tuple(items), page.cursor or None))

    def remediations(self, request: Request) -> Response:
        """List the records, whatever their state."""
        page = self.ports.records.page(**asked.filters(request, ()))
        return answer(shapes.RemediationPage(tuple(shapes.remediation(row) for row in page.items), page.cursor or None))

    def remediation(self, request: Request) -> Response:
        """Show one record with its whole history."""
        return self._shown(self._stored(request))

    def retry(self, request: Request) -> Response:
        """Judge a failed, rejected or expired remediation anew."""
        caller: Caller = request.state.caller
        stored = self._stored(request)
        cause = Cause("person", stored.row.id, caller.object_id)
        return self._shown(retry(self.ports, stored, cause, origin(request)))

    def approve(self, request: Request) -> Response:
        """Say yes to the plan with this fingerprint. It may take a second person."""
        caller, said = self._said(request, shapes.ApprovalIn)
        yes = Yes(caller.object_id, said.fingerprint, said.comment, said.expires, origin(request))
        return self._shown(approve(self.ports, self._stored(request), yes))

    def reject(self, request: Request) -> Response:
        """Say no. It stands until the plan changes or somebody asks for a retry."""
        caller, said = self._said(request, shapes.RejectionIn)
        return self._shown(reject(self.ports, self._stored(request), caller.object_id, said.comment, origin(request)))

    def cancel(self, request: Request) -> Response:
        """Take back what was approved and has not been carried out: it waits for approval again."""
        caller, said = self._said(request, shapes.CancellationIn)
        return self._shown(cancel(self.ports, self._stored(request), caller.object_id, said.comment, origin(request)))

    def undo(self, request: Request) -> Response:
        """Ask for the way back: a remediation of its own, which waits for approval."""
        caller, said = self._said(request, shapes.UndoIn)
        wish = Wish(caller.object_id, said.comment, said.until, origin(request))
        return self._shown(undo_of(self.ports, self._stored(request), wish))

    def pick(self, request: Request) -> Response:
        """Pick the vault where a workspace's keys are to live. It makes another plan, which somebody else must approve."""
        caller, said = self._said(request, shapes.PickIn)
        return self._shown(
            pick(self.ports, self._stored(request), Pick(said.vault, caller.object_id, said.comment, origin(request)))
        )

    def confirm(self, request: Request) -> Response:
        """Say that what only a person can do was done."""
        caller, said = self._said(request, shapes.ConfirmationIn)
        return self._shown(confirm(self.ports, self._stored(request), caller.object_id, said.comment, origin(request)))

    def exempt(self, request: Request) -> Response:
        """Ask that a finding be left as it is until a time: a remediation of its own, which waits for approval."""
        caller, said = self._said(request, shapes.ExemptionIn)
        wish = Wish(caller.object_id, said.reason, said.until, origin(request))
        stored = self._named(said.remediation)
        if stored is None:
            raise Refused("NoSuchRemediation", "there is no remediation with the id that `remediation` names")
        return self._shown(exemption_of(self.ports, stored, wish))

    def lift(self, request: Request) -> Response:
        """End an exemption before its time: the finding is looked at anew."""
        caller: Caller = request.state.caller
        comment = asked.body(request, shapes.LiftIn).comment if request.state.body else ""
        return self._shown(end_exemption(self.ports, self._stored(request), caller.object_id, comment, origin(request)))

    def _said[T: msgspec.Struct](self, request: Request, shape: type[T]) -> tuple[Caller, T]:
        caller: Caller = request.state.caller
        return caller, asked.body(request, shape)

    def poison(self, request: Request) -> Response:
        """List what could not be worked on: why, and whether somebody has tried it again."""
        page = self.ports.records.poison_page(**asked.part(request, asked.PART))
        return answer(shapes.PoisonOutPage(tuple(shapes.poison(it) for it in page.items), page.cursor or None))

    def redrive(self, request: Request) -> Response:
        """Try something again that could not be worked on."""
        caller: Caller = request.state.caller
        poison_id = request.path_params["id"]
        record = self.ports.records.poisoned(poison_id) if asked.is_id(poison_id) else None
        if record is None:
            raise HTTPException(404, "There is no such record of poison")
        cause = Cause("person", record.id, caller.object_id)
        return answer(shapes.poison(redrive(self.ports, record, cause)))

    def explain(self, request: Request) -> Response:
        """Show every rule's verdict on a resource and the decision it would lead to, writing nothing."""
        resource = request.query_params.get("resource", "")
        if not resource:
            raise BadInput("NoResource", "give the resource: /api/explain?resource=/subscriptions/…")
        return answer(explain(self.ports, resource))

    def openapi(self, _request: Request) -> Response:
        """Describe exactly these operations."""
        return answer(document(VERSION, operations(self)))

    def _stored(self, request: Request) -> Stored:
        stored = self._named(request.path_params["id"])
        if stored is None:
            raise HTTPException(404, "There is no such remediation")
        if request.method != "GET":
            asked.check_match(request, stored)
        return stored

    def _named(self, row_id: str) -> Stored | None:
        return self.ports.records.get(row_id) if asked.is_id(row_id) else None

    def _shown(self, stored: Stored) -> Response:
        history = self.ports.records.history(stored.row.id)
        problem = chain.verify(history, stored.head, stored.newest)
        return answer(shapes.with_history(stored.row, history, problem), asked.etag(stored))


def operations(api: Api) -> Sequence[Operation]:
    """Return the route table."""
    one = shapes.RemediationWithHistory
    return (
        Operation("GET", "/api/health", api.health, shapes.Health, is_open=True),
        Operation("GET", "/api/findings", api.findings, shapes.FindingPage, asked.LIST),
        Operation("GET", "/api/remediations", api.remediations, shapes.RemediationPage, asked.LIST),
        Operation("GET", "/api/remediations/{id}", api.remediation, one, (_ID,), is_versioned=True),
        _on_one("retry", api.retry),
        _on_one("approve", api.approve, shapes.ApprovalIn),
        _on_one("reject", api.reject, shapes.RejectionIn),
        _on_one("cancel", api.cancel, shapes.CancellationIn),
        _on_one("undo", api.undo, shapes.UndoIn),
        _on_one("vault", api.pick, shapes.PickIn),
        _on_one("confirm", api.confirm, shapes.ConfirmationIn),
        Operation("POST", "/api/exemptions", api.exempt, one, body=shapes.ExemptionIn, is_versioned=True),
        Operation(
            "DELETE", "/api/exemptions/{id}", api.lift, one, (_ID, _MATCH), body=shapes.LiftIn, needs_body=False,
            is_versioned=True,
        ),
        Operation(
            "GET", "/api/explain", api.explain, shapes.Explanation,
            (Parameter("resource", "the resource to explain: an ARM id", required=True),),
        ),
        Operation("GET", "/api/poison", api.poison, shapes.PoisonOutPage, asked.PART),
        Operation("POST", "/api/poison/{id}/redrive", api.redrive, shapes.PoisonOut, (_POISON_ID,)),
        *keyrequests.operations(api.ports),
        *tickets.operations(api.ports),
        *sweeps.operations(api.ports),
        *kpis.operations(api.ports),
        *doctor.operations(api.ports, VERSION),
        *supposing.operations(api.ports),
        *reports.operations(api.ports, VERSION),
        *evidence.operations(api.ports, VERSION),
        Operation("GET", "/api/openapi.json", api.openapi, dict[str, Any]),
    )  # fmt: skip


def _on_one(verb: str, endpoint: Callable[[Request], Response], body: Any = None) -> Operation:
    """Return the row of a verb on one remediation."""
    path, parameters = f"/api/remediations/{{id}}/{verb}", (_ID, _MATCH)
    return Operation("POST", path, endpoint, shapes.RemediationWithHistory, parameters, body=body, is_versioned=True)


def routes(ports: Ports) -> tuple[Sequence[Route], frozenset[str]]:
    """Return the API's routes, and the paths among them that need no token."""
    table = operations(Api(ports))
    made = [Route(it.path, once(ports, it.endpoint) if it.writes else it.endpoint, methods=[it.method]) for it in table]
    return made, frozenset(it.path for it in table if it.is_open)
