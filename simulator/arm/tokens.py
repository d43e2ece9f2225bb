"""Signed tokens: made for those the configuration names, and checked on every ARM call.

The signing key lives as long as the process. Claims follow Entra's v1 form for applications and ARM, and its
v2 form for people who sign in to the app. It decides who somebody is, never what they may do.
"""

import base64
import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from simulator.arm.answer import GATEWAY, Refused
from simulator.arm.config import Config, Identity, Person

ARM_AUDIENCES = frozenset(
    f"https://management.{zone}{slash}" for zone in ("azure.com", "core.windows.net") for slash in ("", "/")
)
HOUR = 3600
ID_TOKEN_SECONDS = 3900  # as in an id token that somebody has published whole
# The person who owns every subscription: somebody who changes a vault by hand.
OWNER_ID = "0a0a0a0a-0000-4000-8000-0000000000aa"
OWNER_UPN = "olga.owner@example.com"
# The public client that Azure CLI signs in with; it is the appid in recorded user claims (databricks_workspaces.jsonl).
CLI_APP = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a request, as the token says."""

    oid: str
    name: str  # reader, writer, owner ... when known
    is_person: bool
    claims: dict[str, Any]

    @property
    def shown(self) -> str:
        """How ARM names the client in its texts and in systemData: a person's UPN, an application's id."""
        return str(self.claims.get("upn") or self.claims.get("appid") or self.oid)


class Tokens:
    """The signing key and what is signed with it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = uuid.uuid4().hex
        self._names = {each.principal_id.lower(): each.name for each in config.identities}
        self._names |= {each.object_id.lower(): each.name for each in config.people}
        self._names[OWNER_ID] = "owner"
        self._known: dict[str, tuple[Caller, str, int]] = {}

    @property
    def v1_issuer(self) -> str:
        """Issuer of tokens for applications and for ARM."""
        return f"https://sts.windows.net/{self._config.tenant}/"

    @property
    def v2_issuer(self) -> str:
        """Issuer of tokens for people who use the app."""
        return f"https://login.microsoftonline.com/{self._config.tenant}/v2.0"

    def keys(self) -> dict[str, Any]:
        """The public key set."""
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "kid": self._kid, "alg": "RS256"}]}

    def sign(self, claims: dict[str, Any], seconds: int) -> str:
        """A token with these claims that is good for so many seconds."""
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + seconds}
        return jwt.encode({**times, **claims}, self._key, "RS256", headers={"kid": self._kid})

    def for_identity(self, identity: Identity, audience: str, seconds: int = HOUR) -> str:
        """What the managed-identity endpoint hands out."""
        principal = identity.principal_id
        return self.sign(
            {
                "aud": audience,
                "iss": self.v1_issuer,
                "appid": identity.client_id,
                "appidacr": "2",
                "idtyp": "app",
                "oid": principal,
                "sub": principal,
                "tid": self._config.tenant,
                "ver": "1.0",
            },
            seconds,
        )

    def for_person(self, person: Person) -> str:
        """A token for the app: a person's through a public client, or an application's own."""
        claims: dict[str, Any] = {
            "aud": self._config.audience,
            "iss": self.v2_issuer,
            "oid": person.object_id,
            "tid": self._config.tenant,
            "ver": "2.0",
        }
        if person.roles:  # who has none has no such claim
            claims["roles"] = list(person.roles)
        if person.client_id:
            claims |= {"azp": person.client_id, "azpacr": "1", "sub": person.object_id}
        else:
            claims |= {"azp": CLI_APP, "azpacr": "0", "idtyp": "user", "name": person.name}
            claims |= {"scp": "user_impersonation", "sub": pairwise(person.object_id, self._config.audience)}
        return self.sign(claims, 12 * HOUR)

    def for_browser(self, person: Person, upn: str, client_id: str, nonce: str) -> str:
        """An id token: what a person's sign-in to a web page leaves, for the application behind the page."""
        claims: dict[str, Any] = {
            "aud": client_id,
            "iss": self.v2_issuer,
            "name": person.name,
            "nonce": nonce,
            "oid": person.object_id,
            "preferred_username": upn,
            "rh": f"0.{secrets.token_urlsafe(24)}.",
            "sub": pairwise(person.object_id, client_id),
            "tid": self._config.tenant,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
        }
        if person.roles:  # who has none has no such claim
            claims["roles"] = list(person.roles)
        return self.sign(claims, ID_TOKEN_SECONDS)

    def for_event_grid(self) -> str:
        """What Event Grid writes dead letters with: an identity of its own."""
        return self.sign({"aud": self._config.storage_audience, "iss": self.v1_issuer, "oid": str(uuid.uuid4())}, HOUR)

    def for_owner(self) -> str:
        """The owner's token for ARM."""
        return self.sign(
            {
                "aud": "https://management.azure.com",
                "iss": self.v1_issuer,
                "appid": CLI_APP,
                "appidacr": "0",
                "idtyp": "user",
                "oid": OWNER_ID,
                "scp": "user_impersonation",
                "sub": OWNER_ID,
                "tid": self._config.tenant,
                "upn": OWNER_UPN,
                "ver": "1.0",
            },
            12 * HOUR,
        )

    def check(self, header: str | None, host: str, audiences: frozenset[str] = ARM_AUDIENCES) -> Caller:
        """The caller behind an Authorization header, or a 401 in one of the recorded forms."""
        if not header:
            raise self._unauthorised(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        token = header.removeprefix("Bearer ").strip()
        caller, audience, expiry = self._known.get(token) or self._verify(token)
        if expiry <= time.time():
            raise self._expired(expiry)
        if audience not in audiences and not _is_own(audience, host):
            raise self._invalid(
                f"The access token has been obtained for wrong audience or resource '{audience}'. "
                "It should exactly match with one of the allowed audiences "
                + ",".join(f"'{each}'" for each in sorted(audiences, reverse=True))
                + "."
            )
        return caller

    def read(self, token: str) -> tuple[Caller, str, int] | None:
        """Caller, audience and end of a token that was signed here, whatever it is for; None for any other."""
        try:
            return self._known.get(token) or self._verify(token)
        except Refused:
            return None

    def _verify(self, token: str) -> tuple[Caller, str, int]:
        try:
            claims = jwt.decode(
                token,
                self._key.public_key(),
                ["RS256"],
                issuer=[self.v1_issuer, self.v2_issuer],
                options={"verify_aud": False, "verify_exp": False, "require": ["exp", "aud", "oid", "tid"]},
            )
        except jwt.InvalidIssuerError:
            raise self._invalid("The access token is from the wrong issuer.") from None
        except jwt.InvalidTokenError:
            raise self._invalid("The access token is invalid.") from None
        if claims["tid"] != self._config.tenant:
            raise self._invalid(f"The access token is from the wrong tenant '{claims['tid']}'.")
        oid = str(claims["oid"])
        caller = Caller(oid, self._names.get(oid.lower(), ""), claims.get("idtyp") == "user", claims)
        known = (caller, str(claims["aud"]), int(claims["exp"]))
        self._known[token] = known
        return known

    def _expired(self, expiry: int) -> Refused:
        then, now = _american(expiry), _american(time.time())
        return self._unauthorised(
            "ExpiredAuthenticationToken",
            f"The access token expiry UTC time '{then}' is earlier than current UTC time '{now}'.",
            "The access token has expired.",
        )

    def _invalid(self, message: str) -> Refused:
        return self._unauthorised("InvalidAuthenticationToken", message, "The access token is invalid.")

    def _unauthorised(self, code: str, message: str, why: str) -> Refused:
        """Header and body as recorded (arm_errors.jsonl, three answers with 401)."""
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/{self._config.tenant}", '
            f'error="invalid_token", error_description="{why}"'
        )
        return Refused(401, code, message, {"WWW-Authenticate": challenge, **GATEWAY})


def pairwise(object_id: str, audience: str) -> str:
    """The subject of a person's token: another one for each application (and never the object id)."""
    digest = hashlib.sha256(f"{object_id} {audience}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_own(audience: str, host: str) -> bool:
    """Whether the audience is this simulator's own address, under whatever name or port it was reached."""
    own = {"127.0.0.1", "localhost", host.rsplit(":", 1)[0]}
    return urlsplit(audience).scheme == "https" and urlsplit(audience).hostname in own


def _american(moment: float) -> str:
    """Time as the recorded text has it: 8/17/2020 3:46:33 AM."""
    at = time.gmtime(moment)
    hour = at.tm_hour % 12 or 12
    half = "AM" if at.tm_hour < 12 else "PM"
    return f"{at.tm_mon}/{at.tm_mday}/{at.tm_year} {hour}:{at.tm_min:02d}:{at.tm_sec:02d} {half}"
