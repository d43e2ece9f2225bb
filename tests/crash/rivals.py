"""A second writer in the way of the product, and a witness beside it: both act between two requests of one story.

The product's requests to Resource Manager all go through azure-core's transport; the rival and the witness use a
client of their own, so they are not counted.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

_VERSION = "2023-07-01"
_WORD = re.compile("[/?]")


@dataclass
class Rival:
    """Somebody with Azure CLI, which reads a vault, changes it, and writes all of it (AZURE 2.2).

    It reads after so many of the product's requests for this vault, and writes after so many more.
    """

    reads_after: int
    writes_after: int
    read: Callable[[], dict[str, Any]]
    write: Callable[[dict[str, Any]], None]
    seen: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    is_done: bool = False
    after: str = ""  # the method of the request of ours that it wrote after

    def act(self, method: str) -> None:
        """The product has sent one more request."""
        self.seen += 1
        if not self.body and self.seen >= self.reads_after:
            self.body = self.read()
        if self.body and not self.is_done and self.seen >= self.writes_after:
            self.is_done, self.after = True, method
            self.write(self.body)


@contextmanager
def between_requests(patch: pytest.MonkeyPatch, acts: Mapping[str, Callable[[str], None]]) -> Iterator[None]:
    """After each request of the product that names one of the resources, let its act happen."""
    send = RequestsTransport.send

    def sending(self: Any, request: Any, **options: Any) -> Any:
        try:
            return send(self, request, **options)
        finally:
            # By the word, not by the beginning: kv-1 is not kv-10.
            for name in {*_WORD.split(request.url.lower())} & set(acts):
                acts[name](request.method)

    with patch.context() as inner:
        inner.setattr(RequestsTransport, "send", sending)
        yield


def put_whole(cloud: Any, vault: str) -> Callable[[dict[str, Any]], None]:
    """Return a write of the whole vault, as its owner."""

    def write(body: dict[str, Any]) -> None:
        sent = {name: body[name] for name in ("location", "tags", "properties") if name in body}
        cloud.arm("PUT", vault, _VERSION, sent).raise_for_status()

    return write
