"""Sweeps over the API: have the whole estate looked over now, and see how that went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.core.ports import Ports
from shared.core.survey import Share, Survey
from shared.flow.survey import begin
from shared.web import asked
from shared.web.answers import answer
from shared.web.auth import Caller
from shared.web.openapi import Operation, Parameter

_SHOWN = 30  # the latest
_ID = Parameter("id", "the sweep's id", {"type": "string", "pattern": "^[0-9]{12}$"}, place="path", required=True)


class SweepOut(msgspec.Struct):
    """One look over the estate. `by` is the object id of whoever asked for it, empty for the timer.

    `found` counts targets that were not as the last look had left them, and of which no event had told; `hidden` the vaults
    whose keys the reader may not list.
    """

    id: str
    began: datetime
    by: str
    is_over: bool
    listed: int
    found: int
    hidden: int
    unread: tuple[str, ...]
    shares: tuple[Share, ...]


class SweepOutPage(msgspec.Struct):
    """The latest sweeps, the newest first."""

    items: tuple[SweepOut, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class SweepApi:
    """The endpoints."""

    ports: Ports

    def sweeps(self, request: Request) -> Response:
        """List the latest sweeps."""
        asked.part(request, ())
        return answer(SweepOutPage(tuple(_out(it) for it in self.ports.surveys.latest(_SHOWN)), None))

    def sweep(self, request: Request) -> Response:
        """Show one sweep with its shares."""
        found = self.ports.surveys.get(request.path_params["id"])
        if found is None:
            raise HTTPException(404, "There is no such sweep")
        return answer(_out(found))

    def sweep_now(self, request: Request) -> Response:
        """Have the estate looked over now. While a sweep runs, that one is shown, and gone on with where it was stuck."""
        caller: Caller = request.state.caller
        return answer(_out(begin(self.ports, caller.object_id)))


def operations(ports: Ports) -> Sequence[Operation]:
    """Return their rows of the route table."""
    sweeps = SweepApi(ports)
    return (
        Operation("GET", "/api/sweeps", sweeps.sweeps, SweepOutPage),
        Operation("POST", "/api/sweeps", sweeps.sweep_now, SweepOut),
        Operation("GET", "/api/sweeps/{id}", sweeps.sweep, SweepOut, (_ID,)),
    )


def _out(survey: Survey) -> SweepOut:
    return SweepOut(
        id=survey.id, began=survey.began, by=survey.by, is_over=survey.is_over,
        listed=sum(share.listed for share in survey.shares), found=survey.found, hidden=survey.hidden, unread=survey.unread,
        shares=survey.shares,
    )  # fmt: skip
