"""Requests for keys over the API: ask for one, and see which were asked for. Each is a remediation, approved as any other."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from shared.core import chain
from shared.core.errors import BadInput
from shared.core.keyrequest import CONTROL
from shared.core.ports import Ports
from shared.core.record import Remediation, State
from shared.flow.request import Plea, request
from shared.web import asked, shapes
from shared.web.answers import answer
from shared.web.auth import Caller
from shared.web.openapi import Operation
from shared.web.origin import origin

_LIST = tuple(it for it in asked.LIST if it.name != "control")


@dataclass(frozen=True, slots=True)
class KeyRequestApi:
    """The endpoints."""

    ports: Ports

    def requests(self, request_: Request) -> Response:
        """List the requests for keys, whatever became of them."""
        asked.part(request_, _LIST)
        wanted = asked.filters(request_, ())
        found, cursor = self._found(wanted["states"], wanted["target"], wanted["cursor"], wanted["limit"])
        return answer(shapes.RemediationPage(tuple(shapes.remediation(row) for row in found), cursor or None))

    def ask(self, request_: Request) -> Response:
        """Ask for a key of a workspace's own. While it has an open request, that one is shown."""
        caller: Caller = request_.state.caller
        try:
            said = asked.body(request_, shapes.KeyRequestIn)
        except BadInput as error:
            why = "A request names a workspace and a reason: vault, name and type of the key are not its to choose."
            raise BadInput(error.reason, f"{error.message}. {why}") from error
        stored = request(self.ports, Plea(caller.object_id, said.workspace, said.reason, origin(request_)))
        history = self.ports.records.history(stored.row.id)
        problem = chain.verify(history, stored.head, stored.newest)
        return answer(shapes.with_history(stored.row, history, problem), asked.etag(stored))

    def _found(self, states: tuple[State, ...], target: str, cursor: str, limit: int) -> tuple[list[Remediation], str]:
        """Return the requests among the rows of the control, as many as there is room for, and where the list goes on."""
        found: list[Remediation] = []
        while True:
            room = limit - len(found)
            page = self.ports.records.page(states=states, control=CONTROL, target=target, cursor=cursor, limit=room)
            found += [row for row in page.items if row.vault]
            cursor = page.cursor
            if not cursor or len(found) == limit:
                return found, cursor


def operations(ports: Ports) -> Sequence[Operation]:
    """Return their rows of the route table."""
    keys, one, path = KeyRequestApi(ports), shapes.RemediationWithHistory, "/api/key-requests"
    return (
        Operation("GET", path, keys.requests, shapes.RemediationPage, _LIST),
        Operation("POST", path, keys.ask, one, body=shapes.KeyRequestIn, is_versioned=True),
    )
