"""The app over HTTP: one request a call, its refusals as values. Knows nothing of what is asked.

A write carries an `Idempotency-Key`, so that it can be sent again after a lost answer and is done once all the same.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

TIMEOUT = (5, 60)  # seconds to connect, and to wait for an answer
_TRIES = 3
_LONGEST_WAIT = 10.0  # seconds between two tries
_AGAIN = frozenset({429, 503})
_PAGE = 200  # the longest part of a list that the API gives


class Refused(Exception):  # noqa: N818 - a situation, told as the app tells it
    """The app said no. `reason` is the word for machines, `extra` the other members of the problem document."""

    def __init__(self, status: int, reason: str, title: str, detail: str, extra: Mapping[str, Any]) -> None:
        super().__init__(f"{title}: {detail}")
        self.status, self.reason, self.title, self.detail, self.extra = status, reason, title, detail, extra


class Unreachable(Exception):  # noqa: N818
    """There was no answer, or none that the app could have given. The text says why; `passes`: it may be another one soon."""

    def __init__(self, why: str, *, passes: bool = False) -> None:
        super().__init__(why)
        self.passes = passes


class BadAddress(Exception):  # noqa: N818
    """The address cannot be right. The text says what would be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `headers` have names in lower case."""

    body: Any
    status: int
    headers: Mapping[str, str]
    content: bytes = b""  # as it came

    @property
    def etag(self) -> str:
        """The version, for If-Match; '' where there is none."""
        return self.headers.get("etag", "")


@dataclass
class AppClient:
    """The app at an address. `token` is asked for with the first call that needs one."""

    url: str
    token: Callable[[], str]
    _session: Any = field(default=None, repr=False)
    _bearer: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.url = base(self.url)

    def get(self, path: str, **query: str) -> Answer:
        """Read."""
        return self._asked("GET", path, {name: value for name, value in query.items() if value}, None, {})

    def send(self, method: str, path: str, body: Any = None, etag: str = "") -> Answer:
        """Change something, once; with an ETag only what is still as it was seen."""
        headers = {"Idempotency-Key": uuid.uuid4().hex, **({"If-Match": etag} if etag else {})}
        return self._asked(method, path, {}, body, headers)

    def rows(self, path: str, limit: int | None, **query: str) -> Iterator[Any]:
        """Yield the rows of a list, part by part; all of them where no limit is given."""
        cursor, left = "", limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            body = self.get(path, **query, limit=str(size), cursor=cursor).body
            if not isinstance(body, dict) or not isinstance(body.get("items"), list) or "next" not in body:
                raise Unreachable(f"{self.url} answers with no list: is it the right address, and of this version?")
            yield from body["items"]
            left = None if left is None else left - len(body["items"])
            cursor = body["next"] or ""
            if not cursor:
                return

    def file(self, path: str, **query: str) -> bytes:
        """Read a file. Raises Unreachable for what the app has not handed out as one."""
        return self._asked(
            "GET", path, {name: value for name, value in query.items() if value}, None, {}, is_file=True
        ).content

    def raw(self, method: str, path: str, headers: Mapping[str, str], *, bearer: bool) -> Answer:
        """Send exactly these headers, once; return the answer whatever its status. Raises Unreachable."""
        named = {**headers, **({"Authorization": f"Bearer {self.bearer()}"} if bearer else {})}
        return self._sent(method, path, {}, None, named)

    def bearer(self) -> str:
        """Return the token, asking for it the first time."""
        self._bearer = self._bearer or self.token()
        return self._bearer

    def _asked(
        self, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str], *,
        is_file: bool = False,
    ) -> Answer:  # fmt: skip
        named = {"Authorization": f"Bearer {self.bearer()}", **headers}
        for number in range(1, _TRIES + 1):
            try:
                answer = self._sent(method, path, query, body, named)
            except Unreachable as error:
                if number == _TRIES or not error.passes:
                    raise
                time.sleep(number)
                continue
            if answer.status not in _AGAIN or number == _TRIES:
                return _checked(answer, self.url, is_file=is_file)
            time.sleep(_wait(answer, number))
        raise AssertionError  # the last try returns or raises

    def _sent(self, method: str, path: str, query: Mapping[str, str], body: Any, headers: Mapping[str, str]) -> Answer:
        import requests  # noqa: PLC0415 - `--help` needs none of it

        if self._session is None:
            self._session = requests.Session()
            self._session.trust_env = not is_here(self.url)  # a proxy knows nothing of this machine
            self._session.auth = _as_it_is
        try:
            found = self._session.request(
                method, f"{self.url}{quote(path)}", params=dict(query), json=body, headers=dict(headers),
                timeout=TIMEOUT, allow_redirects=False,
            )  # fmt: skip
        except (requests.RequestException, UnicodeError) as error:
            why, passes = _why(error)
            raise Unreachable(why, passes=passes) from error
        told = {name.lower(): value for name, value in found.headers.items()}
        return Answer(_body(found), found.status_code, told, found.content)


def _as_it_is[T](request: T) -> T:
    """Leave a request as it is: with no word from us requests would put what ~/.netrc says in place of the token."""
    return request


def base(url: str) -> str:
    """Return an address without /api and slashes at its end. Raises BadAddress: a token never goes over plain HTTP."""
    text = url.strip().rstrip("/").removesuffix("/api")
    # What reads addresses here and what sends requests do not agree about these: the token would go to another host.
    if any(letter in "\\@" or letter.isspace() or not letter.isprintable() for letter in text):
        raise BadAddress(f"{url!r} is no address: it may hold no blank, backslash or @")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError:
        raise BadAddress(f"{url!r} is no address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise BadAddress(f"{url!r} is no address: give it as https://YOUR-APP.azurewebsites.net")
    if parts.scheme == "http" and not is_here(text):
        raise BadAddress(f"{url!r}: a token is sent over https:// only, except to this machine")
    return text


def is_here(url: str) -> bool:
    """Tell whether an address is on this machine."""
    host = (urlsplit(url).hostname or "").lower()
    return host == "localhost" or (host.replace(".", "").isdigit() and host.startswith("127.")) or host == "::1"


def _body(found: Any) -> Any:
    try:
        return found.json()
    except ValueError:
        return None


def _checked(answer: Answer, url: str, *, is_file: bool) -> Answer:
    is_meant = (
        answer.headers.get("content-disposition", "").startswith("attachment") if is_file else answer.body is not None
    )
    if 200 <= answer.status < 300 and is_meant:
        return answer
    if isinstance(answer.body, dict) and "reason" in answer.body:
        it = answer.body
        extra = {name: it[name] for name in it if name not in {"type", "title", "status", "detail", "reason"}}
        reason, title, detail = (str(it.get(name) or "") for name in ("reason", "title", "detail"))
        raise Refused(answer.status, reason, title, detail, extra)
    if 300 <= answer.status < 400:
        raise Unreachable(
            f"{url} answers {answer.status} and sends us elsewhere: is a sign-in page in front of the API?"
        )
    raise Unreachable(f"{url} answers {answer.status} and not as cmkwarden does: is it the right address?")


def _wait(answer: Answer, number: int) -> float:
    try:
        return min(float(answer.headers.get("retry-after", number)), _LONGEST_WAIT)
    except ValueError:
        return float(number)


def _why(error: Exception) -> tuple[str, bool]:
    """Return what is known of a lost connection, without the layers of libraries around it, and whether it may pass."""
    import requests  # noqa: PLC0415

    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted: is the address right, and is there a proxy that opens TLS?", False
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "it does not answer", True
    if isinstance(error, requests.exceptions.Timeout):
        return f"it gave no answer within {TIMEOUT[1]} seconds", True
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "nobody listens there, or the name is not known", True
    if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        return "the token holds what no token can", False
    return type(error).__name__, False
