"""What the tests of the door share: keys, tokens as Entra makes them, and the app over fakes, called without a network."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.core.ports import Stored
from shared.flow.evaluate import evaluate
from shared.web.auth import Door
from shared.web.limits import Limits, Rates
from shared.web.site import site
from tests.fakes import NOON, World, vault_body, vault_id, workspace_body
from tests.flow.conftest import evaluation

TENANT = "7a1c0f5e-0d3b-4b7e-9a52-3f6f2a0c1d00"
CLIENT = "c11e0001-0d3b-4b7e-9a52-3f6f2a0c1d01"
AUDIENCES = ("api://cmkwarden", CLIENT)
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HOST = "warden.example.net"
RUNNER = asyncio.Runner()  # one loop for all requests: its threads are kept


class Signers:
    """The one key of the tenant."""

    def key(self, key_id: str) -> Any | None:
        return KEY.public_key() if key_id == "one" else None


def claims(*roles: str, oid: str | None = "ada-oid", **changes: Any) -> dict[str, Any]:
    """Return the claims of a person's access token; None leaves one out."""
    now = int(time.time())
    own = {
        "aud": "api://cmkwarden", "iss": ISSUER, "tid": TENANT, "oid": oid, "sub": f"pairwise-{oid}",
        "scp": "user_impersonation", "azp": "cli", "azpacr": "0", "iat": now, "nbf": now, "exp": now + 3600,
        "roles": [f"Remediation.{role}" for role in roles],
    }  # fmt: skip
    return {name: value for name, value in {**own, **changes}.items() if value is not None}


def token(*roles: str, oid: str | None = "ada-oid", **changes: Any) -> str:
    """Return a person's access token."""
    return jwt.encode(claims(*roles, oid=oid, **changes), KEY, "RS256", headers={"kid": "one"})


def id_token(*roles: str, oid: str | None = "ada-oid", **changes: Any) -> str:
    """Return what a browser's sign-in leaves: for the client itself, with a nonce, without a scope."""
    own = {"aud": CLIENT, "nonce": "n", "scp": None, "azp": None, "azpacr": None}
    return token(*roles, oid=oid, **{**own, **changes})


def app_token(*roles: str, **changes: Any) -> str:
    """Return the token of an application: it stands for itself."""
    own = {"sub": "pipeline-oid", "scp": None, "azpacr": "1"}
    return token(*roles, oid="pipeline-oid", **{**own, **changes})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The reason of a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        return str(self.json()["reason"])


@dataclass
class Entry:
    """The app over fakes."""

    world: World = field(default_factory=World)
    rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        door = Door(Signers(), TENANT, AUDIENCES)
        self.app = site(self.world, door, Limits(self.rates, self.world.clock.now))

    @classmethod
    def over(cls, world: Any) -> "Entry":
        """Return the app over ports that are no world of fakes."""
        return cls(world)

    async def send(
        self, method: str, path: str, headers: list[tuple[str, str]] | Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send one request."""
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in pairs],
            "scheme": "https", "server": (HOST, 443), "client": None, "root_path": "", "http_version": "1.1",
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive_() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive_, send_)
        start = next(it for it in sent if it["type"] == "http.response.start")
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(it.get("body", b"") for it in sent))

    def call(self, method: str, path: str, bearer: str = "", body: Any = None, **headers: str) -> Answer:
        """Send one request as somebody; `x_name` is the header x-name."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            named["authorization"] = f"Bearer {bearer}"
        if body is not None:
            named.setdefault("content-type", "application/json")
        sent = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        return RUNNER.run(self.send(method, path, {"host": HOST, **named}, sent))

    def waiting(self, **tags: str) -> Stored:
        """Return a remediation that awaits approval."""
        self.world.choices = replace(self.world.choices, auto_scope=())
        self.world.arm.put(vault_body(tags={"cmk-vault": "true", **tags}), workspace_body())
        evaluate(self.world, evaluation(self.world, vault_id()))
        (stored,) = self.world.records.rows.values()
        return stored

    def yes(self, stored: Stored) -> dict[str, str]:
        """Return the body of an approval."""
        expires = (NOON + timedelta(days=4)).isoformat()
        return {"fingerprint": stored.row.plan.fingerprint, "comment": "agreed", "expires": expires}
