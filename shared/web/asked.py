"""What a request asks for, read strictly: its body, its query, the version that it has seen."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request

from shared.core import ids
from shared.core.errors import BadInput
from shared.core.ports import Stored
from shared.core.record import CLOSED, State
from shared.web.gate import is_json
from shared.web.openapi import Parameter
from shared.web.refusals import NotJson, Stale

ID = "[0-9A-Za-z]{16}"  # of a record
OPEN = tuple(state for state in State if state not in CLOSED)
PART = (
    Parameter("limit", "rows in one part, 1 to 200; 50 where it is not given", {"type": "integer", "minimum": 1, "maximum": 200}),
    Parameter("cursor", "the `next` of the part before"),
)  # fmt: skip
LIST = (
    Parameter("state", "only rows in this state", {"type": "string", "enum": [state.value for state in State]}),
    Parameter("control", "only rows of this control, as KV-RECOVERY"),
    Parameter("target", "only rows of this resource: an ARM id"),
    *PART,
)


def body[T: msgspec.Struct](request: Request, shape: type[T]) -> T:
    """Read what a request carries. Raises NotJson, or BadInput that says which field is wrong."""
    if not is_json(request.headers):
        raise NotJson("send the body as application/json")
    try:
        return msgspec.json.decode(request.state.body, type=shape)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(shape))
        raise BadInput("BadBody", f"send JSON with {fields}: {error}") from None


def filters(request: Request, states: tuple[State, ...]) -> dict[str, Any]:
    """Return what a list of rows shall hold. `states` where the request names none."""
    wanted = request.query_params.get("state")
    if wanted is not None and wanted not in list(State):
        raise BadInput("BadState", f"state must be one of {', '.join(State)}")
    query = request.query_params
    return {
        **part(request, LIST),
        "states": (State(wanted),) if wanted else states,
        "control": query.get("control", ""),
        "target": str(ids.parse(query["target"])) if "target" in query else "",
    }


def part(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
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


def is_id(text: str) -> bool:
    """Tell whether something can be the id of a record."""
    return re.fullmatch(ID, text) is not None


def etag(stored: Stored) -> str:
    """Return the version of a record: each change adds an entry to its history, and the entry's hash names it."""
    return f'"{stored.newest[:32]}"'


def check_match(request: Request, stored: Stored) -> None:
    """Raise Stale where a request names versions, and the current one is not among them."""
    given = request.headers.getlist("if-match")
    if given:
        check_version(stored, {tag.strip() for line in given for tag in line.split(",")})


def check_version(stored: Stored, tags: set[str]) -> None:
    """Raise Stale where the current version of a record is not among these."""
    if not tags & {"*", etag(stored)}:
        raise Stale("the record has changed since you read it: GET it again, look, and send its new ETag")
