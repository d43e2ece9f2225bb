"""Management clients, one for each subscription and provider, built on first use: an app of many subscriptions uses few."""

from collections.abc import Callable, Mapping
from typing import Any

from azure.mgmt.databricks import AzureDatabricksManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.msi import ManagedServiceIdentityClient

from shared.adapters.pipeline import Pipeline

Json = Mapping[str, Any]


def raw(response: Any, _model: Any, _headers: Any) -> Json:
    """Return the body as it came over the wire, for the `cls` argument of an operation: models lose fields (DESIGN 2)."""
    body: Json = response.http_response.json()
    return body


class Clients:
    """The operations of each subscription."""

    def __init__(self, pipeline: Pipeline, workspace_api: str = "") -> None:
        self._pipeline = pipeline
        self._version = {"api_version": workspace_api} if workspace_api else {}
        self._built: dict[tuple[str, str], Any] = {}

    def vaults(self, subscription: str) -> Any:
        """Return the operations on vaults."""
        return self._client("vaults", subscription, KeyVaultManagementClient).vaults

    def keys(self, subscription: str) -> Any:
        """Return the operations on keys."""
        return self._client("vaults", subscription, KeyVaultManagementClient).keys

    def workspaces(self, subscription: str) -> Any:
        """Return the operations on workspaces."""
        return self._client("workspaces", subscription, AzureDatabricksManagementClient, **self._version).workspaces

    def identities(self, subscription: str) -> Any:
        """Return the operations on user-assigned identities."""
        return self._client("identities", subscription, ManagedServiceIdentityClient).user_assigned_identities

    def _client(self, kind: str, subscription: str, build: Callable[..., Any], **more: Any) -> Any:
        if (kind, subscription) not in self._built:
            self._built[kind, subscription] = build(subscription_id=subscription, **self._pipeline.options(), **more)
        return self._built[kind, subscription]
