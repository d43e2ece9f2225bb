"""ARM itself, the gateway: from an authenticated request to the answer of a provider, and on to Event Grid.

The order is ARM's: api-version, subscription, rights, locks, group, then the provider. Every write that succeeds makes
an event here, so no provider can forget one.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from simulator.arm import linked
from simulator.arm.abac import Facts
from simulator.arm.access import Grant
from simulator.arm.answer import (
    Answer,
    Json,
    Refused,
    bad_api_version,
    bad_method,
    denied,
    no_api_version,
    no_group,
    no_subscription,
    not_allowed,
    not_registered,
    unknown_type,
)
from simulator.arm.config import CLIENT_ADDRESS
from simulator.arm.eventgrid import Happening
from simulator.arm.providers import TABLE
from simulator.arm.providers.shape import Call, Kind, get, right
from simulator.arm.router import Target, route
from simulator.arm.sim import Sim
from simulator.arm.tokens import Caller
from simulator.arm.world import GROUP

API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", re.IGNORECASE)
READS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the server took off the wire."""

    method: str
    path: str
    base: str
    query: Mapping[str, str]  # names in lower case
    headers: Mapping[str, str]
    content: bytes
    caller: Caller
    correlation: str


class Gate:
    """Runs requests through ARM's checks."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim

    def answer(self, request: Request) -> Answer:
        """The reply to one request."""
        try:
            return self._serve(request)
        except Refused as refusal:
            return refusal.answer()

    def _serve(self, request: Request) -> Answer:
        version = request.query.get("api-version", "")
        if not version:
            raise no_api_version()
        if not API_VERSION.fullmatch(version):
            raise bad_api_version(version)
        target = route(request.path)
        if target.subscription and self._sim.world.get(f"/subscriptions/{target.subscription}") is None:
            raise no_subscription(target.subscription)
        self._need_registration(request.method, target)
        kind = TABLE.get(target.kind) or self._unimitated(target)
        action = right(kind, request.method)
        grant = None
        try:
            grant = self._authorise(request, action, target)
            self._sim.locks.check(target, request.method, action)
            self._need_group(target)
            if request.method in {"PUT", "PATCH"}:
                self._check_links(request, action, target)
            return self._run(request, target, kind, action, grant)
        except Refused as refusal:
            if kind.emits and request.method not in READS:
                self._publish(request, target.path, action, grant, existed=True, refusal=refusal)
            raise

    def _run(self, request: Request, target: Target, kind: Kind, action: str, grant: Grant | None) -> Answer:
        run = (kind.item if target.is_item else kind.collection).get(request.method)
        if run is None:
            raise bad_method(request.method, target.path)

        def announce(existed: bool, outcome: str = "Success") -> None:
            self._publish(request, target.path, action, grant, existed=existed, outcome=outcome)

        def tell(operation: str, resource: str) -> None:
            self._publish(request, resource, operation, grant, existed=True)

        call = Call(
            sim=self._sim,
            target=target,
            kind=kind,
            method=request.method,
            query=request.query,
            caller=request.caller,
            base=request.base,
            content=request.content,
            correlation=request.correlation,
            announce=announce,
            tell=tell,
        )
        answer = run(call)
        if kind.emits and request.method not in READS and answer.status in {200, 201, 202}:
            for operation, identity in answer.also:
                self._publish(request, identity, operation, grant, existed=True)
            if not answer.quiet:
                announce(answer.existed)
        return answer

    def _authorise(self, request: Request, action: str, target: Target) -> Grant | None:
        """Roles, their conditions and deny assignments."""
        if not action:
            return None
        caller = request.caller
        verdict = self._sim.access.decide(
            caller.oid, action, target.holder, lambda: facts(request, action, self._sim.world.get(target.id))
        )
        if verdict.grant is None:
            raise not_allowed(caller.shown, caller.oid, action, target.holder, unmet=verdict.unmet)
        if verdict.denial:
            body = verdict.denial.body
            where = str(body["properties"].get("scope") or route(str(body["id"])).scope)
            named = (verdict.denial.name, verdict.denial.guid, where)
            raise denied(caller.shown, caller.oid, action, target.path, named)
        return verdict.grant

    def _check_links(self, request: Request, action: str, target: Target) -> None:
        """Rights on what the body names. A body that cannot be read is left to the provider."""
        caller = request.caller
        missing = [
            (needed, scope)
            for needed, scope in linked.needed(target.kind, content_of(request))
            if self._sim.access.find(caller.oid, needed, scope) is None
        ]
        if missing:
            raise linked.refusal(caller.shown, caller.oid, action, target.path, missing)

    def _need_registration(self, method: str, target: Target) -> None:
        """A provider that was seeded as not registered takes reads only, until somebody registers it."""
        where = f"/subscriptions/{target.subscription}/providers/{target.namespace}"
        found = self._sim.world.get(where)
        if found is None or found.get("registrationState") != "NotRegistered":
            return
        if target.kind.endswith("/register"):
            self._sim.world.drop(where)
        elif method not in {"GET", "HEAD"}:
            raise not_registered(target.namespace)

    def _need_group(self, target: Target) -> None:
        if not target.group or target.kind == GROUP:
            return
        where = f"/subscriptions/{target.subscription}/resourceGroups/{target.group}"
        if self._sim.world.get(where) is None:
            raise no_group(target.group)

    def _unimitated(self, target: Target) -> Kind:
        """A type without a provider: what was seeded of it can be read, nothing else."""
        if self._sim.world.get(target.id) is not None:
            return Kind(target.type, item={"GET": get, "HEAD": get})
        raise unknown_type(target.namespace, target.type.partition("/")[2])

    def _publish(
        self,
        request: Request,
        resource: str,
        operation: str,
        grant: Grant | None,
        *,
        existed: bool,
        outcome: str = "Success",
        refusal: Refused | None = None,
    ) -> None:
        """Say what happened, to Event Grid and the Activity Log; what was refused failed (AZURE 5.1, 12)."""
        target = route(resource)
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        happening = Happening(
            operation=operation,
            resource=target.path,
            subscription=target.subscription,
            caller=request.caller,
            grant=grant,
            correlation=request.correlation,
            request={
                "clientRequestId": request.headers.get("x-ms-client-request-id") or str(uuid.uuid4()),
                "clientIpAddress": CLIENT_ADDRESS,
                "method": request.method,
                "url": f"https://management.azure.com{target.path}?{query}",
            },
            existed=existed,
            outcome="Failure" if refusal else outcome,
            status=refusal.status if refusal else 200 if outcome == "Success" else 409,
            error=refusal.body.get("error") if refusal else None,
        )
        self._sim.eventgrid.publish(happening)
        self._sim.activity.note(happening)


def content_of(request: Request) -> Json:
    """The JSON object that was sent, or an empty one."""
    try:
        body = msgspec.json.decode(request.content)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def facts(request: Request, action: str, stored: Json | None) -> Facts:
    """What the conditions of role assignments ask about: the assignment in the request, and the one that is there."""
    sent = content_of(request) if request.method == "PUT" else {}
    return Facts(action, _attributes(sent), _attributes(stored or {}))


def _attributes(assignment: Json) -> dict[str, str]:
    held = assignment.get("properties")
    properties = held if isinstance(held, dict) else {}
    found = {
        "roledefinitionid": str(properties.get("roleDefinitionId") or "").rsplit("/", 1)[-1],
        "principalid": str(properties.get("principalId") or ""),
        "principaltype": str(properties.get("principalType") or ""),
    }
    return {name: value for name, value in found.items() if value}
