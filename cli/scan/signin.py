"""Who scans: whoever is signed in with `az login`, else what azure-identity finds, else a token from the environment.

The reader of a scan is a person or a pipeline, never the app's own identities.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import AzureCliCredential, ChainedTokenCredential, DefaultAzureCredential

TOKEN = "CMKWARDEN_ARM_TOKEN"
_LEFT = 300  # seconds that a kept token must still be good for
_HOUR = 3600


class Given:
    """A token that somebody else has got, as it is: Azure says when it is over."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return it."""
        return AccessToken(self._token, int(time.time()) + _HOUR)

    def close(self) -> None:
        """Nothing is open."""


class KeptToken:
    """A sign-in whose token is asked for once. The Azure CLI starts a process for every question, and each client asks."""

    def __init__(self, credential: TokenCredential) -> None:
        self._credential = credential
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token that is good for some minutes yet; one that Azure has refused (`claims`) is asked for anew."""
        with self._lock:
            kept = self._tokens.get(scopes)
            if kept is None or kept.expires_on - time.time() < _LEFT or options.get("claims"):
                kept = self._tokens[scopes] = self._credential.get_token(*scopes, **options)
            return kept

    def close(self) -> None:
        """Nothing of ours is open."""


def sign_in(environ: Mapping[str, str]) -> TokenCredential:
    """Return the credential to read with. Nothing is asked yet, and nobody is ever asked to sign in."""
    token = environ.get(TOKEN, "").strip()
    if token:
        return Given(token)
    return KeptToken(ChainedTokenCredential(AzureCliCredential(), DefaultAzureCredential()))
