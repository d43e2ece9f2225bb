"""Templates -> pages, with the headers that keep a browser from doing anything that a page did not mean."""

import functools
import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from shared.core.ticket.escape import line, visible
from shared.web.auth import WRITING_ROLES, Caller
from shared.web.console import assets
from shared.web.console.forms import cookie_of, token_for

_LATER = re.compile(r"\$\{([A-Za-z.:]+)\}")  # a reference to what a step before makes (core/refs.py)
_FILTERS = frozenset(
    {
        "shelf",
        "state",
        "control",
        "q",
        "target",
        "kind",
        "worst",
        "resource",
        "mode",
        "modes",
        "auto_scope",
        "from",
        "to",
    }
)
_WHOLE = 1_000_000  # letters: of a plan nothing is cut, for people agree to all of it
_VERDICTS = {"superseded": "to be looked at again", "noncompliant": "not compliant", "notapplicable": "not applicable"}
_TEMPLATES = Path(__file__).parent.parent / "templates"
# `form-action` holds for where a form's answer leads, too: pages only ever lead to pages of this site.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",  # with none at all a form of our own would come from the origin `null`
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def page(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:
    """Return a page. Whoever may write gets the token that each form of it must bring back."""
    caller: Caller | None = getattr(request.state, "caller", None)
    token, is_new = token_for(request)
    text = _environment().get_template(template).render(
        caller=caller, may_write=bool(caller and caller.is_person and caller.roles & WRITING_ROLES), form_token=token,
        path=request.url.path, here=_here(request), asset=assets.address, is_form=request.method != "GET", **shown,
    )  # fmt: skip
    cookie = {"Set-Cookie": cookie_of(request, token)} if is_new and caller else {}
    return Response(text, status, {**HEADERS, **cookie, **(headers or {})}, "text/html")


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters |= {
        "seen": line,
        "utc": _utc,
        "iso": datetime.isoformat,
        "name": _name,
        "value": _value,
        "words": _words,
        "start": _start,
    }
    return made


def _shown(value: Any) -> Any:
    """Return what a template writes out: whatever it is, nothing in it is unseen or turns the direction of reading."""
    return visible(value) if type(value) is str else value


def _here(request: Request) -> str:
    """Return where to come back to after a sign-in: the page and its filters, nothing else that an address may hold.

    Two slashes at the front would be another host.
    """
    if request.method != "GET":  # back to the page of the form, not to where it was sent
        return request.url.path.rsplit("/", 1)[0] if request.url.path.startswith("/remediations/") else "/"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name in _FILTERS]
    return "/" + request.url.path.lstrip("/\\") + (f"?{urlencode(kept)}" if kept else "")


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _name(target: str) -> str:
    """Return the last word of an id, which people know the resource by."""
    return line(target.rstrip("/").rsplit("/", 1)[-1], 100)


def _value(value: Any) -> str:
    """Return a value of a plan as people read it."""
    match value:
        case None | "":
            return "not set"
        case bool():
            return "on" if value else "off"
        case str() | int() | float():
            return _LATER.sub(r"(\1: known once it is there)", line(value, _WHOLE))
        case list() | tuple() if all(isinstance(it, str) for it in value):
            return line(", ".join(value), _WHOLE) or "none"
        case _:
            return line(json.dumps(value, ensure_ascii=False, default=str), _WHOLE)


def _start(text: str) -> str:
    """Return a text whose first letter is one that begins a sentence."""
    return text[:1].upper() + text[1:]


def _words(name: str) -> str:
    """Return the words that a name for machines is made of: `awaiting_approval` -> `awaiting approval`."""
    text = line(name.replace("_", " "), 200)
    return _VERDICTS.get(text.lower().replace("-", ""), text.lower())
