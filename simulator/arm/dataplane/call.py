"""One request to one vault, and what every operation asks of it: rights, the key that is meant, the body, pages."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from simulator.arm.answer import Answer, Json
from simulator.arm.dataplane import shapes, texts
from simulator.arm.keystore import latest
from simulator.arm.keyuse import is_rbac, refusal
from simulator.arm.material import Private
from simulator.arm.router import fold, route
from simulator.arm.sim import Sim
from simulator.arm.tokens import Caller

LARGEST = 25  # Key Vault's own pages (7.5 keys.json, maxresults)


@dataclass(slots=True)
class VaultCall:
    """A request that has passed token and firewall."""

    sim: Sim
    vault: Json
    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]  # names in lower case
    caller: Caller
    content: bytes

    @property
    def version(self) -> str:
        """The api-version."""
        return self.query.get("api-version", "")

    @property
    def name(self) -> str:
        """The name in the path."""
        return self.parts[1]

    @property
    def key_id(self) -> str:
        """The id in ARM of the key that the path names."""
        return f"{self.vault['id']}/keys/{self.name}"

    def need(self, verb: str, *, at_vault: bool = False) -> None:
        """Refuse unless the caller may do this, with this key where the path names one."""
        name = "" if at_vault or len(self.parts) == 1 else self.name
        text = refusal(self.sim, self.caller.oid, self.vault["id"], verb, name)
        if text:
            raise texts.forbidden(text, "ForbiddenByRbac" if is_rbac(self.vault) else "AccessDenied")

    def key(self) -> Json:
        """The key that the path names."""
        found = self.sim.world.get(self.key_id)
        if found is None:
            raise texts.no_key(self.name)
        return found

    def one(self, version: str = "") -> Json:
        """One version of it; without a name the latest, as its own body."""
        key = self.key()
        name = version or latest(key)
        found = self.sim.world.get(f"{key['id']}/versions/{name}")
        if found is None:
            raise texts.no_key(f"{self.name}/{name}")
        return found

    async def private(self, body: Json) -> Private:
        """The secret half of a version."""
        properties = body["properties"]
        return await self.sim.keys.material.of(
            f"{route(body['id']).path.partition('/versions/')[0]}/versions/{latest(body)}",
            str(properties["kty"]),
            int(properties.get("keySize") or 2048),
            str(properties.get("curveName") or "P-256"),
        )

    async def bundle(self, body: Json) -> Json:
        """A version as the data plane shows it."""
        return shapes.bundle(body, self.vault, self.version, await self.private(body))

    def body(self) -> Json:
        """The JSON object that was sent."""
        try:
            body: Any = msgspec.json.decode(self.content) if self.content else {}
        except msgspec.DecodeError:
            raise texts.bad("The request body is no JSON.") from None
        if not isinstance(body, dict):
            raise texts.bad("The request body is no JSON object.")
        return body

    def page(self, rows: Sequence[Json]) -> Answer:
        """A page of a list; the link names port 443, as in the examples of the specification."""
        asked = self.query.get("maxresults", str(LARGEST))
        if not asked.isdigit() or not 1 <= int(asked) <= LARGEST:
            raise texts.bad(f"maxresults must be between 1 and {LARGEST}.")
        size, start = min(int(asked), max(1, self.sim.knobs.page_size)), self._start()
        if self.sim.knobs.empty_page and "$skiptoken" not in self.query:
            return Answer(200, {"value": [], "nextLink": self._link(0)})
        link = self._link(start + size) if start + size < len(rows) else None
        return Answer(200, {"value": list(rows[start : start + size]), "nextLink": link})

    def _start(self) -> int:
        token = self.query.get("$skiptoken")
        try:
            return int(base64.urlsafe_b64decode(token.encode())) if token else 0
        except ValueError:
            raise texts.bad("The skip token is invalid.") from None

    def _link(self, start: int) -> str:
        token = base64.urlsafe_b64encode(str(start).encode()).decode()
        rest = {name: value for name, value in self.query.items() if name != "$skiptoken"}
        host = fold(route(self.vault["id"]).name)
        query = urlencode({**rest, "$skiptoken": token}, safe="$")
        return f"https://{host}.vault.azure.net:443/{'/'.join(self.parts)}?{query}"
