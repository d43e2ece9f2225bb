"""The pipeline under every management SDK client of ours: as the SDK's own, less all that re-sends by itself.

No retry policy: a throttled call would block a function for minutes, and an ambiguous write could happen twice
(AZURE 0.17). What fails comes back through the queue and starts with a read. No automatic registration of resource
providers either: that is a write.
"""

from collections.abc import Mapping
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.core.pipeline import policies
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from shared.adapters.pace import Pace

_CONNECT = 5  # seconds
_READ = 25  # seconds; ARM's reads and vault writes answer in one or two


def _as_it_is[T](request: T) -> T:
    """Leave a request as it is."""
    return request


class Pipeline:
    """What a client needs to be built: one transport, and so one pool of connections, for all of them."""

    def __init__(self, credential: TokenCredential, arm_url: str) -> None:
        self.credential = credential
        self.arm_url = arm_url.rstrip("/")
        self.pace = Pace()
        self.scope = f"{self.arm_url}/.default"
        session = requests.Session()
        # With no word from us requests would put what a ~/.netrc says in place of the token.
        session.auth = _as_it_is
        self._transport = RequestsTransport(session=session, connection_timeout=_CONNECT, read_timeout=_READ)

    def options(self) -> Mapping[str, Any]:
        """Return the keyword arguments of a management client."""
        return {
            "credential": self.credential,
            "base_url": self.arm_url,
            "credential_scopes": [self.scope],
            "transport": self._transport,
            "policies": [
                policies.RequestIdPolicy(),
                policies.HeadersPolicy(),
                policies.UserAgentPolicy(base_user_agent="cmkwarden"),
                policies.ContentDecodePolicy(),
                ARMChallengeAuthenticationPolicy(self.credential, self.scope),
                policies.CustomHookPolicy(),
                self.pace,
                policies.DistributedTracingPolicy(),
            ],
        }

    def client(self) -> Any:
        """Return a client for plain requests, with the same policies: for what no management SDK of ours offers."""
        options = self.options()
        return ARMPipelineClient(
            base_url=self.arm_url, policies=options["policies"], transport=options["transport"], config=None
        )
