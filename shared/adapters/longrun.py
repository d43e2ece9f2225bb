"""Something that Azure goes on with after it has answered: watched for a while, never for longer than our patience.

Its address is signed and stays in memory: it is neither stored nor logged, nor is any text that could quote it.
A failure comes with status 200: its code decides (AZURE 0.9, 1.3).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from shared.adapters.rest import Rest
from shared.adapters.translate import failed
from shared.core.errors import RemediationError

_ENDED_WELL = frozenset({"succeeded"})
_ENDED_BADLY = frozenset({"failed", "canceled"})
_NOT_TOLD = "not told"


def address(response: Any, _model: Any, headers: Mapping[str, str]) -> str:
    """Return where Azure tells of what it goes on with, for the `cls` argument of an operation; '' where it has ended."""
    found = response.http_response.headers
    del headers
    return str(found.get("Azure-AsyncOperation") or found.get("Location") or "")


class Watch:
    """Watches over long operations, a question every `every` seconds for `patience` seconds."""

    def __init__(self, rest: Rest, every: float, patience: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._rest, self._every, self._patience, self._sleep = rest, every, patience, sleep

    def over(self, url: str, what: str) -> bool:
        """Return True once Azure says that it has ended well; False where it goes on, or nobody can tell.

        Raises what it has failed with as one of our errors.
        """
        ends = time.monotonic() + self._patience
        while url:
            status, error = self._asked(url)
            if status in _ENDED_WELL:
                return True
            if status in _ENDED_BADLY:
                raise failed(error, what)
            if status == _NOT_TOLD or time.monotonic() + self._every > ends:
                return False
            self._sleep(self._every)
        return True

    def _asked(self, url: str) -> tuple[str, Mapping[str, Any]]:
        """Ask once. What goes wrong with the question says nothing of the operation; who may not ask need not ask again."""
        try:
            body = self._rest.get(url)
        except HttpResponseError as error:
            return (_NOT_TOLD if error.status_code in {401, 403, 404, 410} else ""), {}
        except (AzureError, RemediationError, ValueError):
            return "", {}
        why = body.get("error")
        return str(body.get("status") or "").lower(), why if isinstance(why, dict) else {}
