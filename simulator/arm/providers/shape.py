"""The one shape of a provider: a table of resource types, each with the calls it takes.

A provider module holds `KINDS`; providers/__init__.py lists the modules. A call is a plain function from `Call` to
`Answer` that may raise `Refused`. It runs in one piece, so nothing else happens meanwhile. By the time it runs, the
gate has already checked token, api-version, rights, locks and the existence of subscription and group.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulator.arm.answer import Answer, Json, Refused, bad_content, no_resource
from simulator.arm.router import Target
from simulator.arm.sim import Sim
from simulator.arm.tokens import Caller


@dataclass(slots=True)
class Call:
    """One request on its way to a provider."""

    sim: Sim
    target: Target
    kind: "Kind"
    method: str
    query: Mapping[str, str]  # names in lower case
    caller: Caller
    base: str  # https://host:port, from the Host header
    content: bytes
    correlation: str
    tell: Callable[[str, str], None]  # send the event of something that came of it: operation and resource
    announce: Callable[..., None]  # send the event: whether the resource existed before; Success, Failure or Cancel

    @property
    def version(self) -> str:
        """The api-version."""
        return self.query.get("api-version", "")

    def body(self) -> Json:
        """The JSON object that was sent."""
        try:
            body: Any = msgspec.json.decode(self.content)
        except msgspec.DecodeError as error:
            raise bad_content(str(error)) from None
        if not isinstance(body, dict):
            raise bad_content("a JSON object is expected")
        if not isinstance(body.get("properties", {}), dict):
            raise bad_content("'properties' must be an object")
        return body

    def found(self) -> Json:
        """The stored body of the item that is asked for."""
        body = self.sim.world.get(self.target.id)
        if body is None:
            raise self.missing()
        return body

    def missing(self) -> Refused:
        """404 for the item that is asked for."""
        names = "/".join(self.target.names)
        return no_resource(self.kind.type, names, self.target.group)


Run = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type. `verbs` names the right a method needs where it is not the usual one ('' = none at all)."""

    type: str
    item: Mapping[str, Run] = field(default_factory=dict)
    collection: Mapping[str, Run] = field(default_factory=dict)
    verbs: Mapping[str, str] = field(default_factory=dict)
    emits: bool = True


VERBS = {
    "GET": "read",
    "HEAD": "read",
    "PUT": "write",
    "PATCH": "write",
    "DELETE": "delete",
    "POST": "action",
}


def right(kind: Kind, method: str) -> str:
    """The action that RBAC is asked for: type and verb."""
    verb = kind.verbs.get(method, VERBS.get(method, "action"))
    return f"{kind.type}/{verb}" if verb else ""


def get(call: Call) -> Answer:
    """Read one item: the same for every type."""
    return Answer(200, call.found())
