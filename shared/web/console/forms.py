"""What a form brings: its fields, and the token that only a page of ours can have put there.

A browser sends its cookies along with whatever another site makes it post. So a form carries a token that its cookie
has as well: another site can make the browser send the cookie, and can neither read nor set it. The gate has checked
before that the browser itself says that the post comes from this site (decision 0025).
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from starlette.requests import Request

from shared.core.errors import BadInput
from shared.web.refusals import CrossSite

MEDIA_TYPE = "application/x-www-form-urlencoded"
_FIELD = "token"
_MOST_FIELDS = 500
_TOKEN = re.compile("[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that one of our pages has sent. What is missing is ''."""

    fields: dict[str, list[str]]

    def text(self, name: str) -> str:
        """Return a field as it was typed, without blanks around it."""
        return self.fields.get(name, [""])[0].strip()

    def every(self, name: str) -> list[str]:
        """Return all values of a field, as of boxes that were ticked."""
        return self.fields.get(name, [])

    def until(self, name: str, now: datetime, most: timedelta) -> datetime:
        """Return the end of as many days as a field says. Raises BadInput for anything that is no number of days."""
        text = self.text(name)
        if not re.fullmatch("[0-9]{1,3}", text) or not timedelta(0) < timedelta(days=int(text)) <= most:
            raise BadInput("BadDays", f"say for how many days: a whole number from 1 to {most.days}")
        return now + timedelta(days=int(text))


def form_of(request: Request) -> Form:
    """Read a form. Raises CrossSite where its token is not the one of the cookie, BadInput for what is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise BadInput("BadForm", "this takes a form as one of its own pages sends it; programs use /api")
    try:
        fields = parse_qs(
            request.state.body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise BadInput("BadForm", "this is no form: go back, load the page again and send it once more") from None
    given, own = fields.get(_FIELD, [""])[0], _cookie(request)
    if not _TOKEN.fullmatch(own) or not hmac.compare_digest(given.encode(), own.encode()):
        raise CrossSite(
            "the form does not come from a page of this session: go back, load it again and send it once more"
        )
    return Form(fields)


def token_for(request: Request) -> tuple[str, bool]:
    """Return the token for the forms of a page, and whether it is new: then its cookie must go along."""
    own = _cookie(request)
    return (own, False) if _TOKEN.fullmatch(own) else (secrets.token_urlsafe(24), True)


def cookie_of(request: Request, token: str) -> str:
    """Return the cookie that keeps a token. Over HTTPS no other host of our domain can set it."""
    secure = "; Secure" if _is_secure(request) else ""
    return f"{_cookie_name(request)}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _cookie(request: Request) -> str:
    """Return our cookie as a browser itself sends it, '' where there is none or more than one.

    A site next door can plant one whose name is ours but for a letter that lenient readers strip (0xA0, 0x85): so the
    header is read to the letter here.
    """
    lines = [value for name, value in request.scope["headers"] if name == b"cookie"]
    pairs = [pair.strip(b" \t").partition(b"=") for line in lines for pair in line.split(b";")]
    found = [value for name, _, value in pairs if name == _cookie_name(request).encode()]
    return found[0].decode("latin-1") if len(found) == 1 else ""


def _cookie_name(request: Request) -> str:
    return "__Host-cmkwarden-form" if _is_secure(request) else "cmkwarden-form"


def _is_secure(request: Request) -> bool:
    scheme: str = request.headers.get("x-forwarded-proto", request.scope["scheme"])
    return scheme.rsplit(",", 1)[-1].strip() == "https"
