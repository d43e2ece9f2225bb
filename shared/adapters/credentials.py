"""The two identities: the reader, under which everything runs, and the writer, under which alone is written."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from azure.core.credentials import TokenCredential
from azure.identity import ManagedIdentityCredential


def managed_identity(client_id: str, **options: Any) -> TokenCredential:
    """Return the credential of a user-assigned identity; the app's own where no client id is set. Options are the SDK's."""
    return ManagedIdentityCredential(client_id=client_id or None, **options)


def principal(credential: TokenCredential, scope: str) -> str:
    """Return the object id that the identity's token names, so that records can say who wrote."""
    payload = credential.get_token(scope).token.split(".")[1]
    claims: Mapping[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims.get("oid", ""))
