"""The public keys with which Entra signs tokens, fetched when a token names one that is not known yet.

An unknown key asks Entra at most once a minute, also while Entra does not answer: forged key ids must not turn us
against Entra, nor make those wait whose key is known.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
from azure.core import PipelineClient
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from shared.adapters.translate import translated
from shared.core.errors import Temporary

_ASK_AGAIN = 60  # seconds
_LIVES = 86_400  # seconds; Entra takes keys out of use


class EntraSigners:
    """The keys of one tenant, by key id."""

    def __init__(self, authority: str, tenant: str, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._url = f"{authority}/{tenant}/discovery/v2.0/keys"
        self._client = PipelineClient[Any, Any](
            authority,
            policies=[policies.UserAgentPolicy(base_user_agent="cmkwarden"), policies.ContentDecodePolicy()],
        )
        self._keys: dict[str, Any] = {}
        self._asked = self._fetched_at = float("-inf")
        self._lock = threading.Lock()

    def key(self, key_id: str) -> Any | None:
        """Return a public key, or None where the tenant has none with that id. Raises Temporary."""
        with self._lock:
            now = self._now()
            if now - self._fetched_at > _LIVES:
                self._keys = self._fetched()
                self._fetched_at = self._asked = now
            elif key_id not in self._keys and now - self._asked > _ASK_AGAIN:
                self._asked = now
                self._keys = self._fetched()
                self._fetched_at = now
            return self._keys.get(key_id)

    def published(self) -> int:
        """Ask anew, and return how many keys there are; what is known stays as it is. Raises Temporary."""
        return len(self._fetched())

    def _fetched(self) -> dict[str, Any]:
        with translated("reading the keys that sign tokens"):
            answer = self._client.send_request(HttpRequest("GET", self._url), connection_timeout=5, read_timeout=10)
            answer.raise_for_status()
            found = answer.json()
        try:
            return {str(key.key_id): key.key for key in jwt.PyJWKSet.from_dict(found).keys}
        except (jwt.PyJWKSetError, AttributeError, KeyError) as error:
            raise Temporary("NoSigningKeys", f"the authority answered without usable keys: {error}") from error
