"""The door of every vault: which one the host name means, who is there, whether the way is open, and where it leads.

The order is Key Vault's: token, api-version, firewall, then rights and the key itself. A name without a vault does not
resolve in Azure; here the connection is cut, because any answer would be a lie.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.dataplane import deleted, operations, rotation, shapes, signing, texts, transfer
from simulator.arm.dataplane.call import VaultCall
from simulator.arm.dataplane.firewall import blocked
from simulator.arm.keyuse import find_vault
from simulator.arm.router import fold, segments
from simulator.arm.sim import Sim
from simulator.arm.tokens import Caller

DOMAIN = ".vault.azure.net"
Run = Callable[[VaultCall], Awaitable[Answer]]
# By method and the shape of the path: `*` is a name or a version.
TABLE: dict[tuple[str, str], Run] = {
    ("GET", "keys"): operations.list_keys,
    ("GET", "keys/*"): operations.read,
    ("GET", "keys/*/*"): operations.read,
    ("GET", "keys/*/versions"): operations.list_versions,
    ("POST", "keys/*/create"): operations.create,
    ("POST", "keys/*/rotate"): operations.rotate,
    ("PATCH", "keys/*"): operations.update,
    ("PATCH", "keys/*/*"): operations.update,
    ("DELETE", "keys/*"): deleted.delete,
    ("GET", "keys/*/rotationpolicy"): rotation.read_policy,
    ("PUT", "keys/*/rotationpolicy"): rotation.write_policy,
    ("GET", "deletedkeys"): deleted.list_deleted,
    ("GET", "deletedkeys/*"): deleted.read,
    ("DELETE", "deletedkeys/*"): deleted.purge,
    ("POST", "deletedkeys/*/recover"): deleted.recover,
    ("PUT", "keys/*"): transfer.import_key,
    ("POST", "keys/*/backup"): transfer.backup,
    ("POST", "keys/*"): transfer.restore,
    ("POST", "keys/*/sign"): signing.sign,
    ("POST", "keys/*/*/sign"): signing.sign,
    ("POST", "keys/*/verify"): signing.verify,
    ("POST", "keys/*/*/verify"): signing.verify,
    **{("POST", f"keys/*/{use}"): operations.use for use in operations.USES},
    **{("POST", f"keys/*/*/{use}"): operations.use for use in operations.USES},
}
WORDS = frozenset(word for _, path in TABLE for word in path.split("/")) - {"*"}


@dataclass(frozen=True, slots=True)
class VaultRequest:
    """What the server took off the wire."""

    host: str
    method: str
    path: str
    query: Mapping[str, str]  # names in lower case
    content: bytes
    mark: str  # the request id that the answer carries


class Plane:
    """The data planes of all vaults."""

    def __init__(self, sim: Sim) -> None:
        self._sim = sim

    @staticmethod
    def covers(host: str) -> bool:
        """Whether a Host header names a vault."""
        return fold(host.partition(":")[0]).endswith(DOMAIN)

    def identify(self, host: str, header: str | None) -> Caller:
        """Who calls; 401 with a challenge for everybody without a good token."""
        vault = find_vault(self._sim, host) or {}
        tenant = str((vault.get("properties") or {}).get("tenantId") or self._sim.config.tenant)
        if not header or not fold(header).startswith("bearer "):
            raise texts.unauthorised(tenant, texts.NO_TOKEN)
        known = self._sim.tokens.read(header[7:].strip())
        if known is None:
            raise texts.unauthorised(tenant, texts.BAD_TOKEN)
        caller, audience, expiry = known
        if audience not in {texts.AUDIENCE, texts.APPLICATION}:
            raise texts.unauthorised(tenant, texts.wrong_audience(audience))
        if expiry <= time.time():
            raise texts.unauthorised(tenant, texts.OLD_TOKEN)
        if fold(tenant) != fold(self._sim.config.tenant):
            raise texts.unauthorised(tenant, texts.wrong_issuer(tenant, str(caller.claims.get("iss"))))
        return caller

    async def answer(self, request: VaultRequest, caller: Caller, refusal: Answer | None) -> Answer | None:
        """The reply; None when no vault has that name, or not yet."""
        vault = find_vault(self._sim, request.host)
        if vault is None or (vault.get("properties") or {}).get("provisioningState") == "RegisteringDns":
            return None
        self._sim.meter.note(str(vault["id"]))
        try:
            answer = refusal or await self._serve(request, caller, vault)
        except Refused as refused:
            answer = refused.answer()
        answer.headers.update(
            {
                "x-ms-keyvault-region": str(vault.get("location") or ""),
                "x-ms-keyvault-service-version": "1.9.2939.1",
                "x-ms-request-id": request.mark,
            }
        )
        return answer

    async def _serve(self, request: VaultRequest, caller: Caller, vault: Json) -> Answer:
        version = request.query.get("api-version", "")
        if shapes.rank(version) is None:
            raise texts.no_version(version)
        closed = blocked(self._sim, vault, caller.oid)
        if closed:
            raise closed
        parts = segments(request.path)
        run = TABLE.get((request.method, _shape(parts)))
        if run is None:
            raise texts.not_imitated(request.method, request.path)
        return await run(
            VaultCall(self._sim, vault, request.method, tuple(parts), request.query, caller, request.content),
        )


def _shape(parts: list[str]) -> str:
    """The path with its names blotted out. The second part is always a name, whatever it is called."""
    words = [fold(part) if index != 1 and fold(part) in WORDS else "*" for index, part in enumerate(parts)]
    return "/".join(words)
