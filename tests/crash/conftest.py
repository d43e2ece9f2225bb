"""Azure and storage without the app: the tests run its verbs themselves, and let them die."""

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from remediators import REMEDIATORS
from shared import settings
from shared.adapters.credentials import managed_identity
from shared.core import ids
from shared.core.ports import Ports
from shared.core.record import remediation_id
from shared.wiring import build
from simulator.client import Client
from simulator.ports import chosen
from simulator.stack import Stack
from simulator.used_vault import held_key
from tests.crash.dying import fate
from tests.crash.pump import Pump
from tests.estate import Place

_NUMBERS = itertools.count()
DECLARED = "dec1a001-58f1-4a6b-b0c4-000000000001"


@pytest.fixture(scope="session")
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Mapping[str, str]]]:
    """The local Azure with nobody on it, and the settings that the app would have."""
    yield from empty_stack(tmp_path_factory.mktemp("nobody"))


def empty_stack(folder: Path) -> Iterator[tuple[Client, Mapping[str, str]]]:
    """Start one, and seed a subscription large enough that no guard rail thinks we change most of it."""
    with Stack(chosen("random"), folder / "local", hosts=0) as stack:
        client = Client(stack.facts)
        others = [vault_body(client, f"kv-other-{number}", enablePurgeProtection=True) for number in range(1000)]
        client.manage("POST", "/seed", {"resources": [*others, _identity(client)]})
        yield client, stack.app_settings()


@pytest.fixture
def cloud(nobody: tuple[Client, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> Client:
    """The local Azure, and this process with the app's environment."""
    client, values = nobody
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, values[name])
    client.manage("DELETE", "/faults")
    client.manage("DELETE", "/journal")
    return client


@pytest.fixture
def pump(cloud: Client, nobody: tuple[Client, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Pump]:
    """A host whose app dies when it is told to."""
    _, values = nobody
    own = settings.read(
        {
            **values,
            "CMK_IDENTITIES": declared(cloud),
            "CMK_SUBSCRIPTIONS": cloud.facts["subscriptions"][0],
            "CMK_RETRY_DELAY": "0",
            "CMK_GAP": "0",
            "CMK_CLAIM": "0",
            "CMK_POLL": "0",
            "CMK_WRITES_PER_HOUR": "100000",
        },
        tuple(it.control.id for it in REMEDIATORS),
    )
    storage = managed_identity(cloud.facts["identities"]["reader"]["client_id"])

    def fresh() -> Ports:
        return build(own, REMEDIATORS)

    with fate(monkeypatch) as own_fate:
        yield Pump(QueueServiceClient(own.queue_url, storage), fresh, own_fate)


def declared(cloud: Client) -> str:
    """Return the id of the user-assigned identity that the deployment declares."""
    at = f"/subscriptions/{cloud.facts['subscriptions'][0]}/resourceGroups/rg-crash"
    return f"{at}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup"


def seed_vault(
    cloud: Client, name: str = "", tags: Mapping[str, str] = MappingProxyType({"cmk-vault": "true"}), **properties: Any
) -> str:
    """Put an unprotected CMK vault into the world; returns its id."""
    body = vault_body(cloud, name or f"kv-crash-{next(_NUMBERS)}", **properties) | {"tags": dict(tags)}
    cloud.manage("POST", "/seed", {"resources": [body]})
    return str(body["id"])


def _identity(cloud: Client) -> dict[str, Any]:
    path = declared(cloud)
    named = {
        "principalId": DECLARED,
        "clientId": "dec1a002-58f1-4a6b-b0c4-000000000002",
        "tenantId": cloud.facts["tenant"],
    }
    return {"id": path, "name": path.rsplit("/", 1)[1], "location": "westeurope", "properties": named}


def vault_body(cloud: Client, name: str, **properties: Any) -> dict[str, Any]:
    """Return an unprotected CMK vault, as an ARM body to seed."""
    at = cloud.facts["subscriptions"][0]
    path = f"/subscriptions/{at}/resourceGroups/rg-crash/providers/Microsoft.KeyVault/vaults/{name}"
    own = {
        "tenantId": cloud.facts["tenant"],
        "sku": {"family": "A", "name": "standard"},
        "accessPolicies": [_narrow(cloud)],
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "provisioningState": "Succeeded",
        "vaultUri": f"https://{name}.vault.azure.net/",
        **properties,
    }
    return {"id": path, "name": name, "location": "westeurope", "tags": {"cmk-vault": "true"}, "properties": own}


def _narrow(cloud: Client) -> dict[str, Any]:
    """Return the policy that AzureDatabricks needs: who may use the keys is not what these stories are about."""
    principal = cloud.facts["identities"]["azure_databricks"]["principal_id"]
    return {
        "tenantId": cloud.facts["tenant"],
        "objectId": principal,
        "permissions": {"keys": ["get", "wrapKey", "unwrapKey"]},
    }


def seed_workspace(cloud: Client, vault: str) -> str:
    """Put a workspace whose managed services use a key in the vault into the world; returns its id."""
    name = f"dbw-crash-{next(_NUMBERS)}"
    path = vault.partition("/providers/")[0] + f"/providers/Microsoft.Databricks/workspaces/{name}"
    uri = f"https://{vault.rsplit('/', 1)[1]}.vault.azure.net/"
    key = {"keyVaultUri": uri, "keyName": "k", "keyVersion": "0" * 32}
    entity = {"keySource": "Microsoft.Keyvault", "keyVaultProperties": key}
    properties = {"provisioningState": "Succeeded", "encryption": {"entities": {"managedServices": entity}}}
    body = {"id": path, "name": name, "location": "westeurope", "properties": properties}
    cloud.manage("POST", "/seed", {"resources": [held_key(vault), body]})
    return path


def access_row(at: Place, subject: str) -> str:
    """Return the id of the remediation of a subject of KV-ACCESS."""
    return remediation_id("KV-ACCESS", ids.parse(at.vault).key, subject)


def evaluation(target: str, kind: str = "event") -> str:
    """Return an `evaluate` message as the event's function, or the sweep, sends it."""
    return json.dumps({"id": target, "cause": {"kind": kind, "id": "e-1", "actor": ""}, "attempt": 1})
