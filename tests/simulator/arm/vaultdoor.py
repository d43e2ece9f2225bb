"""To a vault's own address: the real clients and bare calls, sent to the simulator under the vault's true name."""

import time
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient

from tests.simulator.arm.stage import IDENTITIES, SUB, TENANT, Stage, vault

KEYS_API = "2025-07-01"
AUDIENCE = "https://vault.azure.net"
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"


class ToSimulator(RequestsTransport):  # type: ignore[misc]
    """Sends what is meant for a vault to the simulator; the client keeps seeing the vault's URL."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(connection_verify=stage.ca, use_env_settings=False)
        self._arm = stage.arm

    def send(self, request: Any, **more: Any) -> Any:
        """One request."""
        true = request.url
        host, _, rest = true.removeprefix("https://").partition("/")
        assert host.partition(":")[0].endswith(".vault.azure.net"), true
        request.url, request.headers["Host"] = f"{self._arm}/{rest}", host
        try:
            return super().send(request, **more)
        finally:
            request.url = true


def key_client(stage: Stage, name: str, who: str = "writer") -> KeyClient:
    """The SDK's client of one vault."""
    return KeyClient(
        f"https://{name}.vault.azure.net", stage.credential(who), transport=ToSimulator(stage), retry_total=0
    )


def crypto(stage: Stage, key: Any, who: str = "writer") -> CryptographyClient:
    """The SDK's client of one key; without local work, so that the vault does everything."""
    return CryptographyClient(key, stage.credential(who), transport=ToSimulator(stage), retry_total=0)


def at(
    stage: Stage,
    name: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    who: str = "writer",
    version: str = KEYS_API,
    resource: str = AUDIENCE,
) -> requests.Response:
    """One bare call to a vault; no `who` means no token."""
    bearer = {"Authorization": f"Bearer {stage.token(who, resource)}"} if who else {}
    return requests.request(
        method,
        f"{stage.arm}{path}",
        params={"api-version": version} if version else {},
        json=body,
        headers={"Host": f"{name}.vault.azure.net", **bearer},
        verify=stage.ca,
        timeout=30,
    )


def made_vault(stage: Stage, name: str, keys: list[str] | None = None, **properties: Any) -> str:
    """A vault whose access policies let the writer do these things with keys; returns its id."""
    entry = {"tenantId": TENANT, "objectId": IDENTITIES["writer"]["principal_id"], "permissions": {"keys": keys}}
    group = f"/subscriptions/{SUB}/resourceGroups/rg-keys"
    stage.group("rg-keys")
    identity = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
    sent = vault(**{"accessPolicies": [entry] if keys else [], "enableRbacAuthorization": False, **properties})
    answer = stage.call("PUT", identity, sent)
    assert answer.status_code == 200, answer.text
    return identity


def seeded_key(stage: Stage, vault_id: str, name: str, **properties: Any) -> str:
    """A key without more; returns its id."""
    identity = f"{vault_id}/keys/{name}"
    said = stage.tell("POST", "/seed", {"resources": [{"id": identity, "properties": properties}]})
    assert said["refused"] == []
    return identity


def seconds(away: int) -> int:
    """A moment as Key Vault writes it."""
    return int(time.time()) + away
