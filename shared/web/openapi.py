"""The OpenAPI 3.1 document, made from the route table itself: what is not served is not described, and the reverse."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.web.shapes import Problem


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    meaning: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    place: str = "query"
    required: bool = False

    def described(self) -> Mapping[str, Any]:
        """Return its description."""
        return {
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.meaning,
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the route table. `answers` is the type of the 200 answer; `is_open` needs no token.

    `is_versioned`: the answer has an ETag. `files`: the media types of an answer that is a file, whatever `answers` says.
    """

    method: str
    path: str
    endpoint: Callable[[Request], Response]
    answers: Any
    parameters: Sequence[Parameter] = ()
    is_open: bool = False
    body: Any = None  # the type of what a request carries
    needs_body: bool = True
    is_versioned: bool = False
    files: Sequence[str] = ()

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    def refusals(self) -> Sequence[int]:
        """Return every status that is no success and that a caller may meet."""
        if self.is_open:
            return ()
        places = {parameter.place for parameter in self.parameters}
        names = {parameter.name for parameter in self.parameters}
        met = {
            400: "query" in places or self.writes,
            401: True,
            403: True,
            404: "path" in places,
            409: self.writes,
            412: "If-Match" in names,
            415: self.body is not None,
            422: self.writes,
            429: True,
            503: True,
        }
        return [status for status, is_met in met.items() if is_met]


_REFUSALS = {
    400: "Something in the request is wrong: the detail says what.",
    401: "No token, or none that counts.",
    403: "The caller may not do this, or a browser sent it from another site; or Azure refused us.",
    404: "There is no such record.",
    409: "Not possible now: the state, the plan or a rule of who may say yes is in the way.",
    412: "The record is another one than If-Match names: read it again.",
    415: "The body is not said to be application/json.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests: wait as long as Retry-After says.",
    503: "Storage, Azure or the keys that sign tokens cannot be asked right now: try again.",
}
_UNCHANGED = {"description": "Still what If-None-Match names."}
_KEY = Parameter(
    "Idempotency-Key",
    "sent twice, done once: the first answer comes again for 24 hours",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    place="header",
)


def document(version: str, operations: Sequence[Operation]) -> Mapping[str, Any]:
    """Return the document for these operations."""
    types = [operation.answers for operation in operations]
    bodies = [operation.body for operation in operations if operation.body]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem, *bodies], ref_template="#/components/schemas/{name}"
    )
    problem, taken = schemas[len(types)], dict(zip(bodies, schemas[len(types) + 1 :], strict=True))
    paths: dict[str, dict[str, dict[str, Any]]] = {}
    for operation, schema in zip(operations, schemas, strict=False):
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schema, problem)
        if operation.body:
            content = {"application/json": {"schema": taken[operation.body]}}
            paths[operation.path][operation.method.lower()]["requestBody"] = {
                "required": operation.needs_body,
                "content": content,
            }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cmkwarden",
            "version": version,
            "summary": "What was found about the keys of Azure Databricks, what was decided, and what was done.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"entra": []}],
    }


def _described(operation: Operation, schema: Any, problem: Any) -> dict[str, Any]:
    summary = (operation.endpoint.__doc__ or "").strip()
    parameters = [*operation.parameters, *([_KEY] if operation.writes else [])]
    content: dict[str, Any] = {it: {"schema": {}} for it in operation.files} or {"application/json": {"schema": schema}}
    good: dict[str, Any] = {"description": summary, "content": content}
    if operation.is_versioned:
        good["headers"] = {"ETag": {"description": "the version, for If-Match", "schema": {"type": "string"}}}
    unchanged = {"304": _UNCHANGED} if "If-None-Match" in {it.name for it in parameters} else {}
    described: dict[str, Any] = {
        "operationId": operation.endpoint.__name__,
        "summary": summary,
        "parameters": [parameter.described() for parameter in parameters],
        "responses": {
            "200": good,
            **unchanged,
            **{str(status): _refusal(status, problem) for status in operation.refusals()},
        },
    }
    if operation.is_open:
        described["security"] = []
    return described


def _refusal(status: int, problem: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _REFUSALS[status],
        "content": {"application/problem+json": {"schema": problem}},
    }
    if status in {429, 503}:
        described["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return described
