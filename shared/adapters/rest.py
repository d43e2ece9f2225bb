"""Plain requests to ARM, for providers whose management SDK would cost more to load than all that we need of it.

Microsoft.Authorization and the Activity Log are a handful of lists: docs/decisions/0016-plain-requests.md.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from shared.adapters.pipeline import Pipeline
from shared.adapters.translate import translated
from shared.core.errors import BadInput

Json = Mapping[str, Any]
_MOST_PAGES = 1000  # a list that does not end is a bug of somebody's


class Rest:
    """ARM by path."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @cached_property
    def _client(self) -> Any:
        return self._pipeline.client()

    def send(
        self, method: str, path: str, version: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Json:
        """Send one request, once; return the body, {} where there is none. Raises azure-core's errors as the SDKs do."""
        url = f"{self._pipeline.arm_url}{quote(path)}"
        request = HttpRequest(method, url, params={"api-version": version}, json=body, headers=dict(headers or {}))
        return self._answer(request)

    def get(self, url: str) -> Json:
        """Ask at an address that ARM itself has given, if it is ARM's. Raises azure-core's errors as the SDKs do, or BadInput."""
        return self._answer(HttpRequest("GET", self._ours(url)))

    def date(self, path: str, version: str) -> str:
        """Return the header Date of the answer to a GET, whatever the answer is; '' where it has none."""
        url = f"{self._pipeline.arm_url}{quote(path)}"
        response = self._client.send_request(HttpRequest("GET", url, params={"api-version": version}))
        return str(response.headers.get("Date", ""))

    def pages(self, path: str, version: str, **query: str) -> Iterator[Json]:
        """Yield the rows of a list, page by page. Raises our errors."""
        url, params = f"{self._pipeline.arm_url}{quote(path)}", {"api-version": version, **query}
        with translated(f"reading {path}"):
            for _ in range(_MOST_PAGES):
                body = self._answer(HttpRequest("GET", url, params=params))
                rows = body.get("value")
                if not isinstance(rows, list):
                    raise BadInput("BadArmAnswer", f"{path} answered without a list")
                yield from (row for row in rows if isinstance(row, dict))
                url, params = self._ours(str(body.get("nextLink") or "")), {}
                if not url:
                    return
        raise BadInput("EndlessList", f"{path} has more than {_MOST_PAGES} pages")

    def _ours(self, link: str) -> str:
        """Return a link at our own ARM: the token must not go to any other host."""
        if link and urlsplit(link).netloc.lower() != urlsplit(self._pipeline.arm_url).netloc.lower():
            raise BadInput("BadArmAnswer", "an answer points to another host")
        return link

    def _answer(self, request: HttpRequest) -> Json:
        response = self._client.send_request(request)
        if response.status_code >= 400:
            raise HttpResponseError(response=response)
        body = response.json() if response.content else {}
        if not isinstance(body, dict):
            raise BadInput("BadArmAnswer", "an answer must be an object")
        return body
