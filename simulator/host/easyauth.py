"""The sign-in that App Service puts in front of an app (Easy Auth): its pages, its cookie, what it tells the app.

    /.auth/login/aad -> somebody is picked -> /.auth/login/aad/callback -> cookie -> the path that was asked for
    /.auth/me           what is known of whoever is signed in
    /.auth/logout       forgets it

Set up without a client secret: there is an id token, no access token, and nothing to refresh. Who is not signed in
passes on to the app (`unauthenticatedClientAction: AllowAnonymous`). The page where somebody is picked is Entra's part.
"""

import base64
import json
import re
import secrets
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
from aiohttp import web

from simulator.host import pages
from simulator.host.config import SignIn
from simulator.host.http import empty

type Page = Callable[[web.Request], Awaitable[web.Response]]

COOKIE, NONCE = "AppServiceAuthSession", "Nonce"
SESSION_SECONDS, NONCE_SECONDS = 8 * 3600, 5 * 60  # App Service's defaults
DONE, COMPLETE = "/.auth/login/done", "/.auth/logout/complete"
# How App Service renames claims, as an answer of /.auth/me that somebody has published whole shows it.
TYPES = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
}
NAME_TYPE = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
ROLE_TYPE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
# A browser takes a backslash for a slash, and leaves tabs and line ends out of an address.
PATH = re.compile(r"/(?!/)[!-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in, until `end` (seconds of the epoch)."""

    id_token: str
    claims: Mapping[str, Any]
    end: float

    @property
    def name(self) -> str:
        """How App Service names them."""
        return str(self.claims["preferred_username"])

    def shown(self) -> list[dict[str, str]]:
        """Return the claims as App Service shows them: text, some renamed, one entry for each value of a list."""
        return [
            {"typ": TYPES.get(name, name), "val": str(each)}
            for name, value in self.claims.items()
            for each in (value if isinstance(value, list) else [value])
        ]

    def headers(self) -> dict[str, str]:
        """Return what the app is told."""
        principal = {"auth_typ": "aad", "claims": self.shown(), "name_typ": NAME_TYPE, "role_typ": ROLE_TYPE}
        return {
            "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
            "x-ms-client-principal-id": str(self.claims["oid"]),
            "x-ms-client-principal-idp": "aad",
            "x-ms-client-principal-name": self.name,
            "x-ms-token-aad-id-token": self.id_token,
        }


class EasyAuth:
    """Answers /.auth/... and knows who is behind a cookie; forgets everybody when the host ends."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._sessions: dict[str, Session] = {}
        self._pages: dict[tuple[str, str], Page] = {
            ("GET", "login/aad"): self._picker,
            ("POST", "login/aad/callback"): self._signed_in,
            ("GET", "login/done"): self._done,
            ("GET", "me"): self._me,
            ("GET", "logout"): self._signed_out,
            ("GET", "logout/complete"): self._complete,
        }

    def keep(self, session: Session) -> str:
        """Keep a session, drop those that are over, and return the value of its cookie."""
        key = secrets.token_urlsafe(32)
        self._sessions = {each: kept for each, kept in self._sessions.items() if kept.end > time.time()}
        self._sessions[key] = session
        return key

    def headers(self, request: web.Request) -> dict[str, str]:
        """Return what the app is told of a request; nothing where nobody is signed in."""
        session = self._session(request)
        return session.headers() if session else {}

    async def answer(self, request: web.Request, rest: str) -> web.StreamResponse:
        """Find the page. None of them is ever kept by a browser."""
        page = self._pages.get((request.method, rest.lower()))
        response = await page(request) if page else empty(404)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _picker(self, request: web.Request) -> web.Response:
        nonce = f"{secrets.token_hex(16)}_{time.strftime('%Y%m%d%H%M%S', time.gmtime())}"
        state = urllib.parse.urlencode({"redir": local(request, request.query.get("post_login_redirect_uri", ""))})
        response = pages.picker(self._sign_in.people, {"state": state, "nonce": nonce})
        _set_cookie(response, NONCE, nonce, NONCE_SECONDS)
        return response

    async def _signed_in(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        nonce, account = form.get("nonce", ""), form.get("account", "")
        begun = request.cookies.get(NONCE, "") == nonce
        if not nonce or not begun or account not in {person.object_id for person in self._sign_in.people}:
            return web.Response(status=401, text="This sign-in did not begin here. Begin again.")
        key = self.keep(_session(await self._id_token(account, nonce)))
        state = urllib.parse.parse_qs(form.get("state", ""))
        response = _redirect(local(request, state.get("redir", [""])[0]) or DONE)
        response.del_cookie(NONCE)
        _set_cookie(response, COOKIE, key)
        return response

    async def _done(self, _request: web.Request) -> web.Response:
        return pages.done("You have successfully signed in")

    async def _complete(self, _request: web.Request) -> web.Response:
        return pages.done("You have been signed out")

    async def _id_token(self, account: str, nonce: str) -> str:
        asked = {"object_id": account, "client_id": self._sign_in.client_id, "nonce": nonce}
        async with aiohttp.ClientSession(raise_for_status=True) as client:
            answer = await client.post(self._sign_in.id_tokens, json=asked)
            return str((await answer.json())["id_token"])

    async def _me(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session is None:
            return empty(401)
        known = {"id_token": session.id_token, "provider_name": "aad", "user_claims": session.shown()}
        return web.json_response([known | {"user_id": session.name}])

    async def _signed_out(self, request: web.Request) -> web.Response:
        self._sessions.pop(request.cookies.get(COOKIE, ""), None)
        response = _redirect(local(request, request.query.get("post_logout_redirect_uri", "")) or COMPLETE)
        response.del_cookie(COOKIE)
        return response

    def _session(self, request: web.Request) -> Session | None:
        session = self._sessions.get(request.cookies.get(COOKIE, ""))
        return session if session is not None and session.end > time.time() else None


def local(request: web.Request, target: str) -> str:
    """Return the path of this site that a target names; '' for any other, which App Service passes over."""
    path = target.removeprefix(f"{request.scheme}://{request.host}")
    return path if PATH.fullmatch(path) else ""


def _session(id_token: str) -> Session:
    """Read the token. It comes straight from whoever signs it: nobody else can have put it there."""
    claims = jwt.decode(id_token, options={"verify_signature": False})
    return Session(id_token, claims, time.time() + SESSION_SECONDS)


def _redirect(path: str) -> web.Response:
    return web.Response(status=302, headers={"Location": path})


def _set_cookie(response: web.Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie. App Service's own is `secure; SameSite=None`, a pair that browsers refuse over plain HTTP."""
    response.set_cookie(name, value, max_age=seconds, httponly=True)
