"""The OpenAPI 3.1 document, made from the route table itself: what is not served is not described, and the reverse."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    place: str = "query"
    required: bool = False
    kind: str = "string"
    enum: tuple[str, ...] = ()

    def described(self) -> Mapping[str, Any]:
        """Return its description."""
        schema: dict[str, Any] = {"type": self.kind}
        if self.enum:
            schema["enum"] = list(self.enum)
        return {
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.meaning,
            "schema": schema,
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the route table. `answers` is the type of the 200 answer; `is_open` needs no token."""

    method: str
    path: str
    endpoint: Callable[[Request], Response]
    answers: Any
    parameters: Sequence[Parameter] = ()
    is_open: bool = False
    body: Any = None  # the type of what a request must carry


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
            paths[operation.path][operation.method.lower()]["requestBody"] = {"required": True, "content": content}
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
    described: dict[str, Any] = {
        "operationId": operation.endpoint.__name__,
        "summary": summary,
        "parameters": [parameter.described() for parameter in operation.parameters],
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": schema}}},
            "default": {
                "description": "What went wrong and what to do about it.",
                "content": {"application/problem+json": {"schema": problem}},
            },
        },
    }
    if operation.is_open:
        described["security"] = []
    return described
