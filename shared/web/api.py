"""The route table of the JSON API. Each endpoint is a few lines over a verb of the flow or a read of the records.

Every route but health needs a token, checked before anything else: an unknown path tells a stranger nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.core import chain, ids
from shared.core.errors import BadInput, RemediationError
from shared.core.ports import Ports, Stored
from shared.core.record import CLOSED, State
from shared.core.wake import Cause
from shared.flow.approve import Yes, approve, reject
from shared.flow.confirm import confirm
from shared.flow.explain import explain
from shared.flow.pick import Pick, pick
from shared.flow.redrive import redrive
from shared.flow.retry import retry
from shared.flow.undo import Wish, undo_of
from shared.web import shapes
from shared.web.answers import answer, refusal, refused
from shared.web.auth import Caller, Door
from shared.web.openapi import Operation, Parameter, document

VERSION = "0.1.0"
_LONGEST_BODY = 65_536  # bytes
_OPEN = tuple(state for state in State if state not in CLOSED)
_PART = (
    Parameter("limit", "rows in one part, 1 to 200; 50 where it is not given", kind="integer"),
    Parameter("cursor", "the `next` of the part before"),
)
_LIST = (
    Parameter("state", "only rows in this state", enum=tuple(state.value for state in State)),
    Parameter("control", "only rows of this control, as KV-RECOVERY"),
    Parameter("target", "only rows of this resource: an ARM id"),
    *_PART,
)
_ID = Parameter("id", "the remediation's id", place="path", required=True)
_POISON_ID = Parameter("id", "the id of the record of poison", place="path", required=True)


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints. All are plain functions, run in threads: the SDKs under them are synchronous."""

    ports: Ports

    def health(self, _request: Request) -> Response:
        """Say that the app is up."""
        return answer(shapes.Health("ok", VERSION))

    def findings(self, request: Request) -> Response:
        """List what is not as it should be, or could not be judged."""
        page = self.ports.records.page(**_filters(request, _OPEN))
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
        page = self.ports.records.page(**_filters(request, ()))
        return answer(shapes.RemediationPage(tuple(shapes.remediation(row) for row in page.items), page.cursor or None))

    def remediation(self, request: Request) -> Response:
        """Show one record with its whole history."""
        return self._shown(self._stored(request))

    def retry(self, request: Request) -> Response:
        """Judge a failed, rejected or expired remediation anew."""
        caller: Caller = request.state.caller
        stored = self._stored(request)
        return self._shown(retry(self.ports, stored, Cause("person", stored.row.id, caller.object_id)))

    def approve(self, request: Request) -> Response:
        """Say yes to the plan with this fingerprint. It may take a second person."""
        caller, said = self._said(request, shapes.ApprovalIn)
        yes = Yes(caller.object_id, said.fingerprint, said.comment, said.expires)
        return self._shown(approve(self.ports, self._stored(request), yes))

    def reject(self, request: Request) -> Response:
        """Say no. It stands until the plan changes or somebody asks for a retry."""
        caller, said = self._said(request, shapes.RejectionIn)
        return self._shown(reject(self.ports, self._stored(request), caller.object_id, said.comment))

    def undo(self, request: Request) -> Response:
        """Ask for the way back: a remediation of its own, which waits for approval."""
        caller, said = self._said(request, shapes.UndoIn)
        wish = Wish(caller.object_id, said.comment, said.until)
        return self._shown(undo_of(self.ports, self._stored(request), wish))

    def pick(self, request: Request) -> Response:
        """Pick the vault where a workspace's keys are to live. It makes another plan, which somebody else must approve."""
        caller, said = self._said(request, shapes.PickIn)
        return self._shown(pick(self.ports, self._stored(request), Pick(said.vault, caller.object_id, said.comment)))

    def confirm(self, request: Request) -> Response:
        """Say that what only a person can do was done."""
        caller, said = self._said(request, shapes.ConfirmationIn)
        return self._shown(confirm(self.ports, self._stored(request), caller.object_id, said.comment))

    def _said[T: msgspec.Struct](self, request: Request, shape: type[T]) -> tuple[Caller, T]:
        caller: Caller = request.state.caller
        return caller, _body(request, shape)

    def poison(self, request: Request) -> Response:
        """List what could not be worked on: why, and whether somebody has tried it again."""
        page = self.ports.records.poison_page(**_part(request, _PART))
        return answer(shapes.PoisonOutPage(tuple(shapes.poison(it) for it in page.items), page.cursor or None))

    def redrive(self, request: Request) -> Response:
        """Try something again that could not be worked on."""
        caller: Caller = request.state.caller
        poison_id = request.path_params["id"]
        record = self.ports.records.poisoned(poison_id) if _is_id(poison_id) else None
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
        row_id = request.path_params["id"]
        stored = self.ports.records.get(row_id) if _is_id(row_id) else None
        if stored is None:
            raise HTTPException(404, "There is no such remediation")
        return stored

    def _shown(self, stored: Stored) -> Response:
        history = self.ports.records.history(stored.row.id)
        problem = chain.verify(history, stored.head, stored.newest)
        return answer(shapes.with_history(stored.row, history, problem))


def operations(api: Api) -> Sequence[Operation]:
    """Return the route table."""
    return (
        Operation("GET", "/api/health", api.health, shapes.Health, is_open=True),
        Operation("GET", "/api/findings", api.findings, shapes.FindingPage, _LIST),
        Operation("GET", "/api/remediations", api.remediations, shapes.RemediationPage, _LIST),
        Operation("GET", "/api/remediations/{id}", api.remediation, shapes.RemediationWithHistory, (_ID,)),
        Operation("POST", "/api/remediations/{id}/retry", api.retry, shapes.RemediationWithHistory, (_ID,)),
        Operation(
            "POST", "/api/remediations/{id}/approve", api.approve, shapes.RemediationWithHistory, (_ID,),
            body=shapes.ApprovalIn,
        ),
        Operation(
            "POST", "/api/remediations/{id}/reject", api.reject, shapes.RemediationWithHistory, (_ID,),
            body=shapes.RejectionIn,
        ),
        Operation(
            "POST", "/api/remediations/{id}/undo", api.undo, shapes.RemediationWithHistory, (_ID,), body=shapes.UndoIn,
        ),
        Operation(
            "POST", "/api/remediations/{id}/vault", api.pick, shapes.RemediationWithHistory, (_ID,), body=shapes.PickIn,
        ),
        Operation(
            "POST", "/api/remediations/{id}/confirm", api.confirm, shapes.RemediationWithHistory, (_ID,),
            body=shapes.ConfirmationIn,
        ),
        Operation(
            "GET", "/api/explain", api.explain, shapes.Explanation,
            (Parameter("resource", "the resource to explain: an ARM id", required=True),),
        ),
        Operation("GET", "/api/poison", api.poison, shapes.PoisonOutPage, _PART),
        Operation("POST", "/api/poison/{id}/redrive", api.redrive, shapes.PoisonOut, (_POISON_ID,)),
        Operation("GET", "/api/openapi.json", api.openapi, dict[str, Any]),
    )  # fmt: skip


def api(ports: Ports, door: Door) -> Starlette:
    """Return the ASGI app."""
    table = operations(Api(ports))
    routes = [Route(it.path, it.endpoint, methods=[it.method]) for it in table]
    handlers: dict[Any, Callable[[Request, Exception], Any]] = {
        HTTPException: refused,
        RemediationError: refused,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.add_middleware(_Gate, door=door, open_paths=frozenset(it.path for it in table if it.is_open))
    return app


class _Gate:
    """Lets nobody in without a token that counts, whether or not there is anything behind the path."""

    def __init__(self, app: ASGIApp, door: Door, open_paths: frozenset[str]) -> None:
        self._app, self._door, self._open_paths = app, door, open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            # In a thread: the first token of a new key is checked against Entra over the network.
            caller = await run_in_threadpool(self._door.caller, request.headers.get("authorization", ""))
            caller.check(writes=request.method not in {"GET", "HEAD", "OPTIONS"})
        except Exception as error:  # noqa: BLE001 - every way of failing here is a no, in one envelope
            await refusal(error)(scope, receive, send)
            return
        try:
            body = await _read(receive) if request.method == "POST" else b""
            scope["state"] = {**(scope.get("state") or {}), "caller": caller, "body": body}
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - a bug: logged with its trace, answered in the same envelope
            await refusal(error)(scope, receive, send)


async def _read(receive: Receive) -> bytes:
    """Return the body of a request. Raises BadInput where it is longer than anything we take."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _LONGEST_BODY:
            raise BadInput("BodyTooLong", f"a request has at most {_LONGEST_BODY} bytes")
        if not message.get("more_body"):
            return bytes(body)


def _body[T: msgspec.Struct](request: Request, shape: type[T]) -> T:
    """Read what a request carries. Raises BadInput that says which field is wrong."""
    try:
        return msgspec.json.decode(request.state.body, type=shape)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(shape))
        raise BadInput("BadBody", f"send JSON with {fields}: {error}") from None


def _filters(request: Request, states: tuple[State, ...]) -> dict[str, Any]:
    part, query = _part(request, _LIST), request.query_params
    wanted = query.get("state")
    if wanted is not None and wanted not in list(State):
        raise BadInput("BadState", f"state must be one of {', '.join(State)}")
    return {
        **part,
        "states": (State(wanted),) if wanted else states,
        "control": query.get("control", ""),
        "target": str(ids.parse(query["target"])) if "target" in query else "",
    }


def _part(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return which part of a list is wanted. Raises BadInput for a parameter that the list does not have."""
    query = request.query_params
    unknown = set(query) - {parameter.name for parameter in parameters}
    if unknown:
        names = ", ".join(parameter.name for parameter in parameters)
        raise BadInput("UnknownParameter", f"{min(unknown)!r} is no parameter; there are {names}")
    limit = query.get("limit", "50")
    if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= 200:
        raise BadInput("BadLimit", "limit must be a whole number from 1 to 200")
    return {"cursor": query.get("cursor", ""), "limit": int(limit)}


def _is_id(text: str) -> bool:
    return len(text) == 16 and text.isascii() and text.isalnum()
