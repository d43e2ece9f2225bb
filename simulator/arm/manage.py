"""The management port: seed a world, order faults, move the clock, read what happened.

Plain HTTP on loopback and no sign-in: it is the stage manager's door. The managed-identity endpoint is here too, because
IDENTITY_ENDPOINT is plain HTTP in App Service.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from simulator.arm import clusters
from simulator.arm.answer import Answer
from simulator.arm.entra import Entra
from simulator.arm.seeds import seed
from simulator.arm.server import lower_names, tidy, wire
from simulator.arm.sim import Sim

Run = Callable[[web.BaseRequest, Any], Awaitable[Any]]


class Manage:
    """Handles every request on the management port."""

    def __init__(self, sim: Sim, entra: Entra) -> None:
        self._sim, self._entra = sim, entra
        self._started = time.monotonic()
        self._table: dict[tuple[str, str], Run] = {
            ("GET", "/health"): self._health,
            ("POST", "/seed"): self._seed,
            ("GET", "/resource"): self._resource,
            ("POST", "/clusters"): self._start_cluster,
            ("GET", "/faults"): self._show_faults,
            ("POST", "/faults"): self._add_faults,
            ("DELETE", "/faults"): self._clear_faults,
            ("POST", "/clock"): self._advance,
            ("GET", "/knobs"): self._show_knobs,
            ("POST", "/knobs"): self._set_knobs,
            ("GET", "/journal"): self._show_journal,
            ("DELETE", "/journal"): self._clear_journal,
            ("GET", "/events"): self._show_events,
            ("POST", "/events"): self._post_events,
            ("DELETE", "/events"): self._clear_events,
            ("GET", "/deadletters"): self._show_dead_letters,
            ("GET", "/event-subscriptions"): self._show_subscribers,
            ("POST", "/event-subscriptions"): self._add_subscriber,
            ("DELETE", "/event-subscriptions"): self._remove_subscriber,
            ("POST", "/vault-events"): self._vault_event,
            ("POST", "/hits"): self._count_hits,
            ("POST", "/id-tokens"): self._id_token,
        }

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        path = tidy(raw.path).lower()
        if path == "/msi/token":
            return wire(raw, self._token(raw))
        run = self._table.get((raw.method, path))
        if run is None:
            return wire(raw, Answer(404, {"error": f"no such thing here: {raw.method} {path}"}))
        content = await raw.content.read()  # `raw.read` stops at 1 MB; a seeded world is larger
        try:
            body = msgspec.json.decode(content) if content else {}
            return wire(raw, Answer(200, await run(raw, body)))
        except (msgspec.DecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
            return wire(raw, Answer(400, {"error": f"{type(error).__name__}: {error}"}))

    def _token(self, raw: web.BaseRequest) -> Answer:
        fault = self._sim.faults.pick(raw.method, "/msi/token", "") if self._sim.faults else None
        return (fault.answer() if fault else None) or self._entra.managed_identity(
            lower_names(raw.query_string), raw.headers.get("X-IDENTITY-HEADER")
        )

    async def _health(self, _raw: web.BaseRequest, _body: Any) -> Any:
        up = round(time.monotonic() - self._started, 3)
        return {"status": "ok", "seconds": up, "resources": len(self._sim.world)}

    async def _seed(self, _raw: web.BaseRequest, body: Any) -> Any:
        return seed(self._sim, body.get("resources") or [], body.get("principals") or [])

    async def _resource(self, raw: web.BaseRequest, _body: Any) -> Any:
        identity = lower_names(raw.query_string).get("id", "")
        return self._sim.world.get(tidy(identity))

    async def _start_cluster(self, _raw: web.BaseRequest, body: Any) -> Any:
        return clusters.start(self._sim, tidy(body["workspace"]))

    async def _show_faults(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return {"rules": self._sim.faults.show(), **self._sim.nasty.show()}

    async def _add_faults(self, _raw: web.BaseRequest, body: Any) -> Any:
        if isinstance(body, dict) and "profile" in body:
            self._sim.nasty.set(body)
            return self._sim.nasty.show()
        rules = body if isinstance(body, list) else [body]
        self._sim.faults.add(rules)
        return {"added": len(rules)}

    async def _clear_faults(self, _raw: web.BaseRequest, _body: Any) -> Any:
        self._sim.faults.clear()
        self._sim.nasty.clear()
        return {}

    async def _advance(self, _raw: web.BaseRequest, body: Any) -> Any:
        self._sim.clock.advance(float(body["advance"]))
        return {"now": self._sim.clock.now()}

    async def _show_knobs(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return self._sim.knobs.show()

    async def _set_knobs(self, _raw: web.BaseRequest, body: Any) -> Any:
        self._sim.knobs.set(body)
        return self._sim.knobs.show()

    async def _show_journal(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return {"items": self._sim.journal.items()}

    async def _clear_journal(self, _raw: web.BaseRequest, _body: Any) -> Any:
        self._sim.journal.clear()
        return {}

    async def _show_events(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return {"items": self._sim.delivery.show()}

    async def _post_events(self, _raw: web.BaseRequest, body: Any) -> Any:
        return await self._sim.delivery.post(body["function"], body["events"])

    async def _clear_events(self, _raw: web.BaseRequest, _body: Any) -> Any:
        self._sim.delivery.clear()
        return {}

    async def _show_dead_letters(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return {"items": self._sim.delivery.dead_letters}

    async def _show_subscribers(self, _raw: web.BaseRequest, _body: Any) -> Any:
        return {"items": [each.show() for each in self._sim.eventgrid.subscribers]}

    async def _add_subscriber(self, _raw: web.BaseRequest, body: Any) -> Any:
        return (await self._sim.eventgrid.add(body)).show()

    async def _remove_subscriber(self, raw: web.BaseRequest, _body: Any) -> Any:
        self._sim.eventgrid.remove(lower_names(raw.query_string).get("name", ""))
        return {}

    async def _vault_event(self, _raw: web.BaseRequest, body: Any) -> Any:
        self._sim.eventgrid.vault_event(body["vault"], body["kind"], body.get("data"))
        return {}

    async def _count_hits(self, _raw: web.BaseRequest, body: Any) -> Any:
        """Calls to a vault on days that are over, as Azure Monitor would have counted them."""
        for day, hits in body["hits"].items():
            self._sim.meter.note(body["vault"], datetime.fromisoformat(day).replace(tzinfo=UTC), int(hits))
        return {"days": len(body["hits"])}

    async def _id_token(self, _raw: web.BaseRequest, body: Any) -> Any:
        """What a sign-in in a browser ends with: the id token of somebody who was picked, not of an application."""
        people = [each for each in self._sim.config.people if not each.client_id]
        person = next((each for each in people if each.object_id == body["object_id"]), None)
        known = self._sim.directory.get(body["object_id"])
        if person is None or known is None:
            raise ValueError(f"nobody signs in as {body['object_id']}")
        return {"id_token": self._sim.tokens.for_browser(person, known.upn, body["client_id"], body["nonce"])}
