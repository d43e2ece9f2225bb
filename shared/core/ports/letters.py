"""The dead letters of Event Grid, as the flow sees them."""

from collections.abc import Iterable
from typing import Protocol


class Letters(Protocol):
    """Blobs by name. Each raises Temporary or Denied where storage is not to be had."""

    def names(self) -> Iterable[str]:
        """Return the names of all of them."""
        ...

    def text(self, name: str) -> str:
        """Return what is in one. Raises BadInput where that is no text."""
        ...
