"""Who may enter: bearer tokens of our tenant, made for us, with a role. Whatever is missing is a no.

Checked here and not left to the platform alone: the platform's sign-in can be switched off with one setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from shared.web.refusals import NotAllowed, NotSignedIn

READER, APPROVER, ADMIN = "Remediation.Reader", "Remediation.Approver", "Remediation.Admin"
ROLES = frozenset({READER, APPROVER, ADMIN})
WRITING_ROLES = frozenset({APPROVER, ADMIN})

_LEEWAY = 60  # seconds that clocks may differ
_LONGEST = 16_384  # characters of a token
# Every access token of Entra names the application that it was given to; no id token does.
_CLIENT = ("azp", "appid", "azpacr", "appidacr")
# What only the sign-in of a person leaves in an id token. After a refresh there is no nonce.
_SIGN_IN = ("nonce", "preferred_username", "upn", "unique_name")


class Signers(Protocol):
    """Finds the public key that a token says it was signed with."""

    def key(self, key_id: str) -> Any | None:
        """Return the key, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `is_person` is False for the token of an application, which may read and nothing else."""

    object_id: str
    roles: frozenset[str]
    is_person: bool
    name: str = ""  # as the token spells it: shown to themselves, kept nowhere

    def check(self, *, writes: bool) -> None:
        """Raise NotAllowed where the roles do not cover what is asked."""
        if not self.roles & ROLES:
            raise NotAllowed(f"your sign-in has none of the roles {', '.join(sorted(ROLES))}: ask for one")
        if writes and not self.roles & WRITING_ROLES:
            raise NotAllowed(f"this changes something and needs the role {APPROVER} or {ADMIN}")
        if writes and not self.is_person:
            raise NotAllowed("this changes something and needs a person's sign-in, not an application's token")


class Door:
    """Checks tokens."""

    def __init__(self, signers: Signers, tenant: str, audiences: tuple[str, ...]) -> None:
        self._signers = signers
        self._tenant = tenant.lower()
        self._audiences = list(audiences)
        # Both versions of Entra's tokens; the issuer is Entra's own name whatever host the keys come from.
        self._issuers = [
            f"https://login.microsoftonline.com/{self._tenant}/v2.0",
            f"https://sts.windows.net/{self._tenant}/",
        ]

    def caller(self, token: str) -> Caller:
        """Return who a token stands for. Raises NotSignedIn, or Temporary without keys."""
        if not self._tenant or not self._audiences:
            raise NotSignedIn("sign-in is not set up: CMK_TENANT_ID and CMK_API_AUDIENCE must be set")
        claims = self._claims(token)
        if str(claims.get("tid", "")).lower() != self._tenant:
            raise NotSignedIn("the token is of another tenant")
        object_id = claims.get("oid")
        if not isinstance(object_id, str) or not object_id:
            raise NotSignedIn("the token names no object id (oid)")
        roles = claims.get("roles")
        names = frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset()
        shown = next((claims[it] for it in ("name", "preferred_username") if _is_text(claims.get(it))), "")
        return Caller(object_id.lower(), names, _is_person(claims), shown)

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _LONGEST:
            raise NotSignedIn("the token is too long")
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = self._signers.key(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise NotSignedIn("the token is not signed with a key of our tenant")
            return self._decoded(token, key)
        except jwt.ExpiredSignatureError:
            raise NotSignedIn("the token has expired: get a new one") from None
        except jwt.InvalidAudienceError:
            raise NotSignedIn(f"the token is made for another audience than {', '.join(self._audiences)}") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise NotSignedIn(f"the token is not valid ({type(error).__name__})") from None

    def _decoded(self, token: str, key: Any) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._audiences,
            issuer=self._issuers,
            leeway=_LEEWAY,
            options={"require": ["exp", "iat", "nbf", "aud", "iss", "sub"]},
        )


def _is_person(claims: Mapping[str, Any]) -> bool:
    """Tell whether a token is a person's: an access token given on somebody's behalf, or the id token of a sign-in.

    `scp` is what a person has let an application do, and an application's own token has none. An id token has none
    either, so that its absence proves nothing: an id token is known by what only a sign-in leaves, and by the client
    that it does not name. In an application's token subject and object are the same; a person's subject is made anew
    for each application.
    """
    if claims.get("idtyp", "user") != "user" or claims["sub"] == claims["oid"]:
        return False
    if "scp" in claims:
        return isinstance(claims["scp"], str) and bool(claims["scp"].strip())
    return not any(name in claims for name in _CLIENT) and any(_is_text(claims.get(name)) for name in _SIGN_IN)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
